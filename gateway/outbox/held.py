"""Which numbers of a stream the gateway still holds, kept in step with its batches: what the cloud's accounting needs.

A list of ranges, ascending, disjoint and never touching: one while the link is down, two or three while a backlog
drains beside live data. Kept in memory, because finding the ranges anew would read every batch of a backlog. Sans-io.

*Source:* ``contracts.health.StreamStatus.buffered_ranges``.
"""

from bisect import bisect_right
from collections.abc import Iterable

from contracts.limits import MAX_BUFFERED_RANGES

Range = tuple[int, int]


class HeldRanges:
    """See the module.

    Args:
        ranges: what is held at first, ascending by first number, disjoint.
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first_seq, last_seq in ranges:
            self.add(first_seq, last_seq)

    def add(self, first_seq: int, last_seq: int) -> None:
        """Hold the numbers of a range, none of which is held yet (both included)."""
        index = bisect_right(self._firsts, first_seq)
        touches_before = index > 0 and self._lasts[index - 1] == first_seq - 1
        touches_after = index < len(self._firsts) and self._firsts[index] == last_seq + 1
        if touches_before and touches_after:
            self._lasts[index - 1] = self._lasts[index]
            del self._firsts[index], self._lasts[index]
        elif touches_before:
            self._lasts[index - 1] = last_seq
        elif touches_after:
            self._firsts[index] = first_seq
        else:
            self._firsts.insert(index, first_seq)
            self._lasts.insert(index, last_seq)

    def remove(self, first_seq: int, last_seq: int) -> bool:
        """Hold the numbers of a range no longer (both included); False, and nothing done, if one is not held."""
        index = bisect_right(self._firsts, first_seq) - 1
        if index < 0 or self._lasts[index] < last_seq:
            return False
        begins, ends = self._firsts[index], self._lasts[index]
        pieces = [(a, b) for a, b in ((begins, first_seq - 1), (last_seq + 1, ends)) if a <= b]
        self._firsts[index : index + 1] = [a for a, _ in pieces]
        self._lasts[index : index + 1] = [b for _, b in pieces]
        return True

    def total(self) -> int:
        """Return how many numbers are held."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def pairs(self) -> list[Range]:
        """Return the ranges as a status tells them; where there are too many, the last reaches over the rest."""
        found = list(zip(self._firsts, self._lasts, strict=True))
        if len(found) <= MAX_BUFFERED_RANGES:
            return found
        kept = found[:MAX_BUFFERED_RANGES]
        return [*kept[:-1], (kept[-1][0], found[-1][1])]
