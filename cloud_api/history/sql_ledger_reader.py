"""Reads the ledger: the running balance of every stream, and the check of its tables against each other."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import sqlalchemy as sa

from cloud_api.history.accounting_policy import account
from cloud_api.history.models import SeqRange, StreamAccount, StreamBalance, StreamEvidence
from cloud_api.history.ranges import merge, subtract, total
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import ledger_covered, ledger_declared, ledger_gaps, ledger_streams

MAX_COVERED = 1_000
"""Ranges read a stream: a backlog being drained is a few; what has more holes is in trouble enough to say so."""

Item = TypeVar("Item")


class SqlLedgerReader:
    """``BalanceReader`` and the accounts of streams whose records lie in a sink.

    Args:
        database: migrated.
    """

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def balances(self) -> list[StreamBalance]:
        """Return the running balance of every stream that has received anything, by id.

        Raises:
            LinkError: the database cannot be read now.
        """
        covered = ledger_covered.c
        ranked = sa.select(
            covered.stream_ref, covered.first_seq, covered.last_seq,
            sa.func.row_number().over(partition_by=covered.stream_ref, order_by=covered.first_seq).label("rank"),
        ).subquery()  # fmt: skip
        lowest = sa.select(ranked).where(ranked.c.rank <= MAX_COVERED).order_by(ranked.c.stream_ref, ranked.c.first_seq)
        sums = sa.select(
            covered.stream_ref, sa.func.max(covered.last_seq), sa.func.count(),
            sa.func.sum(covered.last_seq - covered.first_seq + 1),
        ).group_by(covered.stream_ref)  # fmt: skip
        async with self._database.reading("read balances") as connection:
            streams = list(await connection.execute(sa.select(ledger_streams).order_by(ledger_streams.c.stream_id)))
            totals = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in await connection.execute(sums)}
            ranges = _by_stream((row[0], SeqRange(row[1], row[2])) for row in await connection.execute(lowest))
            declared = _by_stream(
                (row.stream_ref, (row.reason, row.numbers))
                for row in await connection.execute(sa.select(ledger_declared).where(ledger_declared.c.numbers > 0))
            )
        found = []
        for row in streams:
            if row.stream_ref in totals:
                max_seq, count, accounted = totals[row.stream_ref]
                reasons = dict(sorted(declared[row.stream_ref]))
                held = ranges[row.stream_ref]
                is_cut = count > MAX_COVERED
                found.append(StreamBalance(row.stream_id, max_seq, accounted, reasons, held, is_cut=is_cut))
        return found

    async def accounting(self) -> list[StreamAccount]:
        """Return the balance of every stream, by id, from whole tables.

        The stored numbers are those that are accounted for and not declared lost; the running sums are held against
        them. What the sink itself holds is another witness, and is asked by whoever has its reader.

        Raises:
            LinkError: the database cannot be read now.
        """
        async with self._database.reading("read accounts") as connection:
            streams = list(await connection.execute(sa.select(ledger_streams).order_by(ledger_streams.c.stream_id)))
            covered, gaps = [
                _by_stream(
                    (row.stream_ref, SeqRange(row.first_seq, row.last_seq))
                    for row in await connection.execute(
                        sa.select(table).order_by(table.c.stream_ref, table.c.first_seq)
                    )
                )
                for table in (ledger_covered, ledger_gaps)
            ]
            declared = _by_stream(
                (row.stream_ref, row.numbers) for row in await connection.execute(sa.select(ledger_declared))
            )
        return [
            _account(one.stream_id, one.received, covered[ref], gaps[ref], declared[ref])
            for one in streams
            for ref in (one.stream_ref,)
        ]


def _account(
    stream_id: str, received: int, covered: list[SeqRange], gaps: list[SeqRange], declared: list[int]
) -> StreamAccount:
    stored = subtract(covered, gaps)
    found = account(StreamEvidence(stream_id, stored, gaps, covered, covered=covered, declared=sum(declared)))
    if merge(covered) != covered:
        found.drift.append("accounted ranges overlap or touch")
    if received != total(stored):
        found.drift.append(f"running sum of received records says {received}, the ranges {total(stored)}")
    return found


def _by_stream(rows: Iterable[tuple[int, Item]]) -> defaultdict[int, list[Item]]:
    found: defaultdict[int, list[Item]] = defaultdict(list)
    for stream_ref, item in rows:
        found[stream_ref].append(item)
    return found
