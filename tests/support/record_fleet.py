"""Many gateways in one process, each with a real outbox and a real uplink: records at a set pace, over mutual TLS.

``python -m tests.support.record_fleet SPEC EVENTS``: SPEC is JSON (see ``Spec``), EVENTS gets a JSON line (``Look``)
five times a second. After SIGUSR1 nothing more is produced; when every outbox is empty a last line (``Drained``) says
how far each stream went, and the process ends.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import structlog

from contracts.payloads import Ais, AisStation, Wind
from contracts.records import Clock, ClockState, Observation
from contracts.topics import Channel, topic
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Outbox as OutboxSettings
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.outbox import Outbox
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.uplink import Uplink
from tests.support.ais_feed import FIRST_MMSI
from tests.support.real_uplink import SystemTime
from tests.support.uplink_doubles import Runner

APPEND_S = 0.2
"""Between two frames of a gateway's driver."""
LOOK_S = 0.2
SHIPS = 50
"""Vessels that each gateway hears, again and again."""
WIND_EACH = 20
"""One observation in so many is the wind's: a second stream of every gateway."""
MAX_LAG_S = 2.0
"""A producer that is further behind its pace forgets the rest: a receiver does not catch up."""


class Member(msgspec.Struct):
    """One gateway and its files."""

    gateway: str
    certificate: str
    private_key: str
    trust: str


class Spec(msgspec.Struct):
    """What to run.

    Attributes:
        site: site id.
        folder: for the outboxes.
        brokers: (host, port) in order of preference; each gateway begins the list at another one.
        members: the gateways.
        records_per_s: of all together.
        uplink: settings of the profile's ``uplink``.
    """

    site: str
    folder: str
    brokers: list[tuple[str, int]]
    members: list[Member]
    records_per_s: float
    uplink: dict[str, float | str]


class Look(msgspec.Struct, frozen=True):
    """The fleet at one moment.

    Attributes:
        at_s: monotonic time of the machine, s.
        produced: observations since the start.
        buffered: records without a receipt.
        oldest_age_s: age of the oldest of them, s; 0 if there is none.
        up: gateways with a connection.
    """

    at_s: float
    produced: int
    buffered: int
    oldest_age_s: float
    up: int


class Drained(msgspec.Struct, frozen=True):
    """The end: last number of each stream, and what the gateways counted (resends, drops)."""

    streams: dict[str, int]
    counters: dict[str, int]


class FleetMember:
    """One gateway: a producer, an outbox and an uplink."""

    def __init__(self, spec: Spec, number: int) -> None:
        member = spec.members[number]
        owner = (spec.site, member.gateway)
        self.counters = Counters()
        self.produced = 0
        self._rate = spec.records_per_s / len(spec.members)
        self._number = number
        clock = SystemTime()
        self.outbox = Outbox(
            Path(spec.folder) / member.gateway / "outbox.db", *owner, OutboxSettings(), clock, self.counters
        )
        identity = Identity(
            certificate=Path(member.certificate), private_key=Path(member.private_key), trust=Path(member.trust)
        )
        settings = UplinkSettings.model_validate(spec.uplink)
        subscriptions = [(topic(*owner, Channel.RECEIPT).mqtt(), 0), (topic(*owner, Channel.COMMAND).mqtt(), 1)]
        transport = MqttTransport("_".join(owner), identity, settings, subscriptions, self.counters)
        first = number % len(spec.brokers)
        order = [*spec.brokers[first:], *spec.brokers[:first]]
        brokers = [Broker(host=host, port=port) for host, port in order]
        self.uplink = Uplink(owner, self.outbox, transport, clock, settings, brokers, Runner(), self.counters)

    async def produce(self, is_over: Callable[[], bool]) -> None:
        """Append at the gateway's pace until ``is_over``."""
        # not all gateways in the same instant
        await asyncio.sleep(APPEND_S * (self._number % 10) / 10)
        due, frame = time.monotonic(), max(1, round(self._rate * APPEND_S))
        while not is_over():
            observations = [self._observe(self.produced + step) for step in range(frame)]
            await self.outbox.append("ais", "run-1", self.produced + frame, observations)
            self.produced += frame
            due = max(due + frame / self._rate, time.monotonic() - MAX_LAG_S)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _observe(self, number: int) -> Observation:
        at_ns = time.time_ns()
        payload: Ais | Wind
        if number % WIND_EACH == 0:
            source, payload = "wind", Wind(speed_mps=round(5 + number % 100 / 10, 1), direction_deg=float(number % 360))
        else:
            mmsi = FIRST_MMSI + 1000 * self._number + number % SHIPS
            source, payload = "ais", Ais(
                msg_type=1, mmsi=mmsi, station=AisStation.CLASS_A, sog_kn=11.5, cog_deg=123.4, heading_deg=124,
                lon_deg=round(-0.15 + number % 10_000 * 1e-6, 6), lat_deg=round(39.6 + number % 1000 * 1e-6, 6),
            )  # fmt: skip
        return Observation(at_ns, Clock(ClockState.NTP, 1.0), time.monotonic_ns(), "boot1", source, payload)


def main() -> None:
    spec = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(run(spec, Path(sys.argv[2])))


async def run(
    spec: Spec, events: Path, beside: Callable[[list["FleetMember"]], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Run the fleet; ``beside`` runs as long as its uplinks."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, over.set)
    members = [FleetMember(spec, number) for number in range(len(spec.members))]
    with events.open("ab", buffering=0) as sink:
        async with asyncio.TaskGroup() as tasks:
            eternal = []
            for member in members:
                member.outbox.start(member.uplink.wake)
                eternal += [tasks.create_task(member.uplink.run()), tasks.create_task(member.outbox.run())]
            if beside is not None:
                eternal.append(tasks.create_task(beside(members)))
            producing = [tasks.create_task(member.produce(over.is_set)) for member in members]
            while True:
                look = await _look(members)
                sink.write(msgspec.json.encode(look) + b"\n")
                if all(task.done() for task in producing) and look.buffered == 0:
                    break
                await asyncio.sleep(LOOK_S)
            for task in eternal:
                task.cancel()
        sink.write(msgspec.json.encode(await _end(members)) + b"\n")


async def _look(members: list[FleetMember]) -> Look:
    stats = await asyncio.gather(*(member.outbox.stats() for member in members))
    return Look(
        at_s=time.monotonic(),
        produced=sum(member.produced for member in members),
        buffered=sum(stream.buffered_records for one in stats for stream in one.streams),
        oldest_age_s=round(max(one.oldest_age_s or 0.0 for one in stats), 3),
        up=sum(member.uplink.state.is_up for member in members),
    )


async def _end(members: list[FleetMember]) -> Drained:
    streams: dict[str, int] = {}
    counters: dict[str, int] = {}
    for member in members:
        streams |= {stream.stream_id: stream.next_seq - 1 for stream in (await member.outbox.stats()).streams}
        for name, value in member.counters.snapshot().items():
            counters[name] = counters.get(name, 0) + value
        await member.uplink.disconnect()
        await member.outbox.close()
    return Drained(streams, counters)


if __name__ == "__main__":
    main()
