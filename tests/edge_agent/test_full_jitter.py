from hypothesis import given
from hypothesis import strategies as st

from edge_agent.backoff import FullJitter


def test_steps_double_up_to_the_cap() -> None:
    backoff = FullJitter(0.5, 15.0, draw=lambda: 1.0)
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]
    assert backoff.attempts == 7


def test_a_success_begins_anew() -> None:
    backoff = FullJitter(0.5, 15.0, draw=lambda: 1.0)
    backoff.next_s()
    backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 0.5


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2000))
def test_no_delay_is_over_the_cap_however_long_it_lasts(drawn: float, attempts: int) -> None:
    backoff = FullJitter(0.1, 2.0, draw=lambda: drawn)
    assert all(0 <= backoff.next_s() <= 2.0 for _ in range(attempts + 1))


def test_the_system_s_randomness_spreads_attempts() -> None:
    delays = [FullJitter(1.0, 1.0).next_s() for _ in range(50)]
    assert len({round(delay, 2) for delay in delays}) > 10
