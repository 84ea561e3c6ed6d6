"""The parts of a site that its traffic moves by, in metres: lanes, berths, anchorage, instruments. Sans-io.

*Source:* docs/chart.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from contracts.errors import ConfigError
from edge_agent.simulation.geometry import Plane, Point, at_chainage, bearing_deg, moved, turn_deg
from firmware_configs.site import SiteProfile

ANCHOR_SPACING_M = 800.0
"""Between anchored ships: the swinging circles of two 300 m ships do not meet."""
ANCHOR_MARGIN_M = 350.0
"""From the anchorage's limits to an anchor: the swinging circle stays inside."""


@dataclass(frozen=True)
class BerthPlace:
    """Where a ship lies at a berth.

    Attributes:
        berth: id.
        centre: middle of the berth on the fender line.
        heading_deg: of the ship alongside.
        seaward_deg: direction from the quay to the open water.
        length_m: along the quay.
        depth_m: below chart datum.
    """

    berth: str
    centre: Point
    heading_deg: float
    seaward_deg: float
    length_m: float
    depth_m: float

    def abeam(self, offset_m: float) -> Point:
        """Return the point ``offset_m`` off the fender line, abreast of the berth's middle."""
        return moved(self.centre, self.seaward_deg, offset_m)


class Corridor(NamedTuple):
    """Clear water around the anchorage, m: ships come by its east and north sides and leave by its south side."""

    south_y_m: float
    north_y_m: float
    east_x_m: float


@dataclass(frozen=True)
class Harbour:
    """What ships need to know of a port."""

    plane: Plane
    inbound: list[Point]
    outbound: list[Point]
    fairway_kn: float
    pilot_boarding: Point
    anchors: list[Point]
    anchorage: Corridor
    berths: dict[str, BerthPlace]
    instruments: dict[str, Point]


def read_harbour(site: SiteProfile, chart: Mapping[str, Any]) -> Harbour:
    """Take what traffic needs from a site and its chart.

    Args:
        site: the site profile.
        chart: its GeoJSON FeatureCollection.

    Raises:
        ConfigError: the chart has no lane, fairway, pilot boarding place or anchorage, or lacks a quay or berth.
    """
    bounds = site.bounds
    plane = Plane((bounds.west_deg + bounds.east_deg) / 2, (bounds.south_deg + bounds.north_deg) / 2)
    found = _Features(chart)
    lanes = {
        feature["properties"]["direction"]: plane.points(feature["geometry"]["coordinates"])
        for feature in found.all("fairway_lane")
    }
    if set(lanes) != {"inbound", "outbound"}:
        raise ConfigError("read chart", site.geometry, "needs an inbound and an outbound lane", "", "invalid")
    quays = {
        feature["properties"]["id"]: plane.points(feature["geometry"]["coordinates"]) for feature in found.all("quay")
    }
    anchorage = plane.points(found.first("anchorage")["geometry"]["coordinates"][0])
    return Harbour(
        plane=plane,
        inbound=lanes["inbound"],
        outbound=lanes["outbound"],
        fairway_kn=float(found.first("fairway")["properties"]["max_speed_kn"]),
        pilot_boarding=plane.point(*found.first("pilot_boarding")["geometry"]["coordinates"]),
        anchors=_anchor_grid(anchorage),
        anchorage=Corridor(
            south_y_m=min(point.y_m for point in anchorage) - ANCHOR_MARGIN_M,
            north_y_m=max(point.y_m for point in anchorage) + ANCHOR_MARGIN_M,
            east_x_m=max(point.x_m for point in anchorage) + ANCHOR_MARGIN_M,
        ),
        berths={place.berth: place for place in _berths(site, found, quays, plane)},
        instruments={item.instrument: plane.point(item.lon_deg, item.lat_deg) for item in site.instruments},
    )


class _Features:
    def __init__(self, chart: Mapping[str, Any]) -> None:
        self._features: list[dict[str, Any]] = list(chart["features"])

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [feature for feature in self._features if feature["properties"]["kind"] == kind]

    def first(self, kind: str) -> dict[str, Any]:
        for feature in self.all(kind):
            return feature
        raise ConfigError("read chart", kind, "the chart has none", "see docs/chart.md", "invalid")


def _berths(site: SiteProfile, found: _Features, quays: Mapping[str, list[Point]], plane: Plane) -> list[BerthPlace]:
    shapes = {feature["properties"]["id"]: feature for feature in found.all("berth")}
    places = []
    for berth in site.berths:
        shape = shapes.get(berth.berth)
        quay = quays.get(berth.quay)
        if shape is None or quay is None:
            raise ConfigError("read chart", berth.berth, "berth or its quay is not on the chart", "", "invalid")
        centre, along_deg, _ = at_chainage(quay, (berth.from_m + berth.to_m) / 2)
        ring = plane.points(shape["geometry"]["coordinates"][0])[:-1]
        water = Point(sum(p.x_m for p in ring) / len(ring), sum(p.y_m for p in ring) / len(ring))
        side = 90.0 if turn_deg(along_deg, bearing_deg(centre, water)) > 0 else -90.0
        places.append(
            BerthPlace(
                berth=berth.berth,
                centre=centre,
                heading_deg=float(shape["properties"]["heading_deg"]),
                seaward_deg=(along_deg + side) % 360,
                length_m=berth.to_m - berth.from_m,
                depth_m=berth.depth_m,
            )
        )
    return places


def _anchor_grid(ring: Sequence[Point]) -> list[Point]:
    """Return anchor positions on a grid inside a convex area, ``ANCHOR_MARGIN_M`` from its edge."""
    west, east = min(p.x_m for p in ring), max(p.x_m for p in ring)
    south, north = min(p.y_m for p in ring), max(p.y_m for p in ring)
    anchors = []
    for row in range(int((north - south) / ANCHOR_SPACING_M) + 1):
        for column in range(int((east - west) / ANCHOR_SPACING_M) + 1):
            spot = Point(west + column * ANCHOR_SPACING_M, south + row * ANCHOR_SPACING_M)
            if _clearance_m(ring, spot) >= ANCHOR_MARGIN_M:
                anchors.append(spot)
    return anchors


def _clearance_m(ring: Sequence[Point], spot: Point) -> float:
    """Return the distance to the nearest side of a convex area, negative outside; either sense of rotation."""
    sides = list(pairwise(ring))
    area = sum(start.x_m * end.y_m - end.x_m * start.y_m for start, end in sides)
    inward = []
    for start, end in sides:
        bearing = bearing_deg(start, end)
        dx, dy = spot.x_m - start.x_m, spot.y_m - start.y_m
        side = moved(Point(0, 0), bearing, 0, 1)
        to_starboard = dx * side.x_m + dy * side.y_m
        inward.append(-to_starboard if area > 0 else to_starboard)
    return min(inward)
