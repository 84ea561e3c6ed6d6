"""The demonstration port is one that ships can use: water where they sail, land where quays stand."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from shapely.geometry import shape  # type: ignore[import-untyped]  # shapely ships no types

from firmware_configs.site import Berth, Crane
from tests.support.demo_port import demo_chart, demo_harbour, demo_site, features, in_metres, solid_ground

TOUCH_M2 = 5.0
"""Coordinates are rounded to a centimetre: shapes that touch may overlap by so little."""
SITE = demo_site()
WATER_KINDS = ("fairway", "fairway_lane", "pilot_boarding", "anchorage", "restricted", "berth", "depth_area", "buoy")
PROPERTIES = {
    "land": set(),
    "breakwater": set(),
    "depth_area": {"depth_m"},
    "fairway": {"depth_m", "max_speed_kn"},
    "fairway_lane": {"direction", "width_m"},
    "pilot_boarding": set(),
    "anchorage": {"depth_m"},
    "restricted": {"reason_es", "reason_en"},
    "quay": {"length_m"},
    "berth": {
        "quay", "from_m", "to_m", "depth_m", "max_loa_m", "max_beam_m", "max_draught_m", "heading_deg",
    },
    "bollard": {"number", "quay"},
    "crane": {"quay", "parked_at_m", "outreach_m", "safe_working_load_t"},
    "buoy": {"colour"},
    "instrument": {"instrument"},
}  # fmt: skip


def feature(kind: str, name: str) -> dict[str, Any]:
    (found,) = [item for item in features(kind) if item["properties"]["id"] == name]
    return found


def ids(kind: str) -> set[str]:
    return {item["properties"]["id"] for item in features(kind)}


def test_the_port_has_what_a_commercial_port_has() -> None:
    counts = Counter(item["properties"]["kind"] for item in demo_chart()["features"])
    assert (counts["quay"], counts["berth"], counts["crane"], counts["breakwater"]) == (2, 6, 4, 2)
    assert {item["properties"]["direction"] for item in features("fairway_lane")} == {"inbound", "outbound"}
    for kind in PROPERTIES:
        assert counts[kind] >= 1, kind
    kinds = {item["properties"]["instrument"] for item in features("instrument")}
    assert kinds == {"weather_mast", "tide_gauge", "ais_receiver", "berth_sensor", "radar", "gnss_antenna"}
    assert {item["properties"]["colour"] for item in features("buoy")} == {"red", "green", "yellow", "safe_water"}


def test_every_feature_has_the_properties_of_its_kind_and_a_unique_id() -> None:
    names = [item["properties"]["id"] for item in demo_chart()["features"]]
    doubled = {name for name, count in Counter(names).items() if count > 1}
    assert not doubled
    for item in demo_chart()["features"]:
        properties = item["properties"]
        assert set(properties) == {"kind", "id", "name_es", "name_en"} | PROPERTIES[properties["kind"]]


def test_the_collection_carries_what_the_map_shows_first() -> None:
    chart = demo_chart()
    assert chart["site"] == SITE.site
    assert chart["time_zone"] == SITE.time_zone
    assert (chart["name_es"], chart["name_en"]) == (SITE.name.es, SITE.name.en)
    bounds = SITE.bounds
    assert chart["bounds"] == [bounds.west_deg, bounds.south_deg, bounds.east_deg, bounds.north_deg]


@pytest.mark.parametrize("item", demo_chart()["features"], ids=lambda item: str(item["properties"]["id"]))
def test_every_shape_is_valid_and_inside_the_bounds(item: dict[str, Any]) -> None:
    geometry = shape(item["geometry"])
    west, south, east, north = demo_chart()["bounds"]
    assert geometry.is_valid
    assert west <= geometry.bounds[0] <= geometry.bounds[2] <= east
    assert south <= geometry.bounds[1] <= geometry.bounds[3] <= north


@pytest.mark.parametrize("kind", WATER_KINDS)
def test_what_belongs_in_the_water_is_in_the_water(kind: str) -> None:
    for item in features(kind):
        geometry = in_metres(item)
        if geometry.geom_type == "Polygon":
            assert geometry.intersection(solid_ground()).area < TOUCH_M2, item["properties"]["id"]
        else:
            assert not geometry.intersects(solid_ground()), item["properties"]["id"]


def test_the_water_test_would_see_a_berth_on_land() -> None:
    """Mutation proof: the same measure rejects a berth shifted by its own width towards the quay."""
    from shapely.affinity import translate  # type: ignore[import-untyped]  # noqa: PLC0415 - only this proof needs it

    place = demo_harbour().berths["norte-1"]
    inland = place.abeam(-60)
    berth = in_metres(feature("berth", "norte-1"))
    shifted = translate(berth, inland.x_m - place.centre.x_m, inland.y_m - place.centre.y_m)
    assert shifted.intersection(solid_ground()).area > TOUCH_M2


def test_lanes_lie_in_the_fairway_and_run_opposite_to_each_other() -> None:
    (fairway,) = features("fairway")
    lanes = {item["properties"]["direction"]: in_metres(item) for item in features("fairway_lane")}
    for lane in lanes.values():
        assert in_metres(fairway).buffer(0.1).contains(lane)
    inbound, outbound = list(lanes["inbound"].coords), list(lanes["outbound"].coords)
    way_in = (inbound[-1][0] - inbound[0][0], inbound[-1][1] - inbound[0][1])
    way_out = (outbound[-1][0] - outbound[0][0], outbound[-1][1] - outbound[0][1])
    dot = way_in[0] * way_out[0] + way_in[1] * way_out[1]
    assert dot < -0.99 * lanes["inbound"].length * lanes["outbound"].length * 0.95


def test_traffic_keeps_to_starboard_and_lanes_do_not_overlap() -> None:
    lanes = {item["properties"]["direction"]: item for item in features("fairway_lane")}
    inbound, outbound = in_metres(lanes["inbound"]), in_metres(lanes["outbound"])
    width = (lanes["inbound"]["properties"]["width_m"] + lanes["outbound"]["properties"]["width_m"]) / 2
    assert inbound.distance(outbound) >= width
    # seen along the inbound lane, the outbound one is to port: the cross product is positive
    start, end = inbound.coords[0], inbound.coords[1]
    other = outbound.coords[-1]
    cross = (end[0] - start[0]) * (other[1] - start[1]) - (end[1] - start[1]) * (other[0] - start[0])
    assert cross > 0


def test_lanes_lead_from_the_pilot_to_the_harbour() -> None:
    pilot = in_metres(features("pilot_boarding")[0])
    lanes = {item["properties"]["direction"]: in_metres(item) for item in features("fairway_lane")}
    berth = in_metres(feature("berth", "norte-1"))
    assert lanes["inbound"].interpolate(0).distance(pilot) < 1500
    assert lanes["inbound"].interpolate(1, normalized=True).distance(berth) < 1500
    assert lanes["outbound"].interpolate(0).distance(berth) < 1500


@pytest.mark.parametrize("quay", SITE.quays, ids=lambda quay: str(quay.quay))
def test_quays_stand_on_the_edge_of_the_land_and_are_as_long_as_they_say(quay: Any) -> None:
    item = feature("quay", quay.quay)
    line = in_metres(item)
    assert line.hausdorff_distance(line.intersection(solid_ground().boundary.buffer(2.0))) < 0.5
    assert line.length == pytest.approx(quay.length_m, rel=0.02)
    assert item["properties"]["length_m"] == quay.length_m


@pytest.mark.parametrize("berth", SITE.berths, ids=lambda berth: str(berth.berth))
def test_berths_touch_their_quay_where_they_say(berth: Berth) -> None:
    item = feature("berth", berth.berth)
    quay = in_metres(feature("quay", berth.quay))
    alongside = in_metres(item).buffer(0.5).intersection(quay)
    assert alongside.length == pytest.approx(berth.to_m - berth.from_m, abs=2)
    chainages = [quay.project(in_metres(item).exterior.interpolate(0)), quay.project(alongside.centroid)]
    assert berth.from_m - 1 <= chainages[1] <= berth.to_m + 1
    properties = item["properties"]
    assert {key: properties[key] for key in ("quay", "from_m", "to_m", "depth_m", "max_loa_m")} == {
        "quay": berth.quay, "from_m": berth.from_m, "to_m": berth.to_m,
        "depth_m": berth.depth_m, "max_loa_m": berth.max_loa_m,
    }  # fmt: skip
    assert (properties["max_beam_m"], properties["max_draught_m"]) == (berth.max_beam_m, berth.max_draught_m)
    assert berth.max_draught_m < berth.depth_m
    assert berth.max_loa_m < berth.to_m - berth.from_m


def test_berths_of_one_quay_do_not_overlap_and_lie_on_it() -> None:
    lengths = {quay.quay: quay.length_m for quay in SITE.quays}
    for berth in SITE.berths:
        assert 0 <= berth.from_m < berth.to_m <= lengths[berth.quay]
    for one, other in combinations(SITE.berths, 2):
        if one.quay == other.quay:
            assert one.to_m <= other.from_m or other.to_m <= one.from_m
        assert in_metres(feature("berth", one.berth)).intersection(
            in_metres(feature("berth", other.berth))
        ).area < TOUCH_M2  # fmt: skip


@pytest.mark.parametrize("crane", SITE.cranes, ids=lambda crane: str(crane.crane))
def test_cranes_stand_on_land_beside_their_quay(crane: Crane) -> None:
    item = feature("crane", crane.crane)
    point, quay = in_metres(item), in_metres(feature("quay", crane.quay))
    assert solid_ground().contains(point)
    assert point.distance(quay) <= 40
    assert quay.project(point) == pytest.approx(crane.parked_at_m, abs=2)
    properties = item["properties"]
    assert (properties["quay"], properties["parked_at_m"]) == (crane.quay, crane.parked_at_m)
    assert (properties["outreach_m"], properties["safe_working_load_t"]) == (
        crane.outreach_m, crane.safe_working_load_t,
    )  # fmt: skip


def test_bollards_are_numbered_along_their_quay() -> None:
    for quay in SITE.quays:
        line = in_metres(feature("quay", quay.quay))
        bollards = [item for item in features("bollard") if item["properties"]["quay"] == quay.quay]
        numbers = [item["properties"]["number"] for item in bollards]
        chainages = [line.project(in_metres(item)) for item in bollards]
        assert numbers == list(range(1, len(numbers) + 1))
        assert chainages == sorted(chainages)
        for item in bollards:
            assert in_metres(item).distance(line) < 3
            assert solid_ground().contains(in_metres(item))
        for berth in SITE.berths:
            if berth.quay == quay.quay:
                first, last = berth.bollards
                assert 1 <= first < last <= len(numbers)
                assert berth.from_m - 25 <= chainages[first - 1] <= chainages[last - 1] <= berth.to_m + 25


def test_profile_and_chart_name_the_same_things() -> None:
    assert ids("quay") == {quay.quay for quay in SITE.quays}
    assert ids("berth") == {berth.berth for berth in SITE.berths}
    assert ids("crane") == {crane.crane for crane in SITE.cranes}
    assert ids("instrument") == {item.instrument for item in SITE.instruments}
    for item in SITE.instruments:
        shown = feature("instrument", item.instrument)
        assert shown["properties"]["instrument"] == item.kind
        assert shown["geometry"]["coordinates"] == pytest.approx([item.lon_deg, item.lat_deg])
        assert solid_ground().buffer(5).contains(in_metres(shown))


def test_the_fairway_is_deep_enough_for_the_deepest_berth() -> None:
    (fairway,) = features("fairway")
    assert fairway["properties"]["depth_m"] >= max(berth.depth_m for berth in SITE.berths)


def test_the_un_locode_is_nobody_s() -> None:
    assert SITE.un_locode == "ESZZZ"
