"""What of each stream is gone for good after a salvage, and what is declared. Sans-io.

Lost is what the evidence says lay in the database and is not saved; where the evidence contradicts the stream's own
totals, everything between the lowest number without a receipt and the highest that was given out counts as lost.
Declared is always the latter, less what is saved: a number too many costs nothing, because the cloud lets data that it
has win over a gap; a number too few would be a hole for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.outbox.mark import Mark, Numbers
from gateway.outbox.salvage.evidence import Evidence
from gateway.outbox.salvage.ranges import Range, subtract, total, union

MAX_AHEAD = 1_000_000
"""How far a number without a checksum may be ahead of those that have one: an hour of the busiest port. A flipped bit
of the high bytes would else declare what never was."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One stream.

    Attributes:
        stream_id: its id.
        next_seq: one above the highest number that was surely given out.
        lost: ranges that lay on disk and are gone.
        declared: ranges to declare.
    """

    stream_id: str
    next_seq: int
    lost: list[Range]
    declared: list[Range]


def balance(evidence: Evidence, mark: Mark, saved: Mapping[str, Sequence[Range]]) -> list[Balance]:
    """Return the balance of every stream that is known from the pages, from the mark, or from what was saved.

    Args:
        evidence: what the pages say.
        mark: how far the streams had come.
        saved: what lies in the new database, by stream id.
    """
    by_name = {row.stream_id: key for key, row in evidence.streams.items()}
    names = dict.fromkeys([*mark.streams, *by_name, *saved])
    return [_of_stream(name, by_name.get(name), evidence, mark, list(saved.get(name, ()))) for name in names]


def _of_stream(name: str, key: int | str | None, evidence: Evidence, mark: Mark, saved: list[Range]) -> Balance:
    numbers = mark.streams.get(name, Numbers(1, 1))
    row = evidence.streams.get(key) if key is not None else None
    sure = max(numbers.next_seq, max((last + 1 for _, last in saved), default=1))
    is_blank = sure == 1 and name not in mark.streams
    told = row.next_seq if row else 1
    next_seq = max(sure, told) if is_blank or told <= sure + MAX_AHEAD else sure
    open_range = [(numbers.floor, next_seq - 1)]
    held = _held(key, evidence, saved, next_seq)
    if row is not None and total(held) == row.records:
        # what the rows of the streams did not know yet was committed after these pages
        lost = subtract([*held, (row.next_seq, next_seq - 1)], saved)
    else:
        lost = subtract([*open_range, *held], saved)
    return Balance(name, next_seq, lost, union([*subtract(open_range, saved), *lost]))


def _held(key: int | str | None, evidence: Evidence, saved: list[Range], next_seq: int) -> list[Range]:
    """Return the ranges that lay in the database by rows and index; the end of a row that is gone is guessed."""
    ends = {first: last for row_key, first, last in evidence.rows if row_key == key and last < next_seq}
    firsts = {first for entry_key, first in evidence.entries if entry_key == key and first < next_seq} | set(ends)
    starts = sorted(firsts | {first for first, _ in saved})
    following = dict(pairwise([*starts, next_seq]))
    known = dict(saved)
    found = []
    for first in sorted(firsts):
        last = ends.get(first, known.get(first, following[first] - 1))
        found.append((first, min(last, following[first] - 1)))
    return union(found)
