import pytest

from contracts.payloads import BerthSample
from edge_agent.drivers.berth.mooring import BreakingLoad, complete_berth
from edge_agent.drivers.berth_ascii.sample_policy import FRESH_NS, BerthRound
from edge_agent.parsers.berth_ascii import Hooks, Laser

SECOND = 1_000_000_000


def test_a_round_ends_with_the_last_hooks() -> None:
    cabinet = BerthRound()
    assert cabinet.take(Laser(1, 12.0, 0.05, ""), 0) is None
    first = cabinet.take(Hooks(1, [10.0, None], ""), 0)
    assert first is not None, "nobody knows yet that there are more"
    cabinet.take(Hooks(3, [30.0], ""), 0)
    cabinet.take(Laser(2, 11.0, 0.06, ""), SECOND)
    assert cabinet.take(Hooks(1, [11.0, 12.0], ""), SECOND) is None
    assert cabinet.take(Hooks(3, [31.0], ""), SECOND) == BerthSample(
        hook_tension_kn=[11.0, 12.0, 31.0], laser_distance_m=[12.0, 11.0], laser_approach_mps=[0.05, 0.06]
    )


def test_what_has_fallen_silent_is_left_out() -> None:
    cabinet = BerthRound()
    cabinet.take(Laser(1, 12.0, 0.05, ""), 0)
    sample = cabinet.take(Hooks(1, [10.0], ""), FRESH_NS + 1)
    assert sample == BerthSample(hook_tension_kn=[10.0])


def test_a_cabinet_without_hooks_speaks_when_a_laser_comes_round() -> None:
    cabinet = BerthRound()
    cabinet.take(Laser(1, 12.0, 0.05, ""), 0)
    cabinet.take(Laser(2, 13.0, 0.05, ""), 0)
    sample = cabinet.take(Laser(1, 11.9, 0.05, ""), SECOND)
    assert sample is not None
    assert sample.laser_distance_m == [12.0, 13.0]


@pytest.mark.parametrize(("loads", "expected"), [
    (1000.0, [10.0, None, 25.0]), ([1000.0, 800.0, 500.0], [10.0, None, 50.0]), (None, None),
])  # fmt: skip
def test_line_load_is_tension_in_percent_of_the_line_s_breaking_load(
    loads: BreakingLoad, expected: list[float | None] | None
) -> None:
    sample = complete_berth(BerthSample(hook_tension_kn=[100.0, None, 250.0]), loads)
    assert sample.hook_load_pct == expected


def test_the_nearest_laser_and_the_fastest_approach_speak_for_the_berth() -> None:
    sample = BerthSample(laser_distance_m=[12.0, None, 9.5], laser_approach_mps=[0.05, None, 0.11])
    assert complete_berth(sample, None).distance_m == 9.5
    assert complete_berth(sample, None).approach_speed_mps == 0.11
    told = BerthSample(distance_m=3.0, approach_speed_mps=0.0, laser_distance_m=[12.0])
    assert complete_berth(told, None) == told
