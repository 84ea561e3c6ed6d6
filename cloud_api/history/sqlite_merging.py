"""Stores a batch of which some numbers are known already: sent again in another cut, or declared lost before it came.

Rules: data wins over a declared gap, whichever came first; a number is never stored twice; a gap is noted only for
numbers that nobody has. So a gateway may declare more than it lost, and may send again in another cut after a crash.
What must not happen unseen is one number for two observations (a copied disk, two writers of a stream): it is told by
boot and monotonic time, which thinning and back-filled clocks leave alone, and the batch is then refused whole.
"""

import json
import sqlite3
from collections.abc import Callable

from cloud_api.history import ranges, sqlite_coverage
from cloud_api.history.models import CommitOutcome, SeqRange
from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record

# 500 numbers a batch at most, each one step in the index; a span could be the whole stream
_STORED = """
    SELECT points.seq, points.mono_ns, boots.boot_id FROM points JOIN boots USING (boot_ref)
    WHERE points.stream_ref = ? AND points.seq IN (SELECT value FROM json_each(?))
"""


def store_known(
    connection: sqlite3.Connection,
    stream_ref: int,
    batch: Batch,
    received_at_ns: int,
    insert_points: Callable[[list[Record]], None],
) -> CommitOutcome:
    """Store what a batch brings that is not stored; leaves points, gaps, ledger and coverage of its range whole.

    Args:
        connection: inside a transaction.
        stream_ref: number of its stream.
        batch: checked.
        received_at_ns: UTC ns.
        insert_points: stores records of the batch as points.

    Returns:
        ``COMMITTED`` where all of it was new, ``MERGED`` where some was, ``DUPLICATE`` where nothing was, or
        ``RANGE_CONFLICT`` where a number stands for another observation; then nothing was stored.
    """
    span = SeqRange(batch.first_seq, batch.last_seq)
    data = [record for record in batch.records if not isinstance(record.payload, Gap)]
    stored = _stored(connection, stream_ref, data)
    if any(_contradicts(record, stored.get(record.seq)) for record in data):
        return CommitOutcome.RANGE_CONFLICT
    expired = sqlite_coverage.reaching(connection, "expired", stream_ref, span)
    fresh = [record for record in data if record.seq not in stored]
    kept = ranges.subtract(ranges.runs(record.seq for record in fresh), expired)
    new = [record for record in fresh if any(run.first_seq <= record.seq <= run.last_seq for run in kept)]
    insert_points(new)
    for run in kept:
        for reason, numbers in sqlite_coverage.take_from_gaps(connection, stream_ref, run).items():
            sqlite_coverage.declare(connection, stream_ref, reason, -numbers)
    covered = sqlite_coverage.reaching(connection, "covered", stream_ref, span)
    lost = _declare(connection, stream_ref, batch, covered)
    known = [*sqlite_coverage.reaching(connection, "ledger", stream_ref, span), *expired]
    _acknowledge(connection, stream_ref, ranges.subtract([span], ranges.merge(known)), received_at_ns)
    sqlite_coverage.cover(connection, stream_ref, span)
    if not new and not lost:
        return CommitOutcome.DUPLICATE
    return CommitOutcome.COMMITTED if len(new) + lost == span.count() else CommitOutcome.MERGED


def _stored(connection: sqlite3.Connection, stream_ref: int, data: list[Record]) -> dict[int, tuple[int, str]]:
    rows = connection.execute(_STORED, (stream_ref, json.dumps([record.seq for record in data])))
    return {seq: (mono_ns, boot_id) for seq, mono_ns, boot_id in rows}


def _contradicts(record: Record, stored: tuple[int, str] | None) -> bool:
    return stored is not None and stored != (record.mono_ns, record.boot_id)


def _declare(connection: sqlite3.Connection, stream_ref: int, batch: Batch, covered: list[SeqRange]) -> int:
    """Note the batch's gaps where nothing is known; returns how many numbers."""
    lost = 0
    for record in batch.records:
        if isinstance(record.payload, Gap):
            pieces = ranges.subtract([SeqRange(record.seq, record.last_seq())], covered)
            reason = record.payload.reason
            rows = [(stream_ref, one.first_seq, one.last_seq, reason, record.observed_at_ns) for one in pieces]
            connection.executemany(sqlite_coverage.INSERT_GAP, rows)
            if pieces:
                sqlite_coverage.declare(connection, stream_ref, reason, ranges.total(pieces))
                lost += ranges.total(pieces)
    return lost


def _acknowledge(connection: sqlite3.Connection, stream_ref: int, new: list[SeqRange], received_at_ns: int) -> None:
    rows = [(stream_ref, one.first_seq, one.last_seq, received_at_ns) for one in new]
    connection.executemany(sqlite_coverage.INSERT_LEDGER, rows)
