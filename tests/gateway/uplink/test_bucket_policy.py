import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.bucket_policy import TokenBucket


def test_without_a_rate_everything_goes() -> None:
    bucket = TokenBucket(None, 10)
    bucket.take(10**9, 0)
    assert bucket.left(0) == math.inf
    assert bucket.above_at(10**9, 5) == 5


def test_what_is_larger_than_the_burst_goes_on_debt_that_is_paid_back() -> None:
    bucket = TokenBucket(100, 50)
    bucket.take(250, 0)
    assert bucket.left(0) == -200
    assert bucket.above_at(0, 0) >= 2
    assert bucket.left(2.1) > 0
    assert bucket.left(1000) == 50


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(100, 50)
    bucket.take(50, 10)
    assert bucket.left(5) == 0
    assert bucket.left(5.1) > 0


def test_debt_has_a_floor_where_one_is_given() -> None:
    bucket = TokenBucket(1, 50, debt_bytes=100)
    bucket.take(10_000, 0)
    assert bucket.left(0) == -100


def test_what_it_can_never_hold_is_never_there() -> None:
    assert TokenBucket(1, 50).above_at(50, 0) == math.inf


@given(
    sizes=st.lists(st.integers(1, 5000), max_size=60),
    steps=st.lists(st.floats(0, 3), max_size=60),
    rate=st.integers(10, 10_000),
)
def test_over_any_time_no_more_than_rate_burst_and_one_packet_goes(
    sizes: list[int], steps: list[float], rate: int
) -> None:
    bucket = TokenBucket(rate, 1000)
    now, sent = 0.0, 0
    for size, step in zip(sizes, steps, strict=False):
        now += step
        if bucket.left(now) > 0:
            bucket.take(size, now)
            sent += size
    assert sent <= 1000 + now * rate + 5000
