"""The demonstration port for tests: its profiles, its harbour, and its solid ground as shapely geometry in metres."""

import json
from functools import cache
from typing import Any

import numpy as np
from shapely import Polygon, transform  # type: ignore[import-untyped]  # shapely ships no types
from shapely.geometry import shape  # type: ignore[import-untyped]  # same
from shapely.ops import unary_union  # type: ignore[import-untyped]  # same

from edge_agent.simulation.fleet import Fleet, load_fleet
from edge_agent.simulation.geometry import moved
from edge_agent.simulation.harbour import Harbour, read_harbour
from edge_agent.simulation.traffic import Ship
from edge_agent.simulation.world import World
from firmware_configs.loading import PROFILES_DIR, load_site
from firmware_configs.site import SiteProfile

SITE = "puerto-demo"
EPOCH_S = 1_800_000_000.0


@cache
def demo_site() -> SiteProfile:
    return load_site(SITE)


@cache
def demo_chart() -> dict[str, Any]:
    path = PROFILES_DIR / "sites" / SITE / demo_site().geometry
    chart: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return chart


@cache
def demo_harbour() -> Harbour:
    return read_harbour(demo_site(), demo_chart())


@cache
def demo_fleet() -> Fleet:
    return load_fleet(SITE)


def demo_world(seed: int = 1) -> World:
    return World(demo_site(), demo_harbour(), demo_fleet(), seed, ["norte-1"])


def features(kind: str) -> list[dict[str, Any]]:
    return [item for item in demo_chart()["features"] if item["properties"]["kind"] == kind]


def in_metres(feature: dict[str, Any]) -> Any:
    """Return a feature's shape in metres of the harbour's plane."""
    plane = demo_harbour().plane

    def project(positions: Any) -> Any:
        return np.array([plane.point(lon_deg, lat_deg) for lon_deg, lat_deg in positions])

    return transform(shape(feature["geometry"]), project)


@cache
def solid_ground() -> Any:
    """Land and breakwaters, in metres."""
    return unary_union([in_metres(feature) for feature in [*features("land"), *features("breakwater")]])


def hull_of(ship: Ship) -> Any:
    """Return the rectangle of a ship's hull, in metres."""
    motion, half, side = ship.motion, ship.spec.length_m / 2, ship.spec.beam_m / 2
    corners = ((half, -side), (half, side), (-half, side), (-half, -side))
    return Polygon([moved(motion.position, motion.heading_deg, ahead, starboard) for ahead, starboard in corners])
