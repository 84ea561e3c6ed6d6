import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health.ewma_policy import Ewma


@given(st.lists(st.floats(0.01, 500.0), min_size=1, max_size=50), st.floats(0.0, 1e6))
def test_a_steady_amount_gives_its_rate_at_any_intervals(intervals_s: list[float], per_s: float) -> None:
    rate = Ewma(60.0, 0.0)
    for passed_s in intervals_s:
        rate.add(per_s * passed_s, passed_s)
    assert rate.per_s() == pytest.approx(per_s)


def test_it_is_not_known_until_enough_was_seen() -> None:
    rate = Ewma(60.0, 10.0)
    assert rate.per_s() is None
    rate.add(5, 9.9)
    assert rate.per_s() is None
    rate.add(0, 0.1)
    assert rate.per_s() is not None


def test_no_time_is_no_rate() -> None:
    rate = Ewma(60.0, 0.0)
    rate.add(5, 0.0)
    rate.add(5, -3.0)
    assert rate.per_s() is None


def test_it_forgets() -> None:
    rate = Ewma(10.0, 0.0)
    rate.add(1000, 1.0)
    for _ in range(100):
        rate.add(5, 1.0)
    assert rate.per_s() == pytest.approx(5, abs=0.1)
