"""The keeper over a store in memory: whom it tells, what trouble of the store does, and that it stops in time."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.tracking.lease_metrics import LeaseMetrics
from cloud_api.tracking.lease_policy import Answer, Ask, Change, LeasePolicy, Reason
from cloud_api.tracking.lease_service import LeaseKeeper, boot_s
from contracts.errors import LinkError

SITE = "puerto-demo"
LEASE_S = 3.0


class LeaseShelf:
    """``LeaseStore`` in memory."""

    def __init__(self) -> None:
        self.answers: dict[str, int | None] = {SITE: 1}
        self.asked: list[Ask] = []
        self.released: list[Change] = []
        self.is_failing = False
        self.is_answering = asyncio.Event()
        self.is_answering.set()

    async def ask(self, _holder: str, asks: Sequence[Ask], _lease_s: float) -> list[Answer]:
        if self.is_failing:
            raise LinkError("ask", "shelf", "gone", "", "database")
        self.asked += asks
        await self.is_answering.wait()
        return [Answer(ask.site, self.answers.get(ask.site), 1.0) for ask in asks]

    async def release(self, _holder: str, leases: Sequence[Change]) -> None:
        if self.is_failing:
            raise LinkError("release", "shelf", "gone", "", "database")
        self.released += leases


class KeeperBench:
    def __init__(self) -> None:
        self.shelf = LeaseShelf()
        self.registry = CollectorRegistry()
        self.now_s = 100.0
        policy = LeasePolicy(LEASE_S, [], lambda: 0.0)
        metrics = LeaseMetrics(self.registry)
        self.keeper = LeaseKeeper(policy, self.shelf, "me", LEASE_S, metrics, lambda: self.now_s)
        self.changes: list[Change] = []
        self.keeper.listen(self.changes.append)
        self.keeper.hear(SITE)

    async def turn(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        await self.keeper.turn()

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def bench() -> KeeperBench:
    return KeeperBench()


async def test_taking_and_losing_are_told_logged_and_shown(bench: KeeperBench) -> None:
    with capture_logs() as logs:
        await bench.turn()
        bench.shelf.answers[SITE] = None
        await bench.turn(1.0)
    assert [change.reason for change in bench.changes] == [Reason.TAKEN, Reason.REFUSED]
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("track_lease_taken", "info"),
        ("track_lease_lost", "warning"),
    ]
    assert bench.figure("track_lease_held", site=SITE) == 0
    assert bench.figure("track_lease_epoch", site=SITE) == 1
    assert bench.figure("track_lease_changes_total", site=SITE, reason="refused") == 1


async def test_a_stopped_process_believes_nothing_when_it_goes_on(bench: KeeperBench) -> None:
    await bench.turn()
    assert bench.keeper.epoch(SITE) == 1
    bench.now_s += 20.0
    assert bench.keeper.epoch(SITE) is None, "before it has done anything else"
    await bench.turn()
    assert [change.reason for change in bench.changes][:2] == [Reason.TAKEN, Reason.EXPIRED]


async def test_a_database_that_is_gone_costs_the_lease_and_is_told_once(bench: KeeperBench) -> None:
    await bench.turn()
    bench.shelf.is_failing = True
    with capture_logs() as logs:
        for _ in range(5):
            await bench.turn(1.0)
    assert bench.keeper.epoch(SITE) is None
    assert [entry["event"] for entry in logs] == ["track_lease_unreachable", "track_lease_lost"]
    assert bench.figure("track_lease_errors_total", reason="database") == 5
    bench.shelf.is_failing = False
    with capture_logs() as logs:
        await bench.turn(1.0)
    assert [entry["event"] for entry in logs] == ["track_lease_reachable_again", "track_lease_taken"]


async def test_one_failure_costs_nothing(bench: KeeperBench) -> None:
    await bench.turn()
    bench.shelf.is_failing = True
    await bench.turn(1.0)
    bench.shelf.is_failing = False
    await bench.turn(1.0)
    assert bench.keeper.epoch(SITE) == 1
    assert [change.reason for change in bench.changes] == [Reason.TAKEN]


async def test_at_the_end_leases_are_given_back_and_none_is_taken(bench: KeeperBench) -> None:
    await bench.turn()
    await bench.keeper.release()
    assert bench.shelf.released == [Change(SITE, 1, Reason.RELEASED)]
    asked = len(bench.shelf.asked)
    await bench.turn(5.0)
    assert len(bench.shelf.asked) == asked
    await bench.keeper.release()
    assert len(bench.shelf.released) == 1


async def test_what_is_answered_during_the_end_is_given_back_too(bench: KeeperBench) -> None:
    bench.shelf.is_answering.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.turn())
        await asyncio.sleep(0)
        group.create_task(bench.keeper.release())
        await asyncio.sleep(0)
        bench.shelf.is_answering.set()
    assert [change.reason for change in bench.changes] == [Reason.TAKEN, Reason.RELEASED]
    assert bench.shelf.released == [Change(SITE, 1, Reason.RELEASED)]
    assert bench.keeper.epoch(SITE) is None


async def test_the_keeper_rests_while_the_rest_of_the_process_ends(
    bench: KeeperBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.turn()
    await bench.keeper.release()
    bench.now_s += 10.0
    waits: list[float] = []

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await bench.keeper.run()
    assert waits == [LEASE_S / 3]


async def test_an_end_without_a_database_ends(bench: KeeperBench) -> None:
    await bench.turn()
    bench.shelf.is_failing = True
    await bench.keeper.release()
    assert bench.keeper.epoch(SITE) is None


def test_the_clock_counts_also_what_the_machine_slept() -> None:
    first_s = boot_s()
    assert 0 < first_s <= boot_s()
