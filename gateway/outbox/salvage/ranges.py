"""Sets of sequence numbers as sorted lists of ranges, both ends included. Sans-io."""

from collections.abc import Iterable

Range = tuple[int, int]


def union(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in order, with those that overlap or touch made one."""
    found: list[Range] = []
    for first, last in sorted(item for item in ranges if item[0] <= item[1]):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def subtract(ranges: Iterable[Range], others: Iterable[Range]) -> list[Range]:
    """Return what is in ``ranges`` and not in ``others``."""
    found: list[Range] = []
    taken = union(others)
    index = 0
    for first, last in union(ranges):
        at = first
        while index < len(taken) and taken[index][1] < at:
            index += 1
        step = index
        while step < len(taken) and taken[step][0] <= last:
            if taken[step][0] > at:
                found.append((at, taken[step][0] - 1))
            at = max(at, taken[step][1] + 1)
            step += 1
        if at <= last:
            found.append((at, last))
    return found


def total(ranges: Iterable[Range]) -> int:
    """Return how many numbers disjoint ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def text(ranges: Iterable[Range]) -> str:
    """Return ranges as a person reads them: ``1-20, 57``."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
