"""The ledger check against sets of numbers, which cannot be wrong about ranges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.history.accounting_policy import account
from cloud_api.history.models import SeqRange, StreamEvidence
from cloud_api.history.ranges import intersect, merge, runs, subtract, total

numbers = st.sets(st.integers(1, 60))


def runs_of(values: set[int]) -> list[SeqRange]:
    return merge(SeqRange(value, value) for value in values)


def members(ranges: list[SeqRange]) -> set[int]:
    return {value for item in ranges for value in range(item.first_seq, item.last_seq + 1)}


@given(numbers)
def test_runs_hold_the_same_numbers_and_never_touch(values: set[int]) -> None:
    ranges = runs_of(values)
    assert members(ranges) == values
    assert all(left.last_seq + 1 < right.first_seq for left, right in pairwise(ranges))
    assert ranges == runs(sorted(values))
    assert total(ranges) == len(values)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=12))
def test_merging_overlapping_ranges_is_their_union(pairs: list[tuple[int, int]]) -> None:
    ranges = [SeqRange(first_seq, first_seq + length) for first_seq, length in pairs]
    assert members(merge(ranges)) == members(ranges)


@given(numbers, numbers)
def test_difference_and_intersection_are_those_of_sets(left: set[int], right: set[int]) -> None:
    assert members(subtract(runs_of(left), runs_of(right))) == left - right
    assert members(intersect(runs_of(left), runs_of(right))) == left & right


@given(numbers, numbers, numbers)
def test_a_stream_is_whole_exactly_if_every_number_has_one_explanation(
    points: set[int], gaps: set[int], ledger: set[int]
) -> None:
    covered = runs_of(points | gaps)
    evidence = StreamEvidence("s", runs_of(points), runs_of(gaps), runs_of(ledger), covered=covered, declared=len(gaps))
    balance = account(evidence)
    top = max(points | gaps | ledger, default=0)
    assert balance.max_seq == top
    assert (balance.received, balance.declared_gap) == (len(points), len(gaps))
    assert members(balance.holes) == set(range(1, top + 1)) - points - gaps
    assert members(balance.unbacked) == ledger - points - gaps
    is_whole = not (points & gaps) and points | gaps == set(range(1, top + 1))
    assert balance.is_whole() == is_whole
    if balance.is_whole():
        assert balance.received + balance.declared_gap == balance.max_seq


def test_what_was_acknowledged_and_is_not_there_is_named() -> None:
    evidence = StreamEvidence("s", points=[SeqRange(1, 10)], gaps=[SeqRange(11, 12)], ledger=[SeqRange(1, 20)])
    balance = account(evidence)
    assert balance.unbacked == [SeqRange(13, 20)]
    assert balance.holes == [SeqRange(13, 20)]


def test_a_trillion_numbers_cost_no_more_than_their_ranges() -> None:
    whole = [SeqRange(1, 10**12)]
    assert account(StreamEvidence("s", points=whole, gaps=[], ledger=whole, covered=whole)).is_whole()


def test_a_running_balance_that_left_its_tables_is_told() -> None:
    evidence = StreamEvidence("s", points=[SeqRange(1, 9)], gaps=[SeqRange(10, 12)], ledger=[SeqRange(1, 12)],
                              covered=[SeqRange(1, 13)], declared=2)  # fmt: skip
    assert account(evidence).drift == [
        "running balance covers 13 numbers, the tables 12",
        "running balance declares 2 numbers lost, the tables 3",
    ]
