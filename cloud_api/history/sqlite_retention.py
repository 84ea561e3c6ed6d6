"""Takes the oldest batches out of the history, a few at a time, and remembers which ranges they were.

A batch goes whole: its records, its gaps and its ledger row, in one transaction with the range that says so. The
balance of a stream therefore still closes, and a batch that a gateway sends again is still known as received. What the
minutes of its sensors were like is written in the same transaction (``sqlite_rollups``).
"""

import sqlite3
from dataclasses import dataclass

from cloud_api.history.models import SeqRange
from cloud_api.history.sqlite_coverage import take_from_gaps
from cloud_api.history.sqlite_rollups import Rollups, expire_rollups

MAX_BATCHES = 40
"""Batches a transaction: some 8,000 records, a tenth of a second, so that commits of new batches hardly wait."""
ROLLUP_SHARE = 4
"""Summed-up minutes take at most this part of the bytes that the history may use: the fourth."""

_OLDEST = "SELECT stream_ref, first_seq, last_seq FROM ledger WHERE received_at_ns < ? ORDER BY received_at_ns LIMIT ?"
_OLDEST_TIME = "SELECT received_at_ns FROM ledger ORDER BY received_at_ns LIMIT 1 OFFSET ?"
_ADJOINING = """
    SELECT first_seq, last_seq, declared FROM expired
    WHERE stream_ref = ? AND first_seq <= ? ORDER BY first_seq DESC LIMIT 1
"""
_FOLLOWING = "SELECT last_seq, declared FROM expired WHERE stream_ref = ? AND first_seq = ?"
_REMEMBER = "INSERT OR REPLACE INTO expired (stream_ref, first_seq, last_seq, declared) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class Expiry:
    """What one step took away (batches, their records, summed-up minutes), and the bytes in use after it."""

    batches: int
    records: int
    minutes: int
    used_bytes: int


def expire_some(connection: sqlite3.Connection, before_ns: int, max_bytes: int, minutes_before_ns: int) -> Expiry:
    """Take away at most ``MAX_BATCHES`` batches and some minutes in one transaction.

    Args:
        connection: open for writing, no transaction running.
        before_ns: batches received before it are too old, UTC ns.
        max_bytes: while the history uses more, its oldest batches go whatever their age.
        minutes_before_ns: summed-up minutes before it are too old, UTC ns.
    """
    if used_bytes(connection) > max_bytes:
        oldest = connection.execute(_OLDEST_TIME, (MAX_BATCHES,)).fetchone()
        before_ns = max(before_ns, oldest[0] if oldest else before_ns)
    records = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = connection.execute(_OLDEST, (before_ns, MAX_BATCHES)).fetchall()
        rollups = Rollups(connection, minutes_before_ns)
        for stream_ref, first_seq, last_seq in rows:
            rollups.take(stream_ref, first_seq, last_seq)
            records += _expire(connection, stream_ref, first_seq, last_seq)
        rollups.write()
        minutes = expire_rollups(connection, minutes_before_ns, max_bytes // ROLLUP_SHARE)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return Expiry(len(rows), records, minutes, used_bytes(connection))


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of pages in use; pages that expiry has freed are used again before the file grows."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _expire(connection: sqlite3.Connection, stream_ref: int, first_seq: int, last_seq: int) -> int:
    span = (stream_ref, first_seq, last_seq)
    done = connection.execute("DELETE FROM points WHERE stream_ref = ? AND seq BETWEEN ? AND ?", span)
    declared = sum(take_from_gaps(connection, stream_ref, SeqRange(first_seq, last_seq)).values())
    connection.execute("DELETE FROM ledger WHERE stream_ref = ? AND first_seq = ?", span[:2])
    before = connection.execute(_ADJOINING, (stream_ref, first_seq)).fetchone()
    if before is not None and before[1] == first_seq - 1:
        first_seq, declared = before[0], declared + before[2]
    after = connection.execute(_FOLLOWING, (stream_ref, last_seq + 1)).fetchone()
    if after is not None:
        connection.execute("DELETE FROM expired WHERE stream_ref = ? AND first_seq = ?", (stream_ref, last_seq + 1))
        last_seq, declared = after[0], declared + after[1]
    connection.execute(_REMEMBER, (stream_ref, first_seq, last_seq, declared))
    return done.rowcount
