-- Version 2: everything that waits is an encoded batch in one table; set-aside batches go to a side file.
-- What version 1 held is moved by gateway.outbox.migration, a part at a time, out of the tables renamed here.

ALTER TABLE streams RENAME TO old_streams;
ALTER TABLE pending RENAME TO old_pending;
ALTER TABLE batches RENAME TO old_batches;
ALTER TABLE quarantine RENAME TO old_quarantine;
DROP INDEX batches_range;
DROP INDEX batches_alarm;
DROP INDEX batches_evictable;

-- one row a stream of this database, and one for each stream of an earlier one that still has batches here
-- (is_current = 0); records and bytes count what lies in batches. crc: of the row, because a number that a flipped bit
-- has changed would be given out twice, or leave a hole that nobody explains
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    stream_id TEXT NOT NULL UNIQUE,
    class TEXT NOT NULL,
    is_current INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    crc INTEGER NOT NULL
);

-- encoded batches; id is the order of writing. Open: never offered to the uplink, may be merged with its neighbours.
-- content: 0 records, 1 thinned, 2 only gaps. crc: zlib.crc32 of "stream_id first_seq last_seq\n" and data
CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    content INTEGER NOT NULL,
    is_time_known INTEGER NOT NULL,
    oldest_at_ns INTEGER NOT NULL,
    oldest_mono_ns INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX batches_range ON batches (stream, first_seq);
