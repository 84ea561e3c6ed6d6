"""Ranges held, against a set of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.limits import MAX_BUFFERED_RANGES
from gateway.outbox.held import HeldRanges


@given(st.lists(st.integers(0, 39)))
def test_any_coming_and_going_of_batches_is_that_of_a_set(slots: list[int]) -> None:
    """Each slot is a batch of three numbers that comes, and goes when it is named again."""
    held, model = HeldRanges(), set[int]()
    for slot in slots:
        first = slot * 3 + 1
        numbers = {first, first + 1, first + 2}
        if numbers <= model:
            held.remove(first, first + 2)
            model -= numbers
        else:
            held.add(first, first + 2)
            model |= numbers
        pairs = held.pairs()
        assert {seq for a, b in pairs for seq in range(a, b + 1)} == model
        assert all(left[1] + 1 < right[0] for left, right in pairwise(pairs))


def test_a_part_of_a_range_may_go() -> None:
    held = HeldRanges([(1, 10), (11, 20)])
    assert held.pairs() == [(1, 20)]
    held.remove(5, 8)
    assert held.pairs() == [(1, 4), (9, 20)]


def test_beyond_the_cap_the_last_range_reaches_over_the_rest_so_that_nothing_held_is_left_out() -> None:
    held = HeldRanges([(n * 10, n * 10) for n in range(MAX_BUFFERED_RANGES + 8)])
    pairs = held.pairs()
    assert len(pairs) == MAX_BUFFERED_RANGES
    assert pairs[-1] == ((MAX_BUFFERED_RANGES - 1) * 10, (MAX_BUFFERED_RANGES + 7) * 10)


def test_what_is_not_held_whole_cannot_go() -> None:
    held = HeldRanges([(1, 10), (20, 30)])
    assert not held.remove(5, 12)
    assert not held.remove(0, 3)
    assert held.pairs() == [(1, 10), (20, 30)]
    assert held.total() == 21
