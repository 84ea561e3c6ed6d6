import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.simulation.geometry import (
    Plane,
    Point,
    along_and_across,
    at_chainage,
    bearing_deg,
    distance_m,
    length_m,
    moved,
    turn_deg,
)

metres = st.floats(-20_000, 20_000)
angles = st.floats(0, 360)


@given(metres, metres)
def test_degrees_are_the_inverse_of_metres(x_m: float, y_m: float) -> None:
    plane = Plane(-0.2, 39.6)
    there = plane.point(*plane.degrees(Point(x_m, y_m)))
    assert there == pytest.approx((x_m, y_m), abs=1e-4)


def test_a_nautical_mile_is_a_minute_of_latitude() -> None:
    plane = Plane(0.0, 45.0)
    assert plane.point(0.0, 45.0 + 1 / 60).y_m == pytest.approx(1852, abs=1)
    assert plane.point(1.0, 45.0).x_m == pytest.approx(78_847, abs=5)


@pytest.mark.parametrize(("end", "bearing"), [((0, 1), 0), ((1, 0), 90), ((0, -1), 180), ((-1, 0), 270), ((0, 0), 0)])
def test_bearings_are_true(end: tuple[float, float], bearing: float) -> None:
    assert bearing_deg(Point(0, 0), Point(*end)) == pytest.approx(bearing)


@given(angles, angles)
def test_the_shorter_turn_is_taken(start: float, end: float) -> None:
    turn = turn_deg(start, end)
    assert -180 <= turn <= 180
    assert math.cos(math.radians(start + turn)) == pytest.approx(math.cos(math.radians(end)), abs=1e-9)


@given(metres, metres, angles, st.floats(1, 5000), st.floats(-500, 500))
def test_along_and_across_find_what_was_moved(x: float, y: float, heading: float, ahead: float, side: float) -> None:
    start = Point(x, y)
    end = moved(start, heading, 1000)
    assert along_and_across(start, end, moved(start, heading, ahead, side)) == pytest.approx((ahead, side), abs=1e-4)


def test_a_line_has_a_point_at_each_chainage() -> None:
    line = [Point(0, 0), Point(0, 100), Point(50, 100)]
    assert length_m(line) == 150
    assert at_chainage(line, 40) == (Point(0, 40), 0, 0)
    point, bearing, part = at_chainage(line, 120)
    assert point == pytest.approx((20, 100))
    assert bearing == pytest.approx(90)
    assert part == 1
    beyond, _, _ = at_chainage(line, 160)
    assert beyond == pytest.approx((60, 100))
    assert distance_m(Point(3, 0), Point(0, 4)) == 5


def test_a_single_point_is_no_line() -> None:
    with pytest.raises(ValueError, match="two points"):
        at_chainage([Point(0, 0)], 1)
