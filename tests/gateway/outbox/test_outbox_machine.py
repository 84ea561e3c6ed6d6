"""The outbox against a list: whatever happens, in whatever order, nothing is lost and nothing counted twice."""

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.codec import decode_batch
from contracts.errors import PeerError
from contracts.payloads import Gap
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation, RecordClass, class_of
from gateway.counters import Counters
from gateway.outbox import tables
from gateway.outbox.database import open_database
from gateway.outbox.migration import migrate
from gateway.outbox.models import Lane
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, ais, crane_cycle, limits, log_line, wind

MAKERS = {"track": ais, "telemetry": wind, "crane_cycle": crane_cycle, "log": log_line}


class OutboxMachine(RuleBasedStateMachine):
    """Model: by class, the observation of each number; which numbers the cloud has; those set aside."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.made = 0
        self.now = 0.0
        self.is_hungry = False
        self.sent: dict[tuple[str, int], int] = {}
        self.produced: dict[RecordClass, list[Observation]] = {name: [] for name in RecordClass}
        self.in_cloud: dict[RecordClass, dict[int, Observation]] = {name: {} for name in RecordClass}
        self.declared: dict[RecordClass, set[int]] = {name: set() for name in RecordClass}
        self.set_aside: dict[RecordClass, set[int]] = {name: set() for name in RecordClass}
        self.runs: dict[str, int] = {"a": 0, "b": 0}
        self.unanswered: dict[str, list[Observation]] = {"a": [], "b": []}
        self.reopen()

    def reopen(self) -> None:
        self.db = open_database(self.path)
        migrate(self.db, (SITE, GATEWAY), Quarantine(self.path.with_name("outbox.quarantine")))
        self.db.execute("PRAGMA synchronous = OFF")  # a closed connection is the crash here, not a power cut
        self.sealing = SealingPolicy(5, 1.0)
        self.sealing.is_hungry = self.is_hungry
        quarantine = Quarantine(self.path.with_name("outbox.quarantine"))
        self.store = Store(self.db, (SITE, GATEWAY), self.sealing, limits(), quarantine, Counters())
        self.store.reload(0)

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            self.folder.cleanup()

    def make(self, kinds: list[str]) -> list[Observation]:
        made = []
        for kind in kinds:
            self.made += 1
            made.append(MAKERS[kind](self.made))
        return made

    @rule(
        run=st.sampled_from(["a", "b"]),
        kinds=st.lists(st.sampled_from(list(MAKERS)), min_size=1, max_size=12),
        fate=st.sampled_from(["committed", "answer lost", "crash before commit"]),
    )
    def driver_sends(self, run: str, kinds: list[str], fate: str) -> None:
        """A driver sends what it has no answer for, and something new."""
        items = self.unanswered[run] + self.make(kinds)
        last_no = self.runs[run] + len(items)
        self.db.execute("BEGIN IMMEDIATE")
        before = self.store.stored_no("ais", run)
        assert self.store.append("ais", run, last_no, items) == last_no
        self.store.flush(self.now)
        if fate == "crash before commit":
            self.db.close()
            self.reopen()
            assert self.store.stored_no("ais", run) == before
            self.unanswered[run] = items
            return
        self.commit()
        for item in items[before - self.runs[run] :]:
            self.produced[class_of(item.payload)].append(item)
        if fate == "answer lost":
            self.unanswered[run] = items
        else:
            self.unanswered[run] = []
            self.runs[run] = last_no

    def commit(self) -> None:
        self.store.flush(self.now)
        self.db.execute("COMMIT")
        self.store.committed(self.now)

    @rule(is_hungry=st.booleans())
    def uplink_turns(self, *, is_hungry: bool) -> None:
        """While it is hungry commits are sealed, else they lie open and are joined."""
        self.is_hungry = self.sealing.is_hungry = is_hungry

    @rule(passed_s=st.sampled_from([0.0, 0.4, 2.0, 30.0]))
    def time_passes(self, passed_s: float) -> None:
        """What lies open is joined by its age; what is live becomes backlog."""
        self.now += passed_s
        self.db.execute("BEGIN IMMEDIATE")
        self.commit()

    @rule()
    def seal(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.store.seal_all()
        self.commit()

    @rule(
        lane=st.sampled_from(list(Lane)),
        limit=st.integers(1, 4),
        outcome=st.sampled_from(list(Outcome)),
        is_receipt_lost=st.booleans(),
        repeats=st.integers(1, 2),
    )
    def cloud_answers(self, lane: Lane, limit: int, outcome: Outcome, *, is_receipt_lost: bool, repeats: int) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        given = self.store.next_batches(lane, frozenset(), limit, 10**6, 0)
        self.commit()
        for stored in given:
            assert stored.lane is lane
            batch = decode_batch(stored.data)
            if not all(isinstance(record.payload, Gap) for record in batch.records):
                # records that were sent once are never cut anew; declarations may be joined (ADR 0107)
                assert self.sent.setdefault((stored.stream_id, stored.first_seq), stored.last_seq) == stored.last_seq
            name = batch.record_class
            if outcome is Outcome.COMMITTED:
                for record in batch.records:
                    if isinstance(record.payload, Gap):
                        self.declared[name].update(range(record.seq, record.last_seq() + 1))
                    else:
                        self.in_cloud[name].setdefault(record.seq, record)
            if is_receipt_lost:
                continue
            receipt = Receipt(
                outcome=outcome, stream_id=stored.stream_id, first_seq=stored.first_seq, last_seq=stored.last_seq,
                digest=stored.digest if outcome is Outcome.REFUSED else "",
            )  # fmt: skip
            for _ in range(repeats):
                self.db.execute("BEGIN IMMEDIATE")
                self.store.settle(receipt, None, 0)
                self.commit()
            if outcome is Outcome.REFUSED and all(isinstance(record.payload, Gap) for record in batch.records):
                # a cloud that refuses a declaration keeps the hole: nothing more can be said to it
                self.set_aside[name].update(range(stored.first_seq, stored.last_seq + 1))

    @rule()
    def power_cut(self) -> None:
        self.db.close()
        self.reopen()

    @precondition(lambda self: self.made > 20)
    @rule()
    def disk_is_full(self) -> None:
        """Give up what there is, as the cap would: thinned, dropped, neighbouring gaps joined."""
        self.store._pressure._limits = limits(max_bytes=1)
        self.db.execute("BEGIN IMMEDIATE")
        self.store.relieve()
        self.commit()
        self.store._pressure._limits = limits()

    @invariant()
    def every_number_is_accounted_for(self) -> None:
        if not hasattr(self, "db"):
            return
        for name in RecordClass:
            on_disk: dict[int, Observation | None] = {}
            query = "SELECT data FROM batches WHERE stream IN (SELECT id FROM streams WHERE class = ?) ORDER BY id"
            for (data,) in self.db.execute(query, (name.value,)).fetchall():
                for record in decode_batch(data).records:
                    for seq in range(record.seq, record.last_seq() + 1):
                        assert seq not in on_disk
                        on_disk[seq] = None if isinstance(record.payload, Gap) else record
            known = set(on_disk) | set(self.in_cloud[name]) | self.declared[name] | self.set_aside[name]
            assert known == set(range(1, len(self.produced[name]) + 1))
            for seq, item in on_disk.items():
                assert item is None or item.payload == self.produced[name][seq - 1].payload
            for seq, item in self.in_cloud[name].items():
                assert item.payload == self.produced[name][seq - 1].payload
            self.check_totals(name, len(on_disk))

    def check_totals(self, name: RecordClass, records: int) -> None:
        row = self.db.execute("SELECT next_seq, records, bytes FROM streams WHERE class = ?", (name.value,)).fetchone()
        query = (
            "SELECT ifnull(sum(length(data)), 0) FROM batches WHERE stream IN (SELECT id FROM streams WHERE class = ?)"
        )
        (size,) = self.db.execute(query, (name.value,)).fetchone()
        assert (row or (1, 0, 0)) == (len(self.produced[name]) + 1, records, size)


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_without_the_stored_number_a_resend_would_be_stored_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: the machine finds it when the run's number is not kept."""
    monkeypatch.setattr(tables, "stored_no", lambda *_: 0)
    monkeypatch.setattr(tables, "remember_run", lambda *_: None)
    once = settings(max_examples=400, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    with pytest.raises((AssertionError, ExceptionGroup, PeerError)):
        run_state_machine_as_test(OutboxMachine, settings=once)


def test_without_the_transaction_a_crash_would_leave_half_an_append(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Mutation proof: in autocommit the records are there and the number of the run is not."""
    db = open_database(tmp_path / "outbox.db")
    migrate(db, (SITE, GATEWAY), Quarantine(tmp_path / "outbox.quarantine"))
    store = Store(
        db, (SITE, GATEWAY), SealingPolicy(5, 1), limits(),
        Quarantine(tmp_path / "outbox.quarantine"), Counters(),
    )  # fmt: skip
    store.reload(0)

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(tables, "remember_run", fail)
    store.append("ais", "r", 1, [ais(1)])
    with pytest.raises(sqlite3.OperationalError):
        store.flush(0)
    assert tables.newest_id(db) == 1
    assert tables.stored_no(db, "ais", "r") == 0
    db.close()
