"""Stores a batch of which some numbers are known already, as ``merging_policy`` says, in the tables of the history.

One number for two observations is told by boot and monotonic time of the stored records.
"""

import json
import sqlite3
from collections.abc import Callable

from cloud_api.history import ranges, sqlite_coverage
from cloud_api.history.merging_policy import KnownNumbers, Merge, merge_batch
from cloud_api.history.models import CommitOutcome, SeqRange
from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record

# 500 numbers a batch at most, each one step in the index; a span could be the whole stream
_STORED = """
    SELECT points.seq, points.mono_ns, boots.boot_id FROM points JOIN boots USING (boot_ref)
    WHERE points.stream_ref = ? AND points.seq IN (SELECT value FROM json_each(?)) ORDER BY points.seq
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
    covered, ledger, expired = (
        sqlite_coverage.reaching(connection, table, stream_ref, span) for table in ("covered", "ledger", "expired")
    )
    merge = merge_batch(batch, KnownNumbers(ranges.runs(stored), covered, ledger, expired))
    insert_points(list(merge.new))
    _note(connection, stream_ref, merge, received_at_ns)
    sqlite_coverage.cover(connection, stream_ref, span)
    return merge.outcome


def _stored(connection: sqlite3.Connection, stream_ref: int, data: list[Record]) -> dict[int, tuple[int, str]]:
    rows = connection.execute(_STORED, (stream_ref, json.dumps([record.seq for record in data])))
    return {seq: (mono_ns, boot_id) for seq, mono_ns, boot_id in rows}


def _contradicts(record: Record, stored: tuple[int, str] | None) -> bool:
    return stored is not None and stored != (record.mono_ns, record.boot_id)


def _note(connection: sqlite3.Connection, stream_ref: int, merge: Merge, received_at_ns: int) -> None:
    """Take what was received out of the gaps, and note what is declared lost and what is acknowledged."""
    for run in merge.filled:
        for reason, numbers in sqlite_coverage.take_from_gaps(connection, stream_ref, run).items():
            sqlite_coverage.declare(connection, stream_ref, reason, -numbers)
    for gap in merge.lost:
        row = (stream_ref, gap.range.first_seq, gap.range.last_seq, gap.reason, gap.observed_at_ns)
        connection.execute(sqlite_coverage.INSERT_GAP, row)
        sqlite_coverage.declare(connection, stream_ref, gap.reason, gap.range.count())
    rows = [(stream_ref, one.first_seq, one.last_seq, received_at_ns) for one in merge.acknowledged]
    connection.executemany(sqlite_coverage.INSERT_LEDGER, rows)
