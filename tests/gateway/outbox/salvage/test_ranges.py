from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.salvage.ranges import Range, subtract, text, total, union

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda item: (item[0], item[0] + item[1])))


def numbers(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES, RANGES)
def test_ranges_are_sets_of_numbers(ranges: list[Range], others: list[Range]) -> None:
    joined, left = union(ranges), subtract(ranges, others)
    assert numbers(joined) == numbers(ranges)
    assert numbers(left) == numbers(ranges) - numbers(others)
    for found in (joined, left):
        assert total(found) == len(numbers(found))
        assert all(before[1] < after[0] for before, after in pairwise(found))


def test_ranges_read_as_a_person_writes_them() -> None:
    assert text([(1, 20), (57, 57)]) == "1-20, 57"
