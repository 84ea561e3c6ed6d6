"""What is found wrong beside a transaction: the writer's thread lives on, and its callers get their answers."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import LinkError
from contracts.payloads import Log
from contracts.records import Clock, ClockState, Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import tables
from gateway.outbox.bounds import limits_of
from gateway.outbox.job import Job
from gateway.outbox.salvage import rescue
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from gateway.outbox.writer import Writer
from tests.support.gateway_records import GATEWAY, SITE, ManualClock

ANSWER_S = 10.0


class Bench:
    """A writer on a database of its own."""

    def __init__(self, folder: Path) -> None:
        clock, settings = ManualClock(), OutboxSettings()
        self.clock = clock
        path = folder / "outbox.db"
        limits = limits_of(settings, path, clock)
        self.counters = Counters()
        self.writer = Writer(path, (SITE, GATEWAY), SealingPolicy(500, 60), limits, 0.0, clock, self.counters)
        self.no = 0
        self.writer.start()

    def append(self) -> int:
        item = Observation(1, Clock(ClockState.NTP), 1, "boot1", "a", Log(level="info", event="event"))
        self.no = self.do(lambda store: store.append("a", "r", self.no + 1, [item]))
        return self.no

    def do(self, run: object) -> int:
        job: Job[int] = Job(run=run, is_write=True, is_append=True, is_urgent=True)  # type: ignore[arg-type]
        self.writer.submit(job)
        return job.future.result(ANSWER_S)

    def end(self) -> bool:
        self.writer.submit(Job(run=Store.seal_all, is_write=True, is_append=True, is_last=True))
        return self.writer.join(ANSWER_S)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    assert made.end(), "the thread has not ended"


def damage() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


@pytest.mark.parametrize("error", [damage(), ValueError("not a number")])
def test_what_the_mark_runs_into_is_told_by_the_next_transaction(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A page of the index is damaged where only the mark reads it: the commit before is answered all the same."""
    bench.append()

    def fails(_: Store) -> object:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Store, "numbers", fails)
        assert bench.append() == 2
    with pytest.raises(LinkError):
        bench.append()
    assert bench.append() == 3
    assert bench.counters.total("databases_set_aside") == 1


def test_a_mark_that_cannot_be_read_now_refuses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Store) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "numbers", fails)
        assert bench.append() == 1
    assert bench.append() == 2
    assert bench.counters.total("databases_set_aside") == 0


def test_a_salvage_that_the_disk_does_not_take_leaves_the_thread_alive(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage is found on a disk that is full at this moment: the new database cannot be made."""
    bench.append()

    def damaged(_: Store) -> int:
        raise damage()

    def full(path: Path) -> sqlite3.Connection:
        raise LinkError("open outbox", str(path), "database or disk is full", "", "disk")

    with monkeypatch.context() as patch:
        patch.setattr(rescue, "open_database", full)
        with pytest.raises(LinkError):
            bench.do(damaged)
    assert bench.append() == 2


def test_a_rollback_that_cannot_read_is_made_up_for_and_does_not_spin(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that neither takes nor gives anything for a while: what is in memory is read anew once it does."""
    bench.append()
    asked = 0

    def unreadable(_: sqlite3.Connection) -> object:
        nonlocal asked
        asked += 1
        raise sqlite3.OperationalError("disk I/O error")

    def fails(_: Store) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(tables, "stream_rows", unreadable)
        with pytest.raises(LinkError):
            bench.do(fails)
        bench.clock.now_s += 1000  # what lies open is long due
        time.sleep(1.5)
        assert asked <= 6
        with pytest.raises(LinkError):
            bench.append()
    assert bench.append() == 2
    assert bench.do(lambda store: len(store.numbers())) == 1
