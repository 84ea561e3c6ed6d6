-- History, version 2: ranges that were stored and that retention has taken away again, by age or by size.

CREATE TABLE expired (
    stream_ref INTEGER NOT NULL REFERENCES streams,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (stream_ref, first_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_by_time ON ledger (received_at_ns);
