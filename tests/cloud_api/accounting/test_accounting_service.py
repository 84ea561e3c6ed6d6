"""The accounting's loop: what it shows, logs and stores, and what trouble of its stores does to it."""

import asyncio
import time

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.accounting.alarm_desk import AlarmDesk
from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import (
    GatewayStanding,
    Moment,
    OpenStream,
    Settlement,
    StreamAlarm,
    StreamStanding,
    Verdict,
)
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.service import AccountingService
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.ranges import total
from contracts.errors import LinkError
from contracts.health import StreamStatus
from tests.support.batches import GATEWAY, SITE, START_NS, STREAM
from tests.support.statuses import status


class Shelf:
    """``JudgementStore``, ``BalanceReader`` and ``Authority`` in memory, and a list of what was announced."""

    def __init__(self) -> None:
        self.rows: dict[str, OpenStream] = {}
        self.alarms: list[StreamAlarm] = []
        self.cleared: list[StreamAlarm] = []
        self.history: list[StreamBalance] = []
        self.told: list[GatewayStanding] = []
        self.is_failing = self.is_store_failing = False
        self.writes = 0
        self.lease: int | None = 1

    def epoch(self, _site: str) -> int | None:
        return self.lease

    async def load(self) -> list[OpenStream]:
        return list(self.rows.values())

    async def standing(self) -> list[StreamAlarm]:
        self._answer(is_failing=self.is_store_failing)
        return list(self.alarms)

    async def settle(self, site: str, epoch: int, settlement: Settlement) -> None:
        self._answer(is_failing=self.is_store_failing)
        assert (site, epoch) == (SITE, self.lease)
        self.writes += 1
        self.alarms = [one for one in self.alarms if one not in settlement.cleared] + list(settlement.raised)
        self.cleared += settlement.cleared
        self.rows |= {one.stream_id: one for one in settlement.changed}
        for stream_id in settlement.closed:
            del self.rows[stream_id]

    async def balances(self) -> list[StreamBalance]:
        self._answer(is_failing=self.is_failing)
        return self.history

    def tell_standing(self, standing: GatewayStanding) -> None:
        self.told.append(standing)

    @staticmethod
    def _answer(*, is_failing: bool) -> None:
        if is_failing:
            raise LinkError("read", "shelf", "busy", "", "busy")


class Bench:
    def __init__(self, shelf: Shelf | None = None) -> None:
        self.shelf = shelf or Shelf()
        self.registry = CollectorRegistry()
        self.now_s = 0.0
        accountant, metrics = Accountant(), AccountingMetrics(self.registry)
        desk = AlarmDesk(accountant, self.shelf, self.shelf, metrics)
        self.service = AccountingService(accountant, self.shelf, desk, self.shelf, metrics, self.moment)

    def moment(self) -> Moment:
        return Moment(START_NS + int(self.now_s * 1e9), self.now_s)

    def receive(self, *ranges: tuple[int, int], declared: dict[str, int] | None = None) -> None:
        covered = [SeqRange(*one) for one in ranges]
        self.shelf.history = [StreamBalance(STREAM, covered[-1].last_seq, total(covered), declared or {}, covered)]

    async def looks(self, count: int, next_seq: int, held: list[tuple[int, int]]) -> None:
        for _ in range(count):
            stream = StreamStatus(stream_id=STREAM, next_seq=next_seq, buffered_ranges=held)
            self.service.on_status(msgspec.structs.replace(status(), streams=[stream]), self.moment().utc_ns)
            self.now_s += 6.0
            await self.service.look()

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"site": SITE, "gateway": GATEWAY} | labels)


async def test_an_alarm_is_logged_once_shown_in_figures_and_cleared() -> None:
    bench = Bench()
    bench.receive((1, 50), (61, 100))
    with capture_logs() as logs:
        await bench.looks(8, 101, [])
    (alarm,) = [entry for entry in logs if entry["event"] == "accounting_alarm"]
    assert (alarm["log_level"], alarm["records"], alarm["ranges"]) == ("error", 10, ["51..60"])
    assert bench.figure("accounting_unexplained_records") == 10
    assert bench.figure("accounting_holes") == 1
    bench.receive((1, 100))
    with capture_logs() as logs:
        await bench.looks(2, 101, [])
    assert [entry["event"] for entry in logs] == ["accounting_alarm_cleared"]
    assert (bench.figure("accounting_unexplained_records"), bench.figure("accounting_holes")) == (0, 0)
    assert bench.shelf.told[-1].verdict is Verdict.WHOLE


async def test_declared_losses_are_warned_of_when_a_reason_begins_and_counted() -> None:
    bench = Bench()
    bench.receive((1, 100))
    await bench.looks(1, 101, [])
    bench.receive((1, 200), declared={"capacity": 60, "of_the_future": 5})
    with capture_logs() as logs:
        await bench.looks(2, 201, [])
    warned = {entry["reason"]: entry["records"] for entry in logs if entry["event"] == "records_declared_lost"}
    assert warned == {"capacity": 60, "of_the_future": 5}
    assert bench.figure("accounting_declared_lost_records", reason="capacity") == 60
    assert bench.figure("accounting_declared_lost_records", reason="other") == 5
    bench.receive((1, 200))
    await bench.looks(1, 201, [])
    assert bench.figure("accounting_declared_lost_records", reason="capacity") == 0


async def test_numbers_that_were_kept_elsewhere_are_told_and_are_no_loss() -> None:
    bench = Bench()
    bench.receive((1, 100))
    await bench.looks(1, 101, [])
    bench.receive((1, 200), declared={"kept_elsewhere": 60})
    with capture_logs() as logs:
        await bench.looks(2, 201, [])
    assert [(entry["event"], entry["log_level"], entry["records"]) for entry in logs] == [
        ("records_kept_elsewhere", "info", 60)
    ]
    assert bench.figure("accounting_kept_elsewhere_records") == 60
    assert bench.figure("accounting_declared_lost_records", reason="kept_elsewhere") is None
    standing = bench.service.standings[0]
    assert (standing.declared, standing.kept_elsewhere, standing.verdict) == ({}, 60, Verdict.WHOLE)


async def test_a_history_that_does_not_answer_is_told_once_and_keeps_what_was_seen() -> None:
    bench = Bench()
    bench.receive((1, 100))
    await bench.looks(1, 101, [])
    bench.shelf.is_failing = True
    with capture_logs() as logs:
        await bench.looks(3, 101, [])
    assert [entry["event"] for entry in logs] == ["accounting_blind"]
    assert bench.registry.get_sample_value("accounting_errors_total", {"reason": "busy"}) == 3
    assert bench.service.standings[0].verdict is Verdict.WHOLE
    bench.shelf.is_failing = False
    with capture_logs() as logs:
        await bench.looks(1, 101, [])
    assert [entry["event"] for entry in logs] == ["accounting_sees_again"]


async def test_what_is_not_whole_outlives_the_process() -> None:
    bench = Bench()
    bench.receive((1, 50), (61, 100))
    await bench.looks(6, 101, [])
    await bench.service.save()
    await bench.service.save()
    assert bench.shelf.writes == 1, "the alarm was written with its stream; nothing has changed since"
    (kept,) = bench.shelf.rows.values()
    after = Bench(bench.shelf)
    after.now_s = bench.now_s
    stream = StreamStatus(stream_id=STREAM, next_seq=101, buffered_ranges=[])
    await after.service.restore([(msgspec.structs.replace(status(), streams=[stream]), START_NS)])
    await after.looks(6, 101, [])
    assert after.service.standings[0].since_ns == kept.since_ns
    after.receive((1, 100))
    await after.looks(1, 101, [])
    await after.service.save()
    assert after.shelf.rows == {}


async def test_a_store_that_fails_is_tried_again() -> None:
    bench = Bench()
    await bench.looks(1, 101, [(1, 100)])
    bench.shelf.is_store_failing = True
    await bench.service.save()
    bench.shelf.is_store_failing = False
    await bench.service.save()
    assert bench.shelf.rows == {STREAM: OpenStream(STREAM, 100, None)}


def seconds_to_show(gateways: int) -> float:
    metrics = AccountingMetrics(CollectorRegistry())
    declared = {"thinned": 1, "capacity": 2, "age": 3}
    standings = [
        GatewayStanding(f"{SITE}/gw-{number}", Verdict.WHOLE, None, 6, 0, declared, None, 0, 0)
        for number in range(gateways)
    ]
    began_s = time.process_time()
    for _ in range(3):
        metrics.show(standings)
    return time.process_time() - began_s


def test_what_the_figures_cost_a_gateway_does_not_grow_with_the_fleet() -> None:
    seconds_to_show(200)
    assert seconds_to_show(1600) < 4 * 8 * seconds_to_show(200), "eight times the gateways"


async def test_a_last_look_and_the_last_writing_may_close_the_same_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    accountant, metrics = Accountant(), AccountingMetrics(CollectorRegistry())
    desk = AlarmDesk(accountant, shelf, shelf, metrics)
    service = AccountingService(accountant, shelf, desk, shelf, metrics, lambda: Moment(START_NS, 0.0))
    shelf.rows = {STREAM: OpenStream(STREAM, 100, START_NS)}
    shelf.alarms = [StreamAlarm(STREAM, START_NS, "missing", 10)]
    shelf.history = [StreamBalance(STREAM, 100, 100, {}, [SeqRange(1, 100)])]
    await service.restore([])
    await desk.prepare()
    report = msgspec.structs.replace(
        status(), streams=[StreamStatus(stream_id=STREAM, next_seq=101, buffered_ranges=[])]
    )
    service.on_status(report, START_NS)
    write = shelf.settle
    both = asyncio.Barrier(2)

    async def write_slowly(site: str, epoch: int, settlement: Settlement) -> None:
        await both.wait()
        shelf.rows[STREAM] = OpenStream(STREAM, 100, START_NS)
        await write(site, epoch, settlement)

    monkeypatch.setattr(shelf, "settle", write_slowly)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.look())
        group.create_task(service.save())
    assert shelf.alarms == []


def gone(site: str) -> GatewayStanding:
    stream = StreamStanding(f"{site}.gw-1.abcd1234.track", Verdict.MISSING, START_NS, 9, 8, {}, 0, 1, (), START_NS)
    return GatewayStanding(f"{site}/gw-1", Verdict.MISSING, START_NS, 9, 8, {}, None, 0, 1, (stream,))


@pytest.mark.parametrize(("reason", "asked"), [("database", ["a"]), ("lease_lost", ["a", "b", "c"])])
async def test_a_store_that_does_not_answer_is_waited_for_once_a_look_and_not_once_a_site(
    monkeypatch: pytest.MonkeyPatch, reason: str, asked: list[str]
) -> None:
    shelf = Shelf()
    sites: list[str] = []

    async def settle(site: str, _epoch: int, _settlement: Settlement) -> None:
        sites.append(site)
        raise LinkError("settle", "shelf", "gone", "", reason)

    monkeypatch.setattr(shelf, "settle", settle)
    desk = AlarmDesk(Accountant(), shelf, shelf, AccountingMetrics(CollectorRegistry()))
    await desk.settle(dict.fromkeys("abc", 1), [], [gone(site) for site in "abc"], START_NS)
    assert sites == asked
