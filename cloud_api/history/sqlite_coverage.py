"""The running balance of a stream: which numbers are accounted for, and how many of them are declared lost.

Every function works inside the caller's transaction, so that records and balance are one commit.
"""

import sqlite3

from cloud_api.history.models import SeqRange

# ranges of a table are disjoint, so only the nearest one from below can reach into a range that begins above it
_NEAREST = "SELECT first_seq, last_seq FROM covered WHERE stream_ref = ? AND first_seq <= ? ORDER BY 1 DESC LIMIT 1"
_REACHING = {
    table: f"""
        SELECT first_seq, last_seq FROM {table} WHERE stream_ref = ?1 AND first_seq <= ?3 AND first_seq >= coalesce((
            SELECT max(first_seq) FROM {table} WHERE stream_ref = ?1 AND first_seq <= ?2), ?2)
            AND last_seq >= ?2 ORDER BY first_seq
    """  # noqa: S608 - names from this file, values bound
    for table in ("covered", "ledger", "expired")
}
_GAPS_REACHING = """
    SELECT first_seq, last_seq, reason, observed_at_ns FROM gaps
    WHERE stream_ref = ?1 AND first_seq <= ?3 AND first_seq >= coalesce((
        SELECT max(first_seq) FROM gaps WHERE stream_ref = ?1 AND first_seq <= ?2), ?2)
        AND last_seq >= ?2 ORDER BY first_seq
"""
INSERT_GAP = "INSERT INTO gaps (stream_ref, first_seq, last_seq, reason, observed_at_ns) VALUES (?, ?, ?, ?, ?)"
INSERT_LEDGER = "INSERT INTO ledger (stream_ref, first_seq, last_seq, received_at_ns) VALUES (?, ?, ?, ?)"
_DELETE_GAP = "DELETE FROM gaps WHERE stream_ref = ? AND first_seq = ?"
_DECLARE = """
    INSERT INTO declared (stream_ref, reason, numbers) VALUES (?, ?, ?)
    ON CONFLICT (stream_ref, reason) DO UPDATE SET numbers = numbers + excluded.numbers
"""
_EXTEND = "UPDATE covered SET last_seq = ? WHERE stream_ref = ? AND first_seq = ?"
_COVER = "INSERT INTO covered (stream_ref, first_seq, last_seq) VALUES (?, ?, ?)"
_UNCOVER = "DELETE FROM covered WHERE stream_ref = ? AND first_seq BETWEEN ? AND ?"


def nearest(connection: sqlite3.Connection, stream_ref: int, item: SeqRange) -> SeqRange | None:
    """Return the covered range that begins last at or below the number behind ``item``, None if there is none.

    If it ends below ``item``, no number of ``item`` is covered and nothing follows it closely.
    """
    row = connection.execute(_NEAREST, (stream_ref, item.last_seq + 1)).fetchone()
    return None if row is None else SeqRange(*row)


def append(connection: sqlite3.Connection, stream_ref: int, item: SeqRange, before: SeqRange | None) -> None:
    """Cover a range whose ``nearest`` is ``before`` and ends below it: the stream's end moves on, or jumps."""
    if before is not None and before.last_seq == item.first_seq - 1:
        connection.execute(_EXTEND, (item.last_seq, stream_ref, before.first_seq))
    else:
        connection.execute(_COVER, (stream_ref, item.first_seq, item.last_seq))


def cover(connection: sqlite3.Connection, stream_ref: int, item: SeqRange) -> None:
    """Note that every number of a range is accounted for, whatever is covered already."""
    # one number wider at each side: what only touches becomes one with it
    joined = reaching(connection, "covered", stream_ref, SeqRange(item.first_seq - 1, item.last_seq + 1))
    first_seq = min([item.first_seq, *(one.first_seq for one in joined[:1])])
    last_seq = max([item.last_seq, *(one.last_seq for one in joined[-1:])])
    connection.execute(_UNCOVER, (stream_ref, first_seq, last_seq))
    connection.execute(_COVER, (stream_ref, first_seq, last_seq))


def reaching(connection: sqlite3.Connection, table: str, stream_ref: int, item: SeqRange) -> list[SeqRange]:
    """Return the ranges of ``covered``, ``ledger`` or ``expired`` that share a number with ``item``, as they are."""
    rows = connection.execute(_REACHING[table], (stream_ref, item.first_seq, item.last_seq))
    return [SeqRange(*row) for row in rows]


def declare(connection: sqlite3.Connection, stream_ref: int, reason: str, numbers: int) -> None:
    """Add to the numbers declared lost for a reason; less than nothing takes away."""
    connection.execute(_DECLARE, (stream_ref, reason, numbers))


def take_from_gaps(connection: sqlite3.Connection, stream_ref: int, item: SeqRange) -> dict[str, int]:
    """Take the numbers of a range out of the declared gaps, and leave what is beside them declared.

    Returns:
        How many numbers were taken out, by reason. The sums of ``declare`` are the caller's business.
    """
    taken: dict[str, int] = {}
    rows = connection.execute(_GAPS_REACHING, (stream_ref, item.first_seq, item.last_seq)).fetchall()
    for first_seq, last_seq, reason, observed_at_ns in rows:
        connection.execute(_DELETE_GAP, (stream_ref, first_seq))
        rest = ((first_seq, item.first_seq - 1), (item.last_seq + 1, last_seq))
        pieces = [(stream_ref, a, b, reason, observed_at_ns) for a, b in rest if a <= b]
        connection.executemany(INSERT_GAP, pieces)
        inside = min(last_seq, item.last_seq) - max(first_seq, item.first_seq) + 1
        taken[reason] = taken.get(reason, 0) + inside
    return taken
