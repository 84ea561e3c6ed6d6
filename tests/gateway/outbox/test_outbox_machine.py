"""The outbox against a list: whatever happens, in whatever order, no number goes unexplained.

``PORTTRACK_WHOLE=1``: 10,000 schedules.
"""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.counters import Counters
from gateway.outbox import tables
from gateway.outbox.database import open_database
from gateway.outbox.fallback import Fallback
from gateway.outbox.migration import migrate
from gateway.outbox.packing import BatchRow
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.shelf import Shelf
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, ais, limits
from tests.support.outbox_machine import OutboxMachine

pytestmark = pytest.mark.system  # hundreds of real databases, killed and opened again

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
SCHEDULES = 10_000 if IS_WHOLE else 100
STEPS = 30
PROOF = settings(
    max_examples=1500,
    stateful_step_count=STEPS,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
)


def test_no_schedule_leaves_a_number_unexplained() -> None:
    OutboxMachine.statistics.clear()
    asked = settings(max_examples=SCHEDULES, stateful_step_count=STEPS, deadline=None, database=None)
    run_state_machine_as_test(OutboxMachine, settings=asked)
    print(json.dumps({"outbox_schedules": dict(OutboxMachine.statistics) | {"unexplained": 0}}))  # noqa: T201 - the figures
    assert OutboxMachine.statistics["schedules"] >= SCHEDULES


def test_what_was_declared_of_a_lost_memory_outlives_a_torn_log() -> None:
    """A schedule that was found: memory went with the process twice, and the log was cut behind its declaration."""
    machine = OutboxMachine()
    machine.begin(may_be_damaged=True)
    for event, seed in (("disk_fails", 1), ("gateway_restarts", 0), ("disk_fails", 1), ("files_are_damaged", 52)):
        machine.happens(event=event, seed=seed)
        if event == "disk_fails":
            machine.driver_sends(is_answer_lost=False, kinds=["alarm"], run="a")
            machine.happens(event="time_passes", seed=0)
        machine.every_number_is_explained()
    machine.teardown()


def refuted(*events: str) -> None:
    """Expect a machine of some events to trip over what was taken away, or to find a number unexplained."""
    machine = type("Machine", (OutboxMachine,), {"only": events})
    with pytest.raises((Exception, ExceptionGroup)):
        run_state_machine_as_test(machine, settings=PROOF)


def test_without_the_stored_number_a_resend_would_be_stored_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: the number of the run is not kept."""
    monkeypatch.setattr(tables, "remember_run", lambda *_: None)
    refuted("gateway_restarts", "time_passes")


def test_without_the_declaration_what_is_given_up_would_be_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: a batch that is refused for ever is set aside and not declared."""

    def refuse(self: Shelf, batch_id: int, row: BatchRow, reason: str, now_ns: int) -> bool:
        self._set_aside(row, reason, now_ns)
        self.remove(batch_id, row)
        return True

    monkeypatch.setattr(Shelf, "refuse", refuse)
    refuted("time_passes")


def test_without_the_exact_range_a_receipt_would_delete_what_was_never_received(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mutation proof: a receipt finds a batch by its first number alone."""
    real = tables.find_batch

    def find(db: sqlite3.Connection, stream: int, first_seq: int, last_seq: int) -> int | None:
        row = db.execute(
            "SELECT id FROM batches WHERE stream = ? AND first_seq >= ? ORDER BY first_seq", (stream, first_seq)
        ).fetchone()
        return real(db, stream, first_seq, last_seq) or (int(row[0]) if row else None)

    monkeypatch.setattr(tables, "find_batch", find)
    refuted("time_passes")


def test_without_the_rollback_a_failed_commit_would_number_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: what is held in memory of a transaction that failed is not read anew."""
    real = Store.reload
    monkeypatch.setattr(Store, "reload", lambda self, now: None if list(self._streams) else real(self, now))
    refuted("disk_fails", "disk_recovers")


def test_without_the_note_of_the_ring_what_a_kill_takes_would_be_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: the next process does not declare what was in memory."""
    monkeypatch.setattr(Fallback, "opened", lambda *_: None)
    refuted("disk_fails", "time_passes", "gateway_restarts")


def test_without_the_transaction_a_crash_would_leave_half_an_append(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Mutation proof: in autocommit the records are there and the number of the run is not."""
    db = open_database(tmp_path / "outbox.db")
    quarantine = Quarantine(tmp_path / "outbox.quarantine")
    migrate(db, (SITE, GATEWAY), quarantine)
    store = Store(db, (SITE, GATEWAY), SealingPolicy(5, 1), limits(), quarantine, Counters())
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
