"""Which hardware is simulated: the sources of a hardware profile, each with what it stands at on the site. Sans-io.

A source is simulated by its driver and its place: a crane's PLC by its register map, a berth's cabinet likewise, an
``nmea`` source by the instrument or berth where it stands. A serial link becomes a pty of the same speed, any other a
TCP server.
"""

from dataclasses import dataclass
from typing import Literal

from contracts.errors import ConfigError
from firmware_configs.hardware_profile import BerthSource, HardwareProfile, QuayCraneSource
from firmware_configs.links import SerialLink
from firmware_configs.registers import RegisterMap
from firmware_configs.site import SiteProfile

FeedKind = Literal["ais", "wind", "depth", "radar", "gnss"]
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


@dataclass(frozen=True)
class PlcPlan:
    """A PLC. ``register_map``: name of the map, or the map; ``is_crane``: else it is a berth's cabinet."""

    source: str
    place: str
    unit_id: int
    register_map: str | RegisterMap
    is_crane: bool


def plan_hardware(profile: HardwareProfile, site: SiteProfile) -> tuple[list[FeedPlan], list[PlcPlan]]:
    """Return what has to be simulated.

    Args:
        profile: the hardware profile.
        site: where its sources stand.

    Raises:
        ConfigError: a source stands nowhere, or where nothing of its kind can be simulated.
    """
    cranes, berths = {crane.crane for crane in site.cranes}, {berth.berth for berth in site.berths}
    feeds: dict[str, FeedKind] = {
        item.instrument: _FEED_OF_INSTRUMENT[item.kind] for item in site.instruments if item.kind in _FEED_OF_INSTRUMENT
    }
    feeds |= dict.fromkeys(berths, "depth")
    feed_plans, plc_plans = [], []
    for source in profile.sources:
        place = source.place or ""
        if isinstance(source, QuayCraneSource | BerthSource):
            is_crane = isinstance(source, QuayCraneSource)
            _check(profile, source.source, place, cranes if is_crane else berths)
            plc_plans.append(PlcPlan(source.source, place, source.unit_id, source.registers, is_crane))
        else:
            _check(profile, source.source, place, set(feeds))
            baud = source.link.baud if isinstance(source.link, SerialLink) else None
            feed_plans.append(FeedPlan(source.source, feeds[place], baud))
    return feed_plans, plc_plans


def _check(profile: HardwareProfile, source: str, place: str, allowed: set[str]) -> None:
    if place not in allowed:
        cause = f"{source}: nothing to simulate at place {place!r}"
        raise ConfigError("plan hardware", profile.profile, cause, f"allowed: {', '.join(sorted(allowed))}", "invalid")
