from hypothesis import given
from hypothesis import strategies as st

from fleet_deploy.processes.restarts import BackoffLimits, RestartPolicy

LIMITS = BackoffLimits(base_s=0.5, cap_s=10.0, stable_s=20.0)


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    policy = RestartPolicy(LIMITS, lambda: 1.0)
    assert [policy.delay_after_exit(0, 0) for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert policy.restarts == 7


def test_a_run_that_lasted_makes_it_begin_again() -> None:
    policy = RestartPolicy(LIMITS, lambda: 1.0)
    for _ in range(5):
        policy.delay_after_exit(0, 0)
    assert policy.delay_after_exit(100, 120) == 0.5


def test_a_crash_at_every_start_for_a_year_does_not_overflow() -> None:
    policy = RestartPolicy(LIMITS, lambda: 1.0)
    assert {policy.delay_after_exit(0, 0) for _ in range(5000)} == {0.5, 1.0, 2.0, 4.0, 8.0, 10.0}


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000)), max_size=60))
def test_a_wait_is_never_negative_and_never_over_the_cap(runs: list[tuple[float, float]]) -> None:
    draws = iter([draw for draw, _ in runs])
    policy = RestartPolicy(LIMITS, lambda: next(draws))
    assert all(0 <= policy.delay_after_exit(0, lasted_s) <= LIMITS.cap_s for _, lasted_s in runs)
