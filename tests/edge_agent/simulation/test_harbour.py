import copy

import pytest
from shapely import Point as ShapelyPoint  # type: ignore[import-untyped]  # shapely ships no types

from contracts.errors import ConfigError
from edge_agent.simulation.geometry import bearing_deg, distance_m, turn_deg
from edge_agent.simulation.harbour import ANCHOR_SPACING_M, read_harbour
from tests.support.demo_port import demo_chart, demo_harbour, demo_site, features, in_metres


def test_anchors_lie_inside_the_anchorage_and_apart() -> None:
    anchors = demo_harbour().anchors
    (area,) = [in_metres(item) for item in features("anchorage")]
    assert len(anchors) >= 8
    for index, anchor in enumerate(anchors):
        assert area.contains(ShapelyPoint(anchor).buffer(340))
        assert all(distance_m(anchor, other) >= ANCHOR_SPACING_M - 0.1 for other in anchors[:index])


@pytest.mark.parametrize("berth", [berth.berth for berth in demo_site().berths])
def test_ships_lie_along_the_quay_on_its_water_side(berth: str) -> None:
    place = demo_harbour().berths[berth]
    (area,) = [in_metres(item) for item in features("berth") if item["properties"]["id"] == berth]
    assert distance_m(place.abeam(0), place.centre) == 0
    assert area.buffer(1).contains(ShapelyPoint(place.abeam(20)))
    assert abs(abs(turn_deg(place.heading_deg, place.seaward_deg)) - 90) < 0.5


def test_the_lanes_run_in_the_direction_of_traffic() -> None:
    harbour = demo_harbour()
    assert abs(turn_deg(bearing_deg(harbour.inbound[0], harbour.inbound[-1]), 350)) < 15
    assert abs(turn_deg(bearing_deg(harbour.outbound[0], harbour.outbound[-1]), 170)) < 15


@pytest.mark.parametrize("kind", ["fairway_lane", "fairway", "pilot_boarding", "anchorage", "quay", "berth"])
def test_a_chart_without_what_ships_need_is_refused(kind: str) -> None:
    chart = copy.deepcopy(demo_chart())
    chart["features"] = [item for item in chart["features"] if item["properties"]["kind"] != kind]
    with pytest.raises(ConfigError):
        read_harbour(demo_site(), chart)
