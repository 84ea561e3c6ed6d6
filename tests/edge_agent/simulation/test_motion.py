import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.simulation.geometry import Point, distance_m, turn_deg
from edge_agent.simulation.motion import Handling, Motion, hold, steam

SHIP = Handling(turn_deg_s=0.35, accelerate_mps2=0.015, brake_mps2=0.02, helm_s=15, slip_s=20)
courses = st.floats(0, 360)


def test_a_ship_takes_its_time_to_gather_way_and_to_stop() -> None:
    ship = Motion(Point(0, 0), 0.0)
    for _ in range(100):
        steam(ship, SHIP, 0.0, 5.0, 1.0)
    assert ship.sog_mps == pytest.approx(1.5)
    for _ in range(75):
        steam(ship, SHIP, 0.0, 0.0, 1.0)
    assert ship.sog_mps == pytest.approx(0.0, abs=0.03)


def test_a_turn_is_as_fast_as_the_hull_allows_and_ends_on_course() -> None:
    ship = Motion(Point(0, 0), 0.0, velocity_y_mps=5.0)
    steam(ship, SHIP, 90.0, 5.0, 1.0)
    assert ship.turn_deg_s == 0.35
    for _ in range(600):
        steam(ship, SHIP, 90.0, 5.0, 1.0)
    assert ship.heading_deg == pytest.approx(90, abs=0.1)
    assert ship.cog_deg == pytest.approx(90, abs=0.1)


@given(courses, courses, st.floats(0, 10), st.floats(0, 10))
def test_no_step_breaks_the_limits(heading: float, course: float, speed: float, wanted: float) -> None:
    radians = math.radians(heading)
    ship = Motion(Point(0, 0), heading, speed * math.sin(radians), speed * math.cos(radians))
    for _ in range(30):
        before, was_deg, was_at = ship.sog_mps, ship.heading_deg, ship.position
        steam(ship, SHIP, course, wanted, 1.0)
        assert abs(turn_deg(was_deg, ship.heading_deg)) <= 0.35 + 1e-9
        assert -0.2 <= ship.sog_mps - before <= 0.016
        assert distance_m(was_at, ship.position) <= max(before, ship.sog_mps) + 1e-9


def test_a_turn_does_not_add_speed() -> None:
    """The slip of a turn is part of the speed over ground, not beside it."""
    boat = Handling(turn_deg_s=6, accelerate_mps2=0.3, brake_mps2=0.3, helm_s=4, slip_s=2)
    motion = Motion(Point(0, 0), 0.0, velocity_y_mps=7.0)
    for second in range(60):
        steam(motion, boat, 90.0 + 40 * math.sin(second / 5), 7.0, 1.0)
        assert motion.sog_mps <= 7.0 + 0.35


@settings(max_examples=15)
@given(st.floats(-400, 400), st.floats(-400, 400), courses)
def test_a_hull_that_is_held_comes_to_rest_where_it_shall(x_m: float, y_m: float, heading: float) -> None:
    ship = Motion(Point(x_m, y_m), heading)
    for _ in range(3500):
        hold(ship, SHIP, Point(0, 0), 314.0, 0.35, 1.0)
        assert ship.sog_mps <= 0.36
    assert distance_m(ship.position, Point(0, 0)) < 0.3
    assert abs(turn_deg(ship.heading_deg, 314)) < 0.5
    assert ship.sog_mps < 0.02


def test_the_course_of_a_ship_that_lies_still_is_its_heading() -> None:
    ship = Motion(Point(0, 0), 123.0, 0.02, 0.0)
    assert ship.cog_deg == 123.0
    assert ship.sog_kn == pytest.approx(0.039, abs=0.001)
