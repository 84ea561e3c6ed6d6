"""Composition root of the demonstration hardware: the port's physics behind real endpoints.

Everything runs in one loop: every ``TICK_S`` the world is advanced to the present and what became due is sent. PLCs
answer with the present values when they are asked.
"""

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from contracts.errors import ConfigError
from edge_agent.simulation.endpoints import remove_endpoints, write_endpoints
from edge_agent.simulation.fleet import load_fleet
from edge_agent.simulation.harbour import read_harbour
from edge_agent.simulation.hardware import FeedPlan, HardwarePlan, PlcPlan, plan_hardware
from edge_agent.simulation.modbus_plc import ModbusPlc
from edge_agent.simulation.ports import Feed, Plc
from edge_agent.simulation.pty_feed import PtyFeed
from edge_agent.simulation.rtu_bus import RtuBus
from edge_agent.simulation.tcp_feed import open_tcp_feed
from edge_agent.simulation.world import World
from firmware_configs.hardware_profile import HardwareProfile
from firmware_configs.loading import MAX_PROFILE_BYTES, load_site, profile_path, read_profile, site_path
from firmware_configs.registers import RegisterMap

TICK_S = 0.1
"""Between two looks at the clock: a sentence is at most this late."""
CLOSE_TIMEOUT_S = 1.5

log = structlog.get_logger()


@dataclass(frozen=True)
class SimulationSettings:
    """What to simulate.

    Attributes:
        site: site id.
        hardware: hardware profile whose sources are simulated.
        seed: of the run.
        out: endpoints file.
        profiles_dir: folder of the profiles.
        rate: simulated seconds a second.
    """

    site: str
    hardware: str
    seed: int
    out: Path
    profiles_dir: Path
    rate: float


async def simulate(settings: SimulationSettings, until: Callable[[], Awaitable[object]] | None = None) -> None:
    """Run the hardware until SIGTERM or SIGINT.

    Args:
        settings: what to simulate.
        until: what to wait for instead of a signal.

    Raises:
        ConfigError: a profile is not valid, or the endpoints file cannot be written.
        LinkError: an endpoint cannot be opened.
    """
    world, plan = build_world(settings)
    feeds: list[tuple[FeedPlan, Feed]] = []
    plcs: list[tuple[str, Plc]] = []
    links: dict[str, dict[str, object]] = {}
    try:
        for feed_plan in plan.feeds:
            feed: Feed = await open_tcp_feed() if feed_plan.baud is None else PtyFeed(feed_plan.baud)
            feeds.append((feed_plan, feed))
        for source, plc in _make_plcs(plan, world, settings.profiles_dir):
            plcs.append((source, plc))
            await plc.open()
        links = {plan.source: feed.link() for plan, feed in feeds} | {source: plc.link() for source, plc in plcs}
        write_endpoints(settings.out, links)
        log.info("simulation_started", site=settings.site, seed=settings.seed, endpoints=len(links))
        await _run(world, feeds, settings.rate, until or _told_to_stop)
    finally:
        remove_endpoints(settings.out, links)
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await asyncio.gather(*(feed.close() for _, feed in feeds), *(plc.close() for _, plc in plcs))
        dropped = {plan.source: feed.dropped for plan, feed in feeds if feed.dropped}
        log.info("simulation_stopped", dropped=dropped, skipped_s=world.skipped_s)


def build_world(settings: SimulationSettings) -> tuple[World, HardwarePlan]:
    """Read the profiles and return the port and what has to be opened for it.

    Raises:
        ConfigError: a profile is missing or not valid.
    """
    site = load_site(settings.site, settings.profiles_dir)
    folder = settings.profiles_dir / "hardware"
    path = profile_path(folder, settings.hardware, folder, "hardware")
    plan = plan_hardware(read_profile(path, HardwareProfile), site)
    chart = read_chart(site_path(settings.site, settings.profiles_dir).parent / site.geometry)
    harbour = read_harbour(site, chart)
    fleet, is_real_time = load_fleet(settings.site), settings.rate == 1.0
    world = World(
        site, harbour, fleet, settings.seed, plan.berths(), sounder_at=plan.place_of("depth"),
        text_at=plan.place_of("hooks"), is_real_time=is_real_time,
    )  # fmt: skip
    return world, plan


def read_chart(path: Path) -> dict[str, Any]:
    """Read a site's GeoJSON.

    Raises:
        ConfigError: missing, over ``MAX_PROFILE_BYTES``, or not a FeatureCollection.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PROFILE_BYTES + 1)
        chart = json.loads(data) if len(data) <= MAX_PROFILE_BYTES else None
    except (OSError, ValueError) as exc:
        raise ConfigError("read chart", str(path), str(exc), "see docs/chart.md", "unreadable") from exc
    if not isinstance(chart, dict) or not isinstance(chart.get("features"), list):
        raise ConfigError("read chart", str(path), "not a FeatureCollection", "see docs/chart.md", "invalid")
    return chart


def _make_plcs(plan: HardwarePlan, world: World, profiles_dir: Path) -> Iterator[tuple[str, ModbusPlc | RtuBus]]:
    """Return the TCP servers and buses, not opened, by source."""
    for plc in plan.plcs:
        yield plc.source, _make_plc(plc, world, profiles_dir)
    for bus in plan.buses:
        yield bus.source, RtuBus([_make_plc(plc, world, profiles_dir) for plc in bus.plcs], bus.baud)


def _make_plc(plan: PlcPlan, world: World, profiles_dir: Path) -> ModbusPlc:
    register_map = plan.register_map
    if isinstance(register_map, str):
        folder = profiles_dir / "hardware" / "registers"
        register_map = read_profile(profile_path(folder, register_map, folder, plan.source), RegisterMap)

    def values() -> Mapping[str, float | bool]:
        if plan.kind == "tide":
            return world.tide_values()
        return world.crane_values(plan.place) if plan.kind == "crane" else world.berth_values(plan.place)

    return ModbusPlc(register_map, plan.unit_id, values)


async def _run(
    world: World, feeds: list[tuple[FeedPlan, Feed]], rate: float, until: Callable[[], Awaitable[object]]
) -> None:
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(_tick(world, feeds, rate), name="simulation-tick")
        await until()
        ticking.cancel()


async def _tick(world: World, feeds: list[tuple[FeedPlan, Feed]], rate: float) -> None:
    start_s, epoch_s = time.monotonic(), time.time()
    while True:
        lines = world.advance((time.monotonic() - start_s) * rate, epoch_s)
        for plan, feed in feeds:
            if feed.send(getattr(lines, plan.feed)) and plan.feed == "ais":
                log.info("reader_attached", source=plan.source)
                world.announce()
        await asyncio.sleep(TICK_S)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
