-- History, version 3: the running balance of each stream, written in the transaction of the records; what was thinned
-- and what was back-filled is told from what was observed.

-- Numbers accounted for: received, declared lost, or taken away by retention; ascending, disjoint, never touching. A
-- stream that arrives in order is one row whatever its length, so that what is missing is found without counting.
CREATE TABLE covered (
    stream_ref INTEGER NOT NULL REFERENCES streams,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (stream_ref, first_seq)
) STRICT, WITHOUT ROWID;

-- How many of them are declared lost and were not received after all. Received is the rest.
CREATE TABLE declared (
    stream_ref INTEGER NOT NULL REFERENCES streams,
    reason TEXT NOT NULL,
    numbers INTEGER NOT NULL,
    PRIMARY KEY (stream_ref, reason)
) STRICT, WITHOUT ROWID;

-- How many numbers of an expired range were declared lost; before this version it was not noted.
ALTER TABLE expired ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;

-- What a gateway says of a record that is not as it was observed: how many observations it is the mean of, and what the
-- clock had said before it was set.
ALTER TABLE points ADD COLUMN mean_of INTEGER NOT NULL DEFAULT 0;
ALTER TABLE points ADD COLUMN original_at_ns INTEGER;

-- Islands: a range begins a new one if it does not touch anything before it. The ledger stands for the points: it was
-- always written with them, and has a two hundredth of their rows.
INSERT INTO covered (stream_ref, first_seq, last_seq)
SELECT stream_ref, min(first_seq), max(last_seq)
FROM (
    SELECT stream_ref, first_seq, last_seq,
           sum(begins) OVER (PARTITION BY stream_ref ORDER BY first_seq, last_seq) AS island
    FROM (
        SELECT stream_ref, first_seq, last_seq,
               first_seq > 1 + coalesce(
                   max(last_seq) OVER (
                       PARTITION BY stream_ref ORDER BY first_seq, last_seq
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ), -1) AS begins
        FROM (
            SELECT stream_ref, first_seq, last_seq FROM ledger
            UNION ALL
            SELECT stream_ref, first_seq, last_seq FROM expired
        )
    )
)
GROUP BY stream_ref, island;

INSERT INTO declared (stream_ref, reason, numbers)
SELECT stream_ref, reason, sum(last_seq - first_seq + 1) FROM gaps GROUP BY stream_ref, reason;
