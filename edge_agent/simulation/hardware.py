"""Which hardware is simulated: the sources of a hardware profile, each with what it stands at on the site. Sans-io.

A source is simulated by its driver and its place: a crane's PLC by its register map, a berth's cabinet and a tide gauge
likewise, a source of sentences by the instrument or berth where it stands. A serial link becomes a pty of the same
speed, with several PLCs on it if it is a bus; any other a TCP server. One source of each kind of sentences is played.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from contracts.errors import ConfigError
from firmware_configs.hardware_profile import BerthAsciiSource, BerthSource, HardwareProfile, QuayCraneSource, Source
from firmware_configs.links import SerialLink
from firmware_configs.registers import RegisterMap
from firmware_configs.site import SiteProfile

FeedKind = Literal["ais", "wind", "depth", "radar", "gnss", "tide", "hooks"]
PlcKind = Literal["crane", "berth", "tide"]
_FEED_OF_INSTRUMENT: dict[str, FeedKind] = {
    "ais_receiver": "ais",
    "weather_mast": "wind",
    "radar": "radar",
    "gnss_antenna": "gnss",
}


@dataclass(frozen=True)
class FeedPlan:
    """An instrument that sends sentences. ``baud``: of its serial line, None for TCP."""

    source: str
    feed: FeedKind
    baud: int | None
    place: str = ""


@dataclass(frozen=True)
class PlcPlan:
    """A PLC. ``register_map``: name of the map, or the map; ``kind``: what it measures at its place."""

    source: str
    place: str
    unit_id: int
    register_map: str | RegisterMap
    kind: PlcKind


@dataclass(frozen=True)
class BusPlan:
    """PLCs on one serial bus."""

    source: str
    plcs: tuple[PlcPlan, ...]
    baud: int


@dataclass(frozen=True)
class HardwarePlan:
    """What has to be simulated."""

    feeds: list[FeedPlan]
    plcs: list[PlcPlan]
    buses: list[BusPlan]

    def berths(self) -> list[str]:
        """Return the berths with hooks and lasers, each once."""
        every = [*self.plcs, *(plc for bus in self.buses for plc in bus.plcs)]
        found = [plc.place for plc in every if plc.kind == "berth"]
        return list(dict.fromkeys([*found, *(feed.place for feed in self.feeds if feed.feed == "hooks")]))

    def place_of(self, feed: FeedKind) -> str | None:
        """Return where a kind of sentences comes from, ``None`` where none does."""
        return next((plan.place for plan in self.feeds if plan.feed == feed), None)


def plan_hardware(profile: HardwareProfile, site: SiteProfile) -> HardwarePlan:
    """Return what has to be simulated.

    Args:
        profile: the hardware profile.
        site: where its sources stand.

    Raises:
        ConfigError: a source stands nowhere, or where nothing of its kind can be simulated.
    """
    plan = HardwarePlan([], [], [])
    for source in profile.sources:
        if not isinstance(source, QuayCraneSource | BerthSource):
            plan.feeds.append(_plan_feed(profile, source, site))
            continue
        plcs = tuple(_plan_plcs(profile, source, site))
        if isinstance(source.link, SerialLink):
            plan.buses.append(BusPlan(source.source, plcs, source.link.baud))
        elif len(plcs) == 1:
            plan.plcs.append(plcs[0])
        else:
            cause = f"{source.source}: several units behind one TCP server are not simulated"
            raise ConfigError("plan hardware", profile.profile, cause, "give them a serial bus", "invalid")
    kinds = [feed.feed for feed in plan.feeds]
    if repeated := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        cause = f"several sources of {', '.join(repeated)} are not simulated"
        raise ConfigError("plan hardware", profile.profile, cause, "simulate one of each", "invalid")
    return plan


def _plan_feed(profile: HardwareProfile, source: Source, site: SiteProfile) -> FeedPlan:
    place = source.place or ""
    feeds: dict[str, FeedKind]
    if isinstance(source, BerthAsciiSource):
        gauges = [item.instrument for item in site.instruments if item.kind == "tide_gauge"]
        berths = [berth.berth for berth in site.berths]
        feeds = dict.fromkeys(gauges, "tide") if source.protocol == "level" else dict.fromkeys(berths, "hooks")
    else:
        feeds = {
            item.instrument: _FEED_OF_INSTRUMENT[item.kind]
            for item in site.instruments
            if item.kind in _FEED_OF_INSTRUMENT
        }
        feeds |= {berth.berth: "depth" for berth in site.berths}
    _check(profile, source.source, place, set(feeds))
    return FeedPlan(
        source.source, feeds[place], source.link.baud if isinstance(source.link, SerialLink) else None, place
    )


def _plan_plcs(profile: HardwareProfile, source: QuayCraneSource | BerthSource, site: SiteProfile) -> Iterator[PlcPlan]:
    kinds: dict[str, PlcKind]
    if isinstance(source, QuayCraneSource):
        kinds = {crane.crane: "crane" for crane in site.cranes}
    else:
        kinds = {berth.berth: "berth" for berth in site.berths}
        kinds |= {item.instrument: "tide" for item in site.instruments if item.kind == "tide_gauge"}
    for unit in source.all_units():
        place = unit.place or source.place or ""
        _check(profile, source.source, place, set(kinds))
        yield PlcPlan(source.source, place, unit.unit_id, unit.registers, kinds[place])


def _check(profile: HardwareProfile, source: str, place: str, allowed: set[str]) -> None:
    if place not in allowed:
        cause = f"{source}: nothing to simulate at place {place!r}"
        raise ConfigError("plan hardware", profile.profile, cause, f"allowed: {', '.join(sorted(allowed))}", "invalid")
