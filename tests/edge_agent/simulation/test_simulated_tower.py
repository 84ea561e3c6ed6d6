"""Radar, GNSS receiver and mast of the control tower: read back by our own decoder and held against the world."""

import math
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payloads import GnssFix, Payload, Transducer, Weather
from contracts.radar import RadarDisplay, RadarLabel, RadarTarget
from edge_agent.drivers.nmea.antenna_policy import AntennaPolicy
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.simulation.geometry import Point, distance_m, moved, turn_deg
from edge_agent.simulation.gnss import GnssReceiver, degrees_minutes
from edge_agent.simulation.radar import NM_M, RANGE_NM, SCANS_TO_TRACK, closest_approach
from tests.support.demo_port import EPOCH_S, demo_fleet, demo_harbour, demo_world


def read(lines: list[str]) -> list[Payload]:
    decoder = NmeaDecoder()
    payloads = [item.payload for item in decoder.feed("".join(lines).encode(), 0)]
    assert not decoder.rejected
    return payloads


def test_every_ship_in_range_is_tracked_within_the_errors_that_a_radar_may_have() -> None:
    world, place = demo_world(), demo_harbour().instruments["radar-tower"]
    last: dict[int, RadarTarget] = {}
    for scan in range(1, 21):
        targets = [p for p in read(world.advance(scan * 3.0, EPOCH_S).radar) if isinstance(p, RadarTarget)]
        last = {target.target_no: target for target in targets if target.distance_m is not None}
        near = [ship for ship in world.traffic.ships if distance_m(place, ship.motion.position) <= RANGE_NM * NM_M]
        assert len(last) == len(near)
        for target, ship in zip(last.values(), near, strict=True):
            assert target.status == ("tracking" if scan >= SCANS_TO_TRACK else "query")
            away_m = distance_m(place, ship.motion.position)
            assert target.distance_m == pytest.approx(away_m, abs=max(50, 0.01 * away_m) + 2)
            there = moved(place, target.bearing_deg or 0, away_m)
            assert distance_m(there, ship.motion.position) <= away_m * math.radians(2.1)
            assert target.sog_kn == pytest.approx(ship.motion.sog_kn, abs=0.6)
            assert abs(turn_deg(target.cog_deg or 0, ship.motion.cog_deg)) <= 2.1
    assert max(last) > 99
    assert len(last) >= 15


def test_positions_labels_and_state_of_the_radar() -> None:
    world = demo_world()
    payloads = read(world.advance(65.0, EPOCH_S).radar)
    placed = [p for p in payloads if isinstance(p, RadarTarget) and p.lon_deg is not None]
    labels = {p.target_no: p.label for p in payloads if isinstance(p, RadarLabel)}
    assert {target.target_no for target in placed} == set(labels)
    assert set(labels.values()) <= {ship.name for ship in demo_fleet().ships}
    displays = [p for p in payloads if isinstance(p, RadarDisplay)]
    assert displays[0].heading_deg == 0.0
    assert displays[1] == RadarDisplay(range_m=RANGE_NM * NM_M, orientation="north_up")


def test_a_ship_that_leaves_the_range_is_lost_once_and_comes_back_under_another_number() -> None:
    world = demo_world()
    world.advance(30.0, EPOCH_S)
    ship, radar = world.traffic.ships[0], world._radar
    assert radar is not None
    home = ship.motion.position
    ship.motion.position = Point(60_000.0, 0.0)
    first = [p for p in read(radar.scan([ship], EPOCH_S)) if isinstance(p, RadarTarget)]
    assert [target.status for target in first] == ["lost"]
    assert not radar.scan([ship], EPOCH_S + 3)
    ship.motion.position = home
    again = [p for p in read(radar.scan([ship], EPOCH_S + 6)) if isinstance(p, RadarTarget)]
    assert again[0].status == "query"
    assert again[0].target_no != first[0].target_no


@given(st.floats(10, 20_000), st.floats(0, 360), st.floats(0.1, 20), st.floats(0, 360))
def test_the_closest_approach_is_where_the_target_comes_nearest(
    away_m: float, towards: float, speed: float, course: float
) -> None:
    cpa_m, tcpa_s = closest_approach(away_m, towards, speed, course)
    start = moved(Point(0, 0), towards, away_m)
    for later_s in (tcpa_s - 5, tcpa_s, tcpa_s + 5):
        there = distance_m(Point(0, 0), moved(start, course, speed * later_s))
        assert there >= cpa_m - 1e-6 * away_m
    assert distance_m(Point(0, 0), moved(start, course, speed * tcpa_s)) == pytest.approx(cpa_m, abs=1e-6 * away_m)


def test_the_receiver_tells_its_place_and_the_time_of_its_fix() -> None:
    payloads = read(demo_world().advance(60.0, EPOCH_S).gnss)
    fixes = [p for p in payloads if isinstance(p, GnssFix)]
    assert len(fixes) == 60 * 4
    assert [fix.utc_ns for fix in fixes if fix.utc_ns and fix.lon_deg is not None] == [
        round((EPOCH_S + second) * 1e9) for second in range(60)
    ]
    plane, antenna = demo_harbour().plane, demo_harbour().instruments["gnss-antenna"]
    policy = AntennaPolicy(-0.20751, 39.64139, 25.0)
    for second, fix in enumerate(fixes):
        if fix.lon_deg is not None and fix.lat_deg is not None:
            assert distance_m(antenna, plane.point(fix.lon_deg, fix.lat_deg)) < 12
            assert policy.observe(fix, second, second * 10**9) is None


def test_a_receiver_whose_time_runs_faster_says_that_it_is_a_simulator() -> None:
    gnss = GnssReceiver(Point(0, 0), demo_harbour().plane, 1, is_real_time=False)
    fixes = [p for p in read(gnss.sentences(EPOCH_S)) if isinstance(p, GnssFix)]
    assert {fix.quality for fix in fixes if fix.lon_deg is not None} == {8}


@given(st.floats(-180, 180))
def test_degrees_and_minutes_never_show_sixty_minutes(value: float) -> None:
    text = degrees_minutes(value, 3)
    assert float(text[3:]) < 60
    assert int(text[:3]) + float(text[3:]) / 60 == pytest.approx(abs(value), abs=1e-6)


def test_the_mast_sends_the_whole_weather() -> None:
    lines = demo_world().advance(60.0, EPOCH_S).wind
    seen: dict[type[Payload], list[Payload]] = defaultdict(list)
    for payload in read(lines):
        seen[type(payload)].append(payload)
    whole = [p for p in seen[Weather] if isinstance(p, Weather) and p.pressure_hpa is not None]
    assert len(whole) == 12
    for weather in whole:
        assert weather.air_temperature_c is not None
        assert weather.dew_point_c is not None
        assert weather.dew_point_c <= weather.air_temperature_c
        assert 1000 < (weather.pressure_hpa or 0) < 1030
    assert sum(p.water_temperature_c is not None for p in seen[Weather] if isinstance(p, Weather)) == 12
    assert [p.name for p in seen[Transducer] if isinstance(p, Transducer)] == ["BATTERY"] * 12
    assert sum(kind in line for line in lines for kind in ("MDA", "MTW", "XDR")) == 36


def test_utc_of_the_fix_is_that_of_the_world() -> None:
    (line,) = [line for line in demo_world().advance(1.0, EPOCH_S).gnss if "ZDA" in line]
    assert f"{datetime.fromtimestamp(EPOCH_S, UTC):%H%M%S}" in line
