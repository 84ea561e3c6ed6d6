import pytest

from edge_agent.simulation.geometry import Point, along_and_across, distance_m
from edge_agent.simulation.motion import Motion, steam
from edge_agent.simulation.route import Route, Waypoint
from edge_agent.simulation.traffic import handling_of

SHIP = handling_of(300)


def sail(route: Route, motion: Motion, seconds: int) -> list[Point]:
    track = []
    for _ in range(seconds):
        order = route.order(motion, SHIP)
        if order.is_arrived:
            break
        steam(motion, SHIP, order.course_deg, order.speed_mps, 1.0)
        track.append(motion.position)
    return track


def test_a_ship_wheels_over_early_and_stays_near_the_line() -> None:
    corner, end = Point(0, 4000), Point(2800, 6800)
    route = Route(Point(0, 0), [Waypoint(corner, 5.0), Waypoint(end, 5.0)])
    track = sail(route, Motion(Point(0, 0), 0.0, velocity_y_mps=5.0), 3000)
    off_first = [abs(along_and_across(Point(0, 0), corner, point)[1]) for point in track if point.y_m < 3000]
    off_second = [along_and_across(corner, end, point)[1] for point in track if point.x_m > 700]
    assert max(off_first) < 5
    assert max(abs(off) for off in off_second) < 40


def test_without_the_wheel_over_the_ship_runs_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: turning at the waypoint itself throws the ship off the second leg by a ship's length."""
    monkeypatch.setattr("edge_agent.simulation.route.MAX_LEAD_SHARE", 0.0)
    corner, end = Point(0, 4000), Point(2800, 6800)
    route = Route(Point(0, 0), [Waypoint(corner, 5.0), Waypoint(end, 5.0)])
    track = sail(route, Motion(Point(0, 0), 0.0, velocity_y_mps=5.0), 3000)
    assert max(abs(along_and_across(corner, end, point)[1]) for point in track if point.x_m > 200) > 100


def test_a_ship_slows_down_before_a_slow_leg_and_stops_at_the_end() -> None:
    route = Route(Point(0, 0), [Waypoint(Point(0, 3000), 5.0), Waypoint(Point(0, 4000), 2.0)], stops_at_end=True)
    motion = Motion(Point(0, 0), 0.0, velocity_y_mps=5.0)
    while motion.position.y_m < 3000:
        order = route.order(motion, SHIP)
        steam(motion, SHIP, order.course_deg, order.speed_mps, 1.0)
    assert motion.sog_mps < 2.4
    sail(route, motion, 3000)
    assert distance_m(motion.position, Point(0, 4000)) < 20
    assert motion.sog_mps < 0.6


def test_a_loop_never_ends() -> None:
    points = [Waypoint(point, 4.0) for point in (Point(4000, 0), Point(4000, 4000), Point(0, 4000), Point(0, 0))]
    route = Route(Point(0, 0), points, is_closed=True)
    track = sail(route, Motion(Point(0, 0), 90.0, velocity_x_mps=4.0), 9000)
    assert len(track) == 9000
    assert all(-800 < point.x_m < 4800 and -800 < point.y_m < 4800 for point in track)


def test_what_remains_is_counted_along_the_legs() -> None:
    route = Route(Point(0, 0), [Waypoint(Point(0, 100), 1.0), Waypoint(Point(50, 100), 1.0)])
    assert route.remaining_m(Motion(Point(0, 40), 0.0)) == pytest.approx(110)
