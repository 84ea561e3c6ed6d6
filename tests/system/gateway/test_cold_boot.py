"""A device without a battery clock, whole but for its processes: outbox on disk, uplink, mutual TLS, a real broker.

It starts in 1970, and its quartz runs 80 ppm slow. Its clock is injected: monotonic time goes on and may be moved on,
UTC is 1970 plus that until it is set. An hour of records is taken before.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud_api.history.models import ReceivedBatch
from cloud_api.history.sqlite_clock_sets import MAX_POINTS
from cloud_api.history.sqlite_database import open_for_reading
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.commands import Command, CommandResult
from contracts.payloads import Ais, Payload, Wind
from contracts.records import Clock, ClockState, Observation, Record
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Outbox as OutboxSettings
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.health.journal import Journal
from gateway.outbox.backfill import Backfill, TimeReference
from gateway.outbox.outbox import Outbox
from gateway.timekeeping.floor_policy import BelievedTime
from gateway.timekeeping.time_file import KnownTimes, write_times
from gateway.timekeeping.timekeeper import Timekeeper
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.uplink import Uplink
from tests.support.certs import TestAuthority
from tests.support.cloud_end import CloudEnd
from tests.support.gateway_process import GATEWAY, SITE
from tests.support.mqtt_broker import TestBroker

pytestmark = pytest.mark.system

NS = 1_000_000_000
DAY_NS = 86_400 * NS
RECORDS = 3600
"""An hour of one record a second of a track, and as many of telemetry."""
SLOW_PPM = 80
SOURCES: dict[str, Callable[[int], Payload]] = {
    "ais": lambda number: Ais(msg_type=1, mmsi=200_000_000 + number),
    "wind": lambda number: Wind(speed_mps=float(number % 40)),
}


class ColdClock:
    """See the module.

    Args:
        true_ns: UTC ns when the device starts.
    """

    boot_id = "cold0001"

    def __init__(self, true_ns: int) -> None:
        self._true_ns = true_ns
        self._began_ns = time.monotonic_ns()
        self._skipped_ns = 0
        self._offset_ns: int | None = None

    def skip(self, seconds: float) -> None:
        self._skipped_ns += round(seconds * NS)

    def sync(self) -> None:
        """Be set by a time daemon."""
        self._offset_ns = self.true_ns(self.mono_ns()) - self.mono_ns()

    def true_ns(self, mono_ns: int) -> int:
        """Return the true UTC at a monotonic time."""
        return self._true_ns + mono_ns + mono_ns * SLOW_PPM // 1_000_000

    def mono_ns(self) -> int:
        return time.monotonic_ns() - self._began_ns + self._skipped_ns

    def mono_s(self) -> float:
        return self.mono_ns() / NS

    def wall_ns(self) -> int:
        return self.mono_ns() + (self._offset_ns or 0)

    def is_believed(self) -> bool:
        return self._offset_ns is not None

    def believed_time(self) -> BelievedTime | None:
        return BelievedTime(self.wall_ns(), self.mono_ns(), 4.0, ClockState.NTP) if self.is_believed() else None

    def age_s(self, _at_ns: int, mono_ns: int, _boot_id: str) -> float:
        return max(0.0, (self.mono_ns() - mono_ns) / NS)

    def observe(self, source: str, payload: Payload) -> Observation:
        clock = Clock(ClockState.NTP, 4.0) if self.is_believed() else Clock(ClockState.UNSYNCED)
        return Observation(self.wall_ns(), clock, self.mono_ns(), self.boot_id, source, payload)


class NoCommands:
    async def run(self, command: Command) -> CommandResult:
        return CommandResult(command_id=command.command_id, is_done=False)


@dataclass
class Device:
    clock: ColdClock
    box: Outbox
    keeper: Timekeeper
    uplink: Uplink
    sent: int = 0

    async def hour(self) -> None:
        """Take an hour of records, a minute of each source handed over at once."""
        for _ in range(RECORDS // 60):
            observed: dict[str, list[Observation]] = {source: [] for source in SOURCES}
            for _ in range(60):
                self.clock.skip(1)
                self.sent += 1
                for source, make in SOURCES.items():
                    observed[source].append(self.clock.observe(source, make(self.sent)))
            for source, items in observed.items():
                await self.box.append(source, "run", self.sent, items)


class Stamper:
    """What stamps the gateway's own records."""

    def __init__(self, clock: ColdClock) -> None:
        self._clock = clock

    def stamp(self, payload: Payload, _raw: str | None, _at: object) -> Observation:
        return self._clock.observe("gateway", payload)


@asynccontextmanager
async def device(folder: Path, authority: TestAuthority, port: int, true_ns: int) -> AsyncIterator[Device]:
    """A device that last knew the time an hour ago; its uplink begins when its task is started."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    write_times(folder / "known_time", KnownTimes(true_ns - 3600 * NS))
    clock, counters = ColdClock(true_ns), Counters()
    keepers: list[Timekeeper] = []

    def reference(boot_id: str) -> TimeReference | None:
        return keepers[0].reference(boot_id)

    settings = OutboxSettings(group_commit_ms=5)
    box = Outbox(folder / "outbox.db", SITE, GATEWAY, settings, clock, counters, Backfill(reference))
    journal = Journal("gateway", box, Stamper(clock), counters)  # type: ignore[arg-type] # stamps by the injected clock
    keeper = Timekeeper(folder / "known_time", clock, journal)
    keepers.append(keeper)
    pair = authority.issue("gw-1")
    identity = Identity(certificate=pair.certificate, private_key=pair.key, trust=authority.trust)
    uplink_settings = UplinkSettings(receipt_timeout_s=2.0, reconnect_base_s=0.1, reconnect_cap_s=0.5)
    subscriptions = [(f"porttrack/v1/{SITE}/{GATEWAY}/down/receipt", 0)]
    transport = MqttTransport("gw-1", identity, uplink_settings, subscriptions, counters, keeper.judge_by)
    brokers = [Broker(host="127.0.0.1", port=port, server_name="broker.test")]
    uplink = Uplink((SITE, GATEWAY), box, transport, clock, uplink_settings, brokers, NoCommands(), counters)
    box.start(uplink.wake)
    try:
        yield Device(clock, box, keeper, uplink)
    finally:
        await box.close()


@asynccontextmanager
async def online(made: Device) -> AsyncIterator[None]:
    task = asyncio.create_task(made.uplink.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await made.uplink.disconnect()


def arrived(cloud: CloudEnd) -> dict[str, list[Record]]:
    return {name: cloud.records(name) for name in ("track", "telemetry")}


def check_order(records: list[Record]) -> None:
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    for before, after in itertools.pairwise(records):
        assert before.observed_at_ns < after.observed_at_ns


async def test_an_hour_from_1970_goes_up_with_its_time_once_the_clock_is_set(
    broker: TestBroker, cloud: CloudEnd, authority: TestAuthority, folder: Path
) -> None:
    """Boot in 1970, an hour offline, the clock is set, the link comes: all stamps right to 1 s and to their bound."""
    async with device(folder / "device", authority, broker.mqtt_port, time.time_ns()) as made:
        await made.hour()
        made.clock.sync()
        await made.keeper.look()
        async with online(made):
            await cloud.until(lambda: all(len(found) == RECORDS for found in arrived(cloud).values()), 30)
        assert cloud.unexplained() == {}
        worst_s = 0.0
        for records in arrived(cloud).values():
            check_order(records)
            for record in records:
                wrong_ms = abs(record.observed_at_ns - made.clock.true_ns(record.mono_ns)) / 1e6
                assert wrong_ms <= (record.clock.error_ms or 0), "the bound is honest"
                assert record.original_at_ns is not None
                assert record.original_at_ns < 2 * 3600 * NS, "what the clock had said: 1970"
                worst_s = max(worst_s, wrong_ms / 1e3, (record.clock.error_ms or 0) / 1e3)
        assert worst_s <= 1.0
        sys.stdout.write(
            f"cold boot: {2 * RECORDS} records of an hour from 1970, worst stamp or bound {worst_s:.3f} s\n"
        )


async def test_without_the_back_fill_they_would_go_up_in_1970(
    broker: TestBroker, cloud: CloudEnd, authority: TestAuthority, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    monkeypatch.setattr("gateway.outbox.backfill.backfill", lambda _batch, _find: None)
    async with device(folder / "device", authority, broker.mqtt_port, time.time_ns()) as made:
        await made.hour()
        made.clock.sync()
        await made.keeper.look()
        async with online(made):
            await cloud.until(lambda: all(len(found) == RECORDS for found in arrived(cloud).values()), 30)
        assert max(record.observed_at_ns for record in arrived(cloud)["track"]) < DAY_NS


async def test_in_1970_it_connects_by_the_last_known_time_and_the_cloud_dates_what_came_before(
    folder: Path, authority: TestAuthority, tmp_path: Path
) -> None:
    """The link comes before the clock: records go up marked as unsynced; the history corrects them by ``clock_set``.

    The true time is four days from now, and the broker's certificate valid from three days from now: to this machine's
    clock not yet, so that only the known time of the device lets it connect.
    """
    server = authority.issue("broker.test", is_server=True, days=(3, 8))
    late = TestBroker(folder / "late", authority, server)
    late.start()
    end = CloudEnd()
    await end.connect(late.port)
    try:
        async with device(folder / "device", authority, late.mqtt_port, time.time_ns() + 4 * DAY_NS) as made:
            await made.hour()
            async with online(made):
                await end.until(lambda: all(len(found) == RECORDS for found in arrived(end).values()), 30)
                assert {record.clock.state for record in arrived(end)["track"]} == {ClockState.UNSYNCED}
                made.clock.sync()
                await made.keeper.look()
                await end.until(lambda: bool(end.records("log")), 10)
        history = SqliteHistoryWriter(tmp_path / "history.sqlite")
        for batch in end.ledger.values():
            await history.commit([ReceivedBatch(batch, made.clock.true_ns(0))])
        for _ in range(2 * RECORDS // MAX_POINTS + 1):
            await history.commit([])
        await history.close()
        connection = open_for_reading(tmp_path / "history.sqlite")
        rows = connection.execute(
            "SELECT mono_ns, observed_at_ns, clock_error_ms, original_at_ns FROM points "
            "WHERE original_at_ns IS NOT NULL ORDER BY stream_ref, seq"
        ).fetchall()
        connection.close()
        assert len(rows) == 2 * RECORDS
        for mono_ns, at_ns, error_ms, original_at_ns in rows:
            wrong_ms = abs(at_ns - made.clock.true_ns(mono_ns)) / 1e6
            assert wrong_ms <= error_ms <= 1000
            assert original_at_ns < 2 * 3600 * NS
    finally:
        await end.close()
        late.kill()
