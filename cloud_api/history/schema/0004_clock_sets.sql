-- History, version 4: when the boots of gateways first knew the time, so that records which came marked as unsynced can
-- be given theirs. The first word on a boot counts; a gateway that was cut off may say it twice.

CREATE TABLE clock_sets (
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    boot_ref INTEGER NOT NULL REFERENCES boots,
    mono_ns INTEGER NOT NULL,
    utc_ns INTEGER NOT NULL,
    error_ms REAL NOT NULL,
    source TEXT NOT NULL,
    drift_ppm REAL NOT NULL,
    -- 0 while points that came before it still wait for their time
    is_applied INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, gateway, boot_ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX clock_sets_open ON clock_sets (is_applied) WHERE is_applied = 0;

-- only what has no time yet: empty where every clock is set
CREATE INDEX points_unsynced ON points (boot_ref, mono_ns) WHERE clock_state = 'unsynced';
