-- History, version 5: what the minutes of fixed sensors were like, written as their records are taken away by retention
-- and kept longer than they. An observation is a point or part of a minute, never both.

CREATE TABLE rollups (
    series_ref INTEGER NOT NULL REFERENCES series,
    -- UTC minutes since 1970
    minute INTEGER NOT NULL,
    -- JSON: {channel: [count, lowest, sum, highest]}, of a direction [count, sum of sines, sum of cosines]
    channels TEXT NOT NULL,
    PRIMARY KEY (series_ref, minute)
) STRICT, WITHOUT ROWID;

CREATE INDEX rollups_by_minute ON rollups (minute);

-- Bytes of all of them, so that they can be kept within their share of the disk without counting.
CREATE TABLE rollup_size (size_bytes INTEGER NOT NULL) STRICT;
INSERT INTO rollup_size VALUES (0);

-- Fixed sensors by their name (see cloud_api.history.reading.SeriesId).
CREATE INDEX series_by_kind ON series (site, kind) WHERE mmsi = 0;
