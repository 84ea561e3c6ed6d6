-- History, version 1. Times are UTC nanoseconds. Text '' and number 0 stand for "none" where a UNIQUE key needs a value.

CREATE TABLE streams (
    stream_ref INTEGER PRIMARY KEY,
    stream_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE boots (
    boot_ref INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL UNIQUE
) STRICT;

-- One row a vessel (by what its messages tell) or a fixed sensor, as one gateway's driver saw it.
CREATE TABLE series (
    series_ref INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    source TEXT NOT NULL,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    aspect TEXT NOT NULL,
    mmsi INTEGER NOT NULL,
    UNIQUE (site, gateway, source, place, kind, aspect, mmsi)
) STRICT;

CREATE INDEX series_by_mmsi ON series (mmsi) WHERE mmsi != 0;

CREATE TABLE points (
    point_ref INTEGER PRIMARY KEY,
    stream_ref INTEGER NOT NULL REFERENCES streams,
    seq INTEGER NOT NULL,
    series_ref INTEGER NOT NULL REFERENCES series,
    observed_at_ns INTEGER NOT NULL,
    clock_state TEXT NOT NULL,
    clock_error_ms REAL,
    mono_ns INTEGER NOT NULL,
    boot_ref INTEGER NOT NULL REFERENCES boots,
    payload TEXT NOT NULL,
    raw TEXT,
    UNIQUE (stream_ref, seq)
) STRICT;

CREATE INDEX points_by_series_time ON points (series_ref, observed_at_ns);

-- What was acknowledged: written in the transaction of the points, read before every receipt.
CREATE TABLE ledger (
    stream_ref INTEGER NOT NULL REFERENCES streams,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    received_at_ns INTEGER NOT NULL,
    PRIMARY KEY (stream_ref, first_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
    stream_ref INTEGER NOT NULL REFERENCES streams,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    observed_at_ns INTEGER NOT NULL,
    PRIMARY KEY (stream_ref, first_seq)
) STRICT, WITHOUT ROWID;
