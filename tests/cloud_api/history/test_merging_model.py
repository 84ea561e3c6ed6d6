"""Any cuts, gaps, duplicates and order of one stream's numbers: the history holds exactly what the model holds.

The model knows each number: received, declared lost and why, or nothing. Retention and a new start come in between.
"""

import asyncio
import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloud_api.history import sqlite_queries
from cloud_api.history.accounting_policy import account
from cloud_api.history.models import ReceivedBatch
from cloud_api.history.ranges import runs, total
from cloud_api.history.sqlite_balances import balances
from cloud_api.history.sqlite_database import open_for_reading
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from contracts.records import Record
from tests.support.batches import START_NS, STREAM
from tests.support.cuts import Cut, cuts, make
from tests.support.history_simulator import HistorySimulator

PLENTY = 2**40
EXAMPLES = 5_000 if os.environ.get("PORTTRACK_WHOLE") == "1" else 60


class HistoryOfAnyCuts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "history.sqlite"
        self.writer = SqliteHistoryWriter(self.path)
        self.model = HistorySimulator()
        self.seen: list[Batch] = []
        self.now_ns = START_NS

    @rule(group=st.lists(cuts, min_size=1, max_size=4))
    def commit(self, group: list[Cut]) -> None:
        self.take([make(cut) for cut in group])

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        self.take([data.draw(st.sampled_from(self.seen))])

    @rule()
    def reopen(self) -> None:
        asyncio.run(self.writer.close())
        self.writer = SqliteHistoryWriter(self.path)

    @rule(share=st.floats(0, 0.5))
    def expire(self, share: float) -> None:
        before_ns = START_NS + int((self.now_ns - START_NS) * share)
        closed = self.ledger(before_ns)
        asyncio.run(self.writer.expire(before_ns, PLENTY))
        self.model.expired.setdefault(STREAM, set()).update(closed)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        connection = open_for_reading(self.path)
        stored = {point.seq for point in sqlite_queries.stored_points(connection, None)}
        gaps = connection.execute("SELECT first_seq, last_seq, reason FROM gaps").fetchall()
        evidence = sqlite_queries.evidence(connection)
        running = balances(connection)
        connection.close()
        known, closed = self.model.numbers.get(STREAM, {}), self.model.expired.get(STREAM, set())
        assert stored == {seq for seq, what in known.items() if isinstance(what, Record)} - closed
        lost = {seq: reason for first, last, reason in gaps for seq in range(first, last + 1)}
        assert lost == {seq: what for seq, what in known.items() if isinstance(what, str) and seq not in closed}
        for item in map(account, evidence):
            assert (item.unbacked, item.doubles, item.drift) == ([], [], []), item
        for balance in running:
            assert balance.covered == runs(sorted(known))
            assert balance.declared == Counter(what for what in known.values() if isinstance(what, str))
            assert balance.accounted == total(balance.covered)

    def take(self, group: list[Batch]) -> None:
        self.now_ns += 1_000
        items = [ReceivedBatch(item, self.now_ns) for item in group]
        assert asyncio.run(self.writer.commit(items)) == asyncio.run(self.model.commit(items))
        self.seen += group

    def ledger(self, before_ns: int) -> set[int]:
        connection = open_for_reading(self.path)
        rows = connection.execute("SELECT first_seq, last_seq FROM ledger WHERE received_at_ns < ?", (before_ns,))
        found = {seq for first, last in rows.fetchall() for seq in range(first, last + 1)}
        connection.close()
        return found

    def teardown(self) -> None:
        asyncio.run(self.writer.close())
        self.folder.cleanup()


TestHistoryOfAnyCuts = HistoryOfAnyCuts.TestCase
TestHistoryOfAnyCuts.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
