"""Reads the running balance of every stream: a row a stream and one a hole, however long the history is."""

import sqlite3

from cloud_api.history.models import SeqRange, StreamBalance

MAX_COVERED = 1_000
"""Ranges read a stream: a backlog being drained is a few; what has more holes is in trouble enough to say so."""

_TOTALS = """
    SELECT streams.stream_ref, streams.stream_id, max(covered.last_seq),
           sum(covered.last_seq - covered.first_seq + 1), count(*)
    FROM streams JOIN covered USING (stream_ref) GROUP BY streams.stream_ref ORDER BY streams.stream_id
"""
_COVERED = "SELECT first_seq, last_seq FROM covered WHERE stream_ref = ? ORDER BY first_seq LIMIT ?"
_DECLARED = "SELECT reason, numbers FROM declared WHERE stream_ref = ? AND numbers > 0 ORDER BY reason"


def balances(connection: sqlite3.Connection) -> list[StreamBalance]:
    """Return the running balance of every stream that has one, by id."""
    found = []
    for stream_ref, stream_id, max_seq, accounted, ranges in connection.execute(_TOTALS).fetchall():
        declared = dict(connection.execute(_DECLARED, (stream_ref,)).fetchall())
        rows = connection.execute(_COVERED, (stream_ref, MAX_COVERED)).fetchall()
        covered = [SeqRange(*row) for row in rows]
        found.append(StreamBalance(stream_id, max_seq, accounted, declared, covered, is_cut=ranges > MAX_COVERED))
    return found
