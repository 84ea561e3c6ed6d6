"""A WAN outage in virtual time through the real outbox: what it was fed is kept in a model outside of it.

75 records a second as a port makes them: 58 positions and 2 static messages of 500 ships, 13 measurements, 2 log
events; 40 lifts an hour and an alarm every 10 minutes. The clock only moves when the feed moves it; SQLite, the disk
and the writer's thread are real.

``build_outage`` leaves the outbox open as it stands when the link comes back; ``feed_live`` goes on in real time.
"""

import asyncio
import random
import time
from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.payloads import Ais, Alarm, CraneCycle, CraneSample, Log, Payload, Wind
from contracts.records import Clock, ClockState, Observation, RecordClass
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.outbox import Outbox

SITE = "puerto-test"
GATEWAY = "gw-1"
SHIPS = 500
RECORDS_A_SECOND = 75
STEP_S = 4
"""Seconds of the feed in one append: one commit."""
START_NS = 1_790_000_000 * 10**9
"""2026-09-21: a clock that was right before the outage and stays so."""

_CLOCK = Clock(ClockState.NTP, 5.0)


class VirtualClock:
    """Both clocks of the device; they move when told, and by themselves once ``run`` was called."""

    boot_id = "boot1"

    def __init__(self) -> None:
        self._passed_s = 1000.0
        self._running_since: float | None = None

    def run(self) -> None:
        """Go on in real time."""
        self._running_since = time.monotonic()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_s += seconds

    def mono_s(self) -> float:
        """Return the monotonic clock, s."""
        ran_s = time.monotonic() - self._running_since if self._running_since is not None else 0.0
        return self._passed_s + ran_s

    def wall_ns(self) -> int:
        """Return UTC ns."""
        return START_NS + int(self.mono_s() * 1e9)

    def is_believed(self) -> bool:
        """Tell that UTC can be believed."""
        return True

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        """Return the age of a moment, s."""
        assert at_ns >= 0, boot_id
        return max(0.0, self.mono_s() - mono_ns / 1e9)


@dataclass
class Model:
    """What was fed, by class and number from 1: enough to know each record again.

    Attributes:
        keys: of a track the ship, of telemetry the series, else the number of the event.
        values: of telemetry the measurement, of a track the longitude.
        seconds: second of the monotonic clock.
    """

    keys: "dict[RecordClass, array[int]]" = field(default_factory=lambda: {name: array("i") for name in RecordClass})
    values: "dict[RecordClass, array[float]]" = field(
        default_factory=lambda: {name: array("f") for name in RecordClass}
    )
    seconds: "dict[RecordClass, array[int]]" = field(default_factory=lambda: {name: array("i") for name in RecordClass})

    def note(self, name: RecordClass, key: int, value: float, second: int) -> None:
        """Take note of the next record of a class."""
        self.keys[name].append(key)
        self.values[name].append(value)
        self.seconds[name].append(second)

    def produced(self, name: RecordClass) -> int:
        """Return how many records of a class were fed."""
        return len(self.keys[name])

    @property
    def total(self) -> int:
        """Records of all classes."""
        return sum(self.produced(name) for name in RecordClass)


def place_of(payload: Payload) -> str | None:
    """Return the asset that a measurement is of: each is a series of its own."""
    if isinstance(payload, Wind):
        return f"mast-{round(payload.gust_3s_mps or 0) - 100}"
    return f"sts-{payload.cycle_no}" if isinstance(payload, CraneSample) else None


class Feed:
    """Makes what a port makes, second by second; the same again for the same seed."""

    def __init__(self, model: Model, seed: int = 4) -> None:
        self._model = model
        self._random = random.Random(seed)
        self._ships = [(-0.35 + n / 5000, 39.4 + n / 7000) for n in range(SHIPS)]
        self._at = 0
        self.no = 0

    def second(self, clock: VirtualClock) -> list[Observation]:
        """Return the observations of the second that the clock is in."""
        now_s = clock.mono_s()
        second = int(now_s)
        made = [self._position(second) for _ in range(58)]
        made += [self._static(second) for _ in range(2)]
        made += [self._wind(second, mast) for mast in range(3)] + [self._crane(second, crane) for crane in range(10)]
        made += [self._log(second) for _ in range(2)]
        if second % 90 == 0:
            made.append(self._lift(second))
        if second % 600 == 0:
            made.append(self._alarm(second))
        self.no += len(made)
        step_ns = 10**9 // len(made)
        mono_ns, wall_ns = int(now_s * 1e9), clock.wall_ns()
        return [
            Observation(
                wall_ns + n * step_ns, _CLOCK, mono_ns + n * step_ns, clock.boot_id, "port", payload, place_of(payload)
            )
            for n, payload in enumerate(made)
        ]

    def _position(self, second: int) -> Payload:
        # a ship comes round every 8 s, as one at speed does (ITU-R M.1371-5, table 1)
        ship = self._at = (self._at + 1) % SHIPS
        lon, lat = self._ships[ship]
        lon += self._random.uniform(-1e-4, 1e-4)
        self._ships[ship] = lon, lat
        self._model.note(RecordClass.TRACK, ship, lon, second)
        return Ais(
            msg_type=1 + 2 * (ship % 2), mmsi=224_000_000 + ship, talker="AI", channel="AB"[ship % 2],
            lon_deg=round(lon, 6), lat_deg=round(lat, 6), sog_kn=round(self._random.uniform(0, 20), 1),
            cog_deg=round(self._random.uniform(0, 360), 1), heading_deg=ship % 360,
            nav_status=0, utc_second=second % 60,
        )  # fmt: skip

    def _static(self, second: int) -> Payload:
        ship = self._random.randrange(SHIPS)
        self._model.note(RecordClass.TRACK, SHIPS + ship, 0.0, second)
        return Ais(msg_type=5, mmsi=224_000_000 + ship, name=f"SHIP {ship}", imo=9_000_000 + ship, draught_m=7.5)

    def _wind(self, second: int, mast: int) -> Payload:
        value = round(max(0.0, self._random.gauss(8, 2)), 1)
        self._model.note(RecordClass.TELEMETRY, mast, value, second)
        return Wind(speed_mps=value, direction_deg=float(self._random.randrange(360)), gust_3s_mps=100.0 + mast)

    def _crane(self, second: int, crane: int) -> Payload:
        value = round(self._random.uniform(0, 45), 2)
        self._model.note(RecordClass.TELEMETRY, 100 + crane, value, second)
        return CraneSample(hoist_load_t=value, trolley_m=round(self._random.uniform(-10, 50), 2), cycle_no=crane)

    def _log(self, second: int) -> Payload:
        number = self._model.produced(RecordClass.LOG)
        self._model.note(RecordClass.LOG, number, 0.0, second)
        return Log(level="info", event="poll_late", fields={"no": number, "late_ms": self._random.randrange(1000)})

    def _lift(self, second: int) -> Payload:
        number = self._model.produced(RecordClass.CRANE_CYCLE)
        self._model.note(RecordClass.CRANE_CYCLE, number, 0.0, second)
        return CraneCycle(
            plc_boot_id="plc", cycle_no=number, locked_at_ns=second * 10**9, unlocked_at_ns=second * 10**9
        )

    def _alarm(self, second: int) -> Payload:
        number = self._model.produced(RecordClass.ALARM)
        self._model.note(RecordClass.ALARM, number, 0.0, second)
        return Alarm(alarm="crane_wind_stop", severity="alarm", is_active=number % 2 == 0, value=float(number))


@dataclass
class Outage:
    """The outbox as the link comes back."""

    path: Path
    outbox: Outbox
    clock: VirtualClock
    counters: Counters
    model: Model
    feed: Feed
    highest_bytes: int = 0
    took_s: float = 0.0

    async def append(self, seconds: int) -> None:
        """Feed so many seconds as they come, in one append."""
        items: list[Observation] = []
        for _ in range(seconds):
            self.clock.advance(1)
            items += self.feed.second(self.clock)
        await self.outbox.append("port", "run", self.feed.no, items)
        self.highest_bytes = max(self.highest_bytes, self.path.stat().st_size)

    async def feed_live(self, seconds: float, is_done: Callable[[], bool] = lambda: False) -> None:
        """Go on feeding 75 records a second in real time, in quarter seconds as drivers hand over."""
        self.clock.run()
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and not is_done():
            began = time.monotonic()
            items = self.feed.second(self.clock)
            first_no = self.feed.no - len(items)
            for part in range(4):
                cut = slice(len(items) * part // 4, len(items) * (part + 1) // 4)
                await asyncio.sleep(max(0.0, began + part / 4 - time.monotonic()))
                await self.outbox.append("port", "run", first_no + cut.stop, items[cut])
            await asyncio.sleep(max(0.0, began + 1 - time.monotonic()))


def outage_steps(hours: float) -> Iterator[int]:
    """Yield the appends of an outage, each as so many seconds."""
    left = int(hours * 3600)
    while left > 0:
        yield min(STEP_S, left)
        left -= STEP_S


@asynccontextmanager
async def build_outage(
    folder: Path, hours: float, each_step: Callable[["Outage"], None] = lambda _: None, **settings: Any
) -> AsyncIterator[Outage]:
    """Feed the outbox for so many hours without a link; closes it at the end.

    Args:
        folder: for its database.
        hours: how long the link is away, in virtual time.
        each_step: looks at it after each commit.
        settings: of the profile's ``outbox``, where they are not the defaults of a gateway without a link.
    """
    clock, counters, model = VirtualClock(), Counters(), Model()
    values: dict[str, Any] = {"group_commit_ms": 1, "seal_records": 500, "seal_after_ms": 60_000} | settings
    path = folder / "outbox.db"
    outbox = Outbox(path, SITE, GATEWAY, OutboxSettings(**values), clock, counters)
    outbox.start(lambda: None)
    outage = Outage(path, outbox, clock, counters, model, Feed(model))
    began = time.monotonic()
    try:
        for seconds in outage_steps(hours):
            await outage.append(seconds)
            each_step(outage)
        outage.took_s = time.monotonic() - began
        yield outage
    finally:
        await outbox.close()
