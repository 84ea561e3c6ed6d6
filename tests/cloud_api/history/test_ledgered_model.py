"""Any cuts, gaps, duplicates and order, by two workers with one ledger: sink and ledger hold what the model holds.

A worker may end after the sink and before the ledger; what it had in hand comes again, in another cut or to the other.
"""

import asyncio
import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import CHANGING, LedgeredWriter
from cloud_api.history.models import ReceivedBatch
from cloud_api.history.ranges import runs, total
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from contracts.batch import Batch
from contracts.records import Record
from tests.support.batches import START_NS, STREAM
from tests.support.cuts import Cut, cuts, make
from tests.support.history_simulator import HistorySimulator
from tests.support.operations_file import operations_file
from tests.support.sink_simulator import QuarantineSimulator, SinkSimulator

EXAMPLES = 1_500 if os.environ.get("PORTTRACK_WHOLE") == "1" else 12


class LedgerOfAnyCuts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.database = operations_file(Path(self.folder.name) / "operations.sqlite")
        self.sink = SinkSimulator()
        self.workers = [self.worker(), self.worker()]
        self.model = HistorySimulator()
        self.seen: list[Batch] = []

    def worker(self) -> LedgeredWriter:
        metrics = LedgeredMetrics(CollectorRegistry())
        return LedgeredWriter(self.sink, SqlStreamLedger(self.database), QuarantineSimulator(), metrics)

    @rule(group=st.lists(cuts, min_size=1, max_size=4), worker=st.integers(0, 1))
    def commit(self, group: list[Cut], worker: int) -> None:
        self.take([make(cut) for cut in group], worker)

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), worker=st.integers(0, 1))
    def send_again(self, data: st.DataObject, worker: int) -> None:
        self.take([data.draw(st.sampled_from(self.seen))], worker)

    @rule(group=st.lists(cuts, min_size=1, max_size=3), worker=st.integers(0, 1))
    def die_between_sink_and_ledger_and_send_again(self, group: list[Cut], worker: int) -> None:
        made = [make(cut) for cut in group]
        self.runner.run(self.only_sink([ReceivedBatch(item, START_NS) for item in made], worker))
        self.workers[worker] = self.worker()
        self.take(made, 1 - worker)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        known = self.model.numbers.get(STREAM, {})
        stored = sorted(seq for seq, what in known.items() if isinstance(what, Record))
        assert self.sink.numbers(STREAM) == stored
        reader = SqlLedgerReader(self.database)
        for balance in self.runner.run(reader.balances()):
            assert balance.covered == runs(sorted(known))
            assert balance.declared == Counter(what for what in known.values() if isinstance(what, str))
            assert balance.received() == len(stored)
            assert balance.accounted == total(balance.covered)
        for account in self.runner.run(reader.accounting()):
            assert (account.received, account.unbacked, account.doubles, account.drift) == (len(stored), [], [], [])

    def take(self, group: list[Batch], worker: int) -> None:
        items = [ReceivedBatch(item, START_NS) for item in group]
        assert self.runner.run(self.workers[worker].commit(items)) == asyncio.run(self.model.commit(items))
        self.seen += group

    async def only_sink(self, items: list[ReceivedBatch], worker: int) -> None:
        plans = await self.workers[worker]._ledger.plan(items)
        changing = [(index, plan) for index, plan in enumerate(plans) if plan.outcome in CHANGING]
        await self.workers[worker]._write(items, changing)

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()


TestLedgerOfAnyCuts = LedgerOfAnyCuts.TestCase
TestLedgerOfAnyCuts.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
