import itertools

import pytest

from edge_agent.simulation.reporting import (
    POSITIONS_WITHIN_S,
    STATICS_WITHIN_S,
    Schedule,
    class_a_interval_s,
    class_b_interval_s,
)

STATIONS = list(range(200))


@pytest.mark.parametrize(
    ("sog_kn", "turn_deg_s", "is_fast", "interval_s"),
    [
        (0.1, 0.0, True, 180.0),
        (3.4, 0.0, True, 10.0),
        (0.1, 0.0, False, 10.0),
        (12.0, 0.0, False, 10.0),
        (12.0, 0.3, False, 10 / 3),
        (12.0, -0.3, False, 10 / 3),
        (18.0, 0.0, False, 6.0),
        (18.0, 0.3, False, 2.0),
        (25.0, 0.0, False, 2.0),
    ],
)
def test_class_a_reports_by_speed_and_turn(
    sog_kn: float,
    turn_deg_s: float,
    is_fast: bool,  # noqa: FBT001 - a column of the table above
    interval_s: float,
) -> None:
    assert class_a_interval_s(sog_kn, turn_deg_s, is_fast=is_fast) == interval_s


@pytest.mark.parametrize(("sog_kn", "interval_s"), [(0.0, 180.0), (2.0, 180.0), (2.1, 30.0), (20.0, 30.0)])
def test_class_b_reports_by_speed(sog_kn: float, interval_s: float) -> None:
    assert class_b_interval_s(sog_kn) == interval_s


def test_everybody_is_heard_within_seconds_of_the_start_and_not_all_at_once() -> None:
    schedule = Schedule(STATIONS, seed=1)
    heard = [
        [mmsi for mmsi in STATIONS if schedule.is_position_due(mmsi, second / 2, 180.0)] for second in range(1, 61)
    ]
    assert sum(map(len, heard[: int(POSITIONS_WITHIN_S * 2)])) == len(STATIONS)
    assert max(map(len, heard)) < 30
    assert not sum(map(len, heard[int(POSITIONS_WITHIN_S * 2) :]))


def test_static_data_follow_once_and_then_every_six_minutes() -> None:
    schedule = Schedule(STATIONS, seed=1)
    times: dict[int, list[int]] = {mmsi: [] for mmsi in STATIONS}
    for second in range(800):
        for mmsi in STATIONS:
            if schedule.is_static_due(mmsi, float(second)):
                times[mmsi].append(second)
    for seconds in times.values():
        assert seconds[0] <= STATICS_WITHIN_S + 1
        assert [later - earlier for earlier, later in itertools.pairwise(seconds)] == [360, 360]


def test_a_new_reader_hears_everybody_again() -> None:
    schedule = Schedule(STATIONS, seed=1)
    for second in range(100):
        for mmsi in STATIONS:
            schedule.is_position_due(mmsi, float(second), 180.0)
            schedule.is_static_due(mmsi, float(second))
    schedule.announce(100.0)
    again = {mmsi for second in range(100, 112) for mmsi in STATIONS if schedule.is_position_due(mmsi, second, 180.0)}
    static = {mmsi for second in range(100, 122) for mmsi in STATIONS if schedule.is_static_due(mmsi, second)}
    assert again == static == set(STATIONS)


def test_without_the_announcement_a_new_reader_waits_for_minutes() -> None:
    """Mutation proof: moored ships would be invisible for up to three minutes."""
    schedule = Schedule(STATIONS, seed=1)
    for second in range(100):
        for mmsi in STATIONS:
            schedule.is_position_due(mmsi, float(second), 180.0)
    again = [mmsi for second in range(100, 112) for mmsi in STATIONS if schedule.is_position_due(mmsi, second, 180.0)]
    assert not again


def test_a_ship_that_puts_to_sea_is_heard_at_its_new_interval_at_once() -> None:
    schedule = Schedule([1], seed=1)
    for second in range(60):
        schedule.is_position_due(1, float(second), 180.0)
    assert schedule.is_position_due(1, 60.0, 10.0)
    reports = [second for second in range(61, 101) if schedule.is_position_due(1, float(second), 10.0)]
    assert len(reports) == 4
