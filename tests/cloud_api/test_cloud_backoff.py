import random

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.backoff import FullJitter


@given(st.integers(), st.integers(1, 40))
def test_a_delay_stays_below_a_ceiling_that_doubles_up_to_the_cap(seed: int, attempts: int) -> None:
    backoff = FullJitter(0.1, 5.0, random.Random(seed))
    for attempt in range(attempts):
        assert 0 <= backoff.next_delay_s() <= min(5.0, 0.1 * 2**attempt)


def test_success_starts_again_at_the_first_ceiling() -> None:
    backoff = FullJitter(0.1, 5.0, random.Random(1))
    for _ in range(10):
        backoff.next_delay_s()
    backoff.reset()
    assert backoff.next_delay_s() <= 0.1


def test_two_clients_do_not_march_together() -> None:
    first, second = FullJitter(1, 8, random.Random(1)), FullJitter(1, 8, random.Random(2))
    assert [first.next_delay_s() for _ in range(5)] != [second.next_delay_s() for _ in range(5)]
