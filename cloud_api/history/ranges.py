"""Arithmetic of ranges of sequence numbers. Sans-io.

A list of ranges is ascending and disjoint wherever it is not said otherwise.
"""

from collections.abc import Iterable, Sequence

from cloud_api.history.models import SeqRange


def merge(ranges: Iterable[SeqRange]) -> list[SeqRange]:
    """Return the union of ranges, in any order, as ascending ranges that neither overlap nor touch."""
    merged: list[SeqRange] = []
    for item in sorted(ranges):
        if merged and item.first_seq <= merged[-1].last_seq + 1:
            merged[-1] = SeqRange(merged[-1].first_seq, max(merged[-1].last_seq, item.last_seq))
        else:
            merged.append(item)
    return merged


def subtract(ranges: Sequence[SeqRange], taken: Sequence[SeqRange]) -> list[SeqRange]:
    """Return what is in ``ranges`` and not in ``taken``."""
    rest: list[SeqRange] = []
    position = 0
    for item in ranges:
        first_seq = item.first_seq
        while position < len(taken) and taken[position].last_seq < first_seq:
            position += 1
        index = position
        while index < len(taken) and taken[index].first_seq <= item.last_seq:
            if taken[index].first_seq > first_seq:
                rest.append(SeqRange(first_seq, taken[index].first_seq - 1))
            first_seq = max(first_seq, taken[index].last_seq + 1)
            index += 1
        if first_seq <= item.last_seq:
            rest.append(SeqRange(first_seq, item.last_seq))
    return rest


def intersect(left: Sequence[SeqRange], right: Sequence[SeqRange]) -> list[SeqRange]:
    """Return what is in both."""
    common: list[SeqRange] = []
    i = j = 0
    while i < len(left) and j < len(right):
        first_seq = max(left[i].first_seq, right[j].first_seq)
        last_seq = min(left[i].last_seq, right[j].last_seq)
        if first_seq <= last_seq:
            common.append(SeqRange(first_seq, last_seq))
        if left[i].last_seq < right[j].last_seq:
            i += 1
        else:
            j += 1
    return common


def runs(numbers: Iterable[int]) -> list[SeqRange]:
    """Return ascending numbers as ranges that do not touch."""
    found: list[SeqRange] = []
    for number in numbers:
        if found and number == found[-1].last_seq + 1:
            found[-1] = SeqRange(found[-1].first_seq, number)
        else:
            found.append(SeqRange(number, number))
    return found


def total(ranges: Iterable[SeqRange]) -> int:
    """Return how many numbers the ranges hold."""
    return sum(item.count() for item in ranges)
