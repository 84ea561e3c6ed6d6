"""The stream ledger on real SQLite and real PostgreSQL: workers that hold the same stream, and any cuts."""

import asyncio
import random
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from cloud_api.history import sql_ledger_rows
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange
from cloud_api.history.ranges import runs
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.operations.database import OperationsDatabase
from contracts.batch import Batch
from contracts.errors import LinkError
from contracts.records import Record
from tests.support.batches import START_NS, STREAM, batch
from tests.support.cuts import MAX_LENGTH, NUMBERS, REASONS, make
from tests.support.history_simulator import HistorySimulator
from tests.support.sink_simulator import QuarantineSimulator, SinkSimulator

pytestmark = pytest.mark.system

WORKERS = 3
STREAMS = [STREAM.replace("gw-1", f"gw-{n}") for n in range(4)]
BATCHES = 40
LENGTH = 10
SEEDS = 6


def worker(database: OperationsDatabase, sink: SinkSimulator) -> LedgeredWriter:
    metrics = LedgeredMetrics(CollectorRegistry())
    return LedgeredWriter(sink, SqlStreamLedger(database), QuarantineSimulator(), metrics)


async def commit_until_done(writer: LedgeredWriter, group: list[Batch]) -> list[CommitOutcome]:
    """As the store role: what cannot be committed now is tried again with the same."""
    while True:
        try:
            return await writer.commit([ReceivedBatch(item, START_NS) for item in group])
        except LinkError:
            await asyncio.sleep(random.uniform(0, 0.02))


async def contend(database: OperationsDatabase, sink: SinkSimulator) -> Counter[CommitOutcome]:
    """Let every worker commit every batch of every stream, each in an order and in groups of its own."""

    async def run(seed: int) -> Counter[CommitOutcome]:
        dice, writer = random.Random(seed), worker(database, sink)
        left = [batch(n * LENGTH + 1, (n + 1) * LENGTH, stream) for n in range(BATCHES) for stream in STREAMS]
        dice.shuffle(left)
        found = Counter[CommitOutcome]()
        while left:
            size = dice.randint(1, 16)
            group, left = left[:size], left[size:]
            found.update(await commit_until_done(writer, group))
        return found

    return sum(await asyncio.gather(*(run(seed) for seed in range(WORKERS))), Counter[CommitOutcome]())


async def test_workers_that_hold_the_same_batches_note_each_number_once(operations: OperationsDatabase) -> None:
    sink = SinkSimulator()
    async with asyncio.timeout(60):
        outcomes = await contend(operations, sink)
    total = BATCHES * len(STREAMS)
    assert outcomes == {CommitOutcome.COMMITTED: total, CommitOutcome.DUPLICATE: total * (WORKERS - 1)}
    reader = SqlLedgerReader(operations)
    for account in await reader.accounting():
        assert account.is_whole(), account
    for balance in await reader.balances():
        assert balance.covered == [SeqRange(1, BATCHES * LENGTH)]
        assert balance.received() == BATCHES * LENGTH
        assert sink.numbers(balance.stream_id) == list(range(1, BATCHES * LENGTH + 1))


@pytest.mark.parametrize("empty_operations", ["postgresql"], indirect=True)
async def test_without_the_lock_two_workers_would_note_the_same_numbers(
    operations: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: on PostgreSQL the row of the stream is what keeps workers apart; SQLite has one writer."""

    async def no_lock(*_: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(sql_ledger_rows, "lock_streams", no_lock)
    first, second = (SqlStreamLedger(operations) for _ in range(2))
    await first.commit([ReceivedBatch(batch(1, 10), START_NS)])
    again = [ReceivedBatch(batch(11, 20), START_NS)]
    opened = asyncio.Barrier(2)
    real = sql_ledger_rows.write_changes

    async def write_together(*args: object) -> None:
        await opened.wait()
        await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sql_ledger_rows, "write_changes", write_together)
    async with asyncio.timeout(20):
        results = await asyncio.gather(first.commit(again), second.commit(again), return_exceptions=True)
    assert [CommitOutcome.DUPLICATE] not in results
    assert results.count([CommitOutcome.COMMITTED]) == 2 or any(isinstance(one, LinkError) for one in results)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_any_cuts_leave_what_the_model_holds(operations: OperationsDatabase, seed: int) -> None:
    dice, sink, model = random.Random(seed), SinkSimulator(), HistorySimulator()
    workers = [worker(operations, sink) for _ in range(2)]
    for _ in range(25):
        cuts = [
            (
                dice.randint(1, NUMBERS),
                [dice.choice(["data", "data", *REASONS]) for _ in range(dice.randint(1, MAX_LENGTH))],
                dice.random() < 0.25,
            )
            for _ in range(dice.randint(1, 4))
        ]
        items = [ReceivedBatch(make(cut), START_NS) for cut in cuts]
        assert await dice.choice(workers).commit(items) == await model.commit(items)
    known = model.numbers[STREAM]
    reader = SqlLedgerReader(operations)
    (account,) = await reader.accounting()
    assert (account.unbacked, account.doubles, account.drift) == ([], [], [])
    (balance,) = await reader.balances()
    assert balance.covered == runs(sorted(known))
    assert balance.declared == Counter(what for what in known.values() if isinstance(what, str))
    stored = [seq for seq, what in sorted(known.items()) if isinstance(what, Record)]
    assert sink.numbers(STREAM) == stored
