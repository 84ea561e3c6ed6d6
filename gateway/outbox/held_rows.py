"""Reads which numbers of a stream lie in the database, without reading the batches of a backlog of gigabytes.

The rows lie among their data, the index of ranges by itself, but it has only first numbers. Batches never overlap, so
that each ends at the latest before the next; where that alone gives as many numbers as the stream's own total, every
batch does end there. Else the rows have to be read.
"""

import sqlite3
from collections.abc import Iterator

from contracts.limits import MAX_BATCH_RECORDS
from gateway.outbox import tables
from gateway.outbox.held import HeldRanges, Range


def read_held(db: sqlite3.Connection, stream: int, next_seq: int, records: int) -> HeldRanges:
    """Return which numbers of a stream lie here.

    Args:
        db: the database.
        stream: key of the stream.
        next_seq: number that its next record gets.
        records: how many numbers lie here by the stream's own total.
    """
    first_seq = tables.first_number(db, stream)
    if first_seq is not None and next_seq - first_seq == records:
        return HeldRanges([(first_seq, next_seq - 1)])
    found = HeldRanges(_by_index(db, stream))
    return found if found.total() == records else HeldRanges(tables.ranges(db, stream))


def _by_index(db: sqlite3.Connection, stream: int) -> Iterator[Range]:
    """Yield the ranges of batches, each up to the next one unless no batch of records is that long."""
    before: int | None = None
    for (first_seq,) in db.execute("SELECT first_seq FROM batches WHERE stream = ? ORDER BY first_seq", (stream,)):
        if before is not None:
            is_next = first_seq - before <= MAX_BATCH_RECORDS
            yield before, first_seq - 1 if is_next else tables.last_number(db, stream, before)
        before = first_seq
    if before is not None:
        yield before, tables.last_number(db, stream, before)
