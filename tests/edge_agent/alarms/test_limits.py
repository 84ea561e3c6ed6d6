"""Timelines: one sample a second unless said otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.alarms.limits import NS, Limit, LimitState

HOLE_NS = 5 * NS


def a_limit(raise_after_s: float = 0, clear_after_s: float = 0, *, is_floor: bool = False) -> Limit:
    clear_at = 12.0 if is_floor else 8.0
    return Limit(
        "a", "alarm", "kN", 10.0, clear_at, round(raise_after_s * NS), round(clear_after_s * NS), is_floor=is_floor
    )


def states(limit: Limit, *values: float | None, step_s: float = 1.0) -> list[bool]:
    state = LimitState(limit, HOLE_NS)
    found = []
    for number, value in enumerate(values):
        state.judge(value, round(number * step_s * NS))
        found.append(state.is_active)
    return found


def test_the_first_sample_at_the_limit_raises_and_one_inside_the_hysteresis_clears() -> None:
    assert states(a_limit(), 9.9, 10.0, 8.0, 7.9, 9.9) == [False, True, True, False, False]


def test_a_floor_works_the_other_way_round() -> None:
    assert states(a_limit(is_floor=True), 11, 10, 12, 12.1) == [False, True, True, False]


def test_a_value_must_stay_beyond_for_its_time() -> None:
    assert states(a_limit(raise_after_s=2), 11, 11, 9, 11, 11, 11) == [False] * 5 + [True]


def test_a_value_must_stay_inside_for_its_time() -> None:
    assert states(a_limit(clear_after_s=2), 11, 7, 7, 9, 7, 7, 7) == [True] * 6 + [False]


def test_an_active_alarm_is_not_cleared_by_unknown_values() -> None:
    """The sensor is lost for nine seconds between two good values: the time inside begins again after it."""
    values = [11, 7, *[None] * 9, 7, 7, 7]
    assert states(a_limit(clear_after_s=2), *values) == [True] * 13 + [False]


def test_an_active_alarm_is_not_cleared_by_a_hole_between_samples() -> None:
    assert states(a_limit(clear_after_s=20), 11, 7, 7, step_s=19) == [True, True, True]


def test_without_the_hole_rule_silence_would_have_cleared_it() -> None:
    state = LimitState(a_limit(clear_after_s=20), hole_ns=60 * NS)
    for at_s, value in ((0, 11.0), (19, 7.0), (38, 7.0), (57, 7.0)):
        state.judge(value, at_s * NS)
    assert not state.is_active


@given(st.lists(st.one_of(st.none(), st.floats(0, 20)), max_size=80))
def test_what_is_active_was_raised_by_a_value_beyond_and_ended_by_one_inside(values: list[float | None]) -> None:
    state = LimitState(a_limit(1, 1), HOLE_NS)
    for number, value in enumerate(values):
        if state.judge(value, number * NS):
            assert value is not None
            assert value >= 10 if state.is_active else value < 8
