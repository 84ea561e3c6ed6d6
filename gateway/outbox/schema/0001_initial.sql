-- Version 1 of the outbox. Classes are the words of contracts.records.RecordClass.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- one row a class: the number that its next record gets, and what lies on disk without a receipt
CREATE TABLE streams (
    class TEXT PRIMARY KEY,
    next_seq INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;

-- records that are durable but not yet part of a batch
CREATE TABLE pending (
    class TEXT NOT NULL,
    seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (class, seq)
) WITHOUT ROWID;

-- sealed batches as they travel; id is the order of sealing, a range is never cut anew
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    class TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    is_alarm INTEGER NOT NULL,
    is_gap INTEGER NOT NULL,
    is_time_known INTEGER NOT NULL,
    oldest_at_ns INTEGER NOT NULL,
    oldest_mono_ns INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX batches_range ON batches (class, first_seq);
CREATE INDEX batches_alarm ON batches (id) WHERE is_alarm = 1;
CREATE INDEX batches_evictable ON batches (class, id) WHERE is_gap = 0;

-- last number that was stored of each run of a driver, in the order of their first storing
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    run_id TEXT NOT NULL,
    last_no INTEGER NOT NULL,
    UNIQUE (source, run_id)
);

-- batches that the cloud refused for ever, or that were damaged on disk
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    class TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    is_declared INTEGER NOT NULL,
    reason TEXT NOT NULL,
    set_aside_at_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    data BLOB NOT NULL
);
