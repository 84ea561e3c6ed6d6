"""What of each stream is gone for good after a salvage, and what is declared. Sans-io.

Lost is what the evidence says lay in the database and is not saved; where the evidence is not whole, everything between
the lowest number without a receipt and the highest that was given out counts as lost, less what is saved. Declared is
always the latter: a number too many costs nothing, because the cloud lets data that it
has win over a gap; a number too few would be a hole for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.outbox.mark import Mark, Numbers
from gateway.outbox.salvage.evidence import Evidence, StreamRow
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
    held = _held(key, evidence, saved, row, next_seq)
    if row is not None and held is not None:
        # what the rows of the streams did not know yet was committed after these pages
        lost = subtract([*held, (row.next_seq, next_seq - 1)], saved)
    else:
        lost = subtract(open_range, saved)
    return Balance(name, next_seq, lost, union([*subtract(open_range, saved), *lost]))


def _held(
    key: int | str | None, evidence: Evidence, saved: list[Range], row: StreamRow | None, next_seq: int
) -> list[Range] | None:
    """Return the ranges that lay in the database by rows and index, None where they are not all known.

    The end of a row that is gone is taken from older images of it, or is the next row's beginning; the stream's own
    total tells whether that was right. Where it was not, an index that is whole still names every row: what is counted
    too much lies between two of them.
    """
    rows = {first: last for row_key, first, last in evidence.rows if row_key == key and last < next_seq}
    entries = {first for entry_key, first in evidence.entries if entry_key == key and first < next_seq}
    if row is None or not (rows or entries):
        return [] if row is not None and row.records == 0 else None
    older = {first: last for (row_key, first), last in evidence.older_ends.items() if row_key == key}
    known = dict(saved)
    firsts = sorted(entries | rows.keys())
    starts = sorted({*firsts, *known})
    following = dict(pairwise([*starts, next_seq]))
    for hints in ({**older, **known, **rows}, {**known, **rows}):
        found = [(first, min(hints.get(first, following[first] - 1), following[first] - 1)) for first in firsts]
        if total(union(found)) == row.records:
            return union(found)
    # a whole index knows all of them, only not where each that is gone ended
    is_known = evidence.is_index_whole and rows.keys() <= entries and total(union(found)) >= row.records
    return union(found) if is_known else None
