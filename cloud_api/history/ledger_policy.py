"""The book of one stream: which numbers are accounted for, which are declared lost, and whose they are. Sans-io.

A ledger beside a sink cannot ask the stored records, so it keeps of them what the rules need:

* ranges that are accounted for, joined, and gaps by reason: a stream that arrives in order is one row for ever;
* a mark of 32 bits for each record of the last hour, by boot and monotonic time: another observation under a number is
  told with 1 - 2^-32, the same one always passes;
* for each of the newest boots the hull of its numbers: a copied disk runs under a boot of its own, so that its old
  numbers are told however late they come. The hull is drawn too wide, never too narrow: a resend is never refused. What
  older boots had is one hull that passes for anybody's (docs/adr/0152).

A book is opened for some batches with the rows that reach into their ranges, takes the batches in order, and tells what
has changed.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from zlib import crc32

from cloud_api.history import ranges
from cloud_api.history.merging_policy import DeclaredGap, KnownNumbers, Merge, merge_batch
from cloud_api.history.models import CommitOutcome, CommitPlan, ReceivedBatch, SeqRange
from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record

HULL_STEP = 4_096
"""The hull of a boot moves in steps of so many numbers: one write for ten batches and more, and what it cannot tell
within a step the marks can."""
FOLDED = -1
"""Boot mark of the hull around the numbers of all boots that are no longer kept one by one; no boot has it."""
MAX_INTEGER = 2**63 - 1
"""Largest integer of both databases."""
MAX_REASON = 40
"""Characters of a gap's reason that are kept; ours have 13."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A run of records and the mark of each, four bytes big-endian a number."""

    range: SeqRange
    received_at_ns: int
    data: bytes

    def within(self, item: SeqRange) -> Iterable[tuple[int, int]]:
        """Yield (number, mark) of those inside ``item``."""
        for piece in ranges.intersect([self.range], [item]):
            start = (piece.first_seq - self.range.first_seq) * 4
            found = struct.unpack_from(f">{piece.count()}I", self.data, start)
            yield from enumerate(found, piece.first_seq)


@dataclass(slots=True)
class BookRows:
    """What a ledger holds of one stream near some batches; plain rows, in any order."""

    covered: list[SeqRange] = field(default_factory=list)
    gaps: list[DeclaredGap] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)
    boots: dict[int, SeqRange] = field(default_factory=dict)


@dataclass(slots=True)
class BookChanges:
    """What has to be written, and what has to go first (by first number).

    Attributes:
        covered: ranges to insert or replace.
        uncovered: first numbers of ranges that are now part of others.
        gaps: gaps to insert.
        filled: first numbers of gaps to delete.
        declared: change of the sum of each reason.
        received: records that were new.
        marks: of those.
        boots: hulls that have grown or are new.
        max_seq: highest number accounted for among what was taken; 0 if nothing was.
    """

    covered: list[SeqRange]
    uncovered: list[int]
    gaps: list[DeclaredGap]
    filled: list[int]
    declared: dict[str, int]
    received: int
    marks: list[Marks]
    boots: dict[int, SeqRange]
    max_seq: int


class StreamBook:
    """See the module.

    Args:
        rows: every row that shares a number with, or touches, the range of a batch that will be taken.
    """

    def __init__(self, rows: BookRows) -> None:
        self._before = rows
        self._covered = sorted(rows.covered)
        self._gaps = sorted(rows.gaps, key=lambda gap: gap.range)
        self._boots = dict(rows.boots)
        self._marks = list(rows.marks)
        self._new_marks: list[Marks] = []
        self._unmarked: list[tuple[Merge, int]] = []
        self._declared: Counter[str] = Counter()
        self._received = 0
        self._max_seq = 0

    def take(self, item: ReceivedBatch) -> CommitPlan:
        """Take one batch; what a conflict would change is left alone."""
        batch = item.batch
        span = SeqRange(batch.first_seq, batch.last_seq)
        covered = ranges.intersect([span], self._covered)
        lost = [gap.range for gap in self._gaps]
        stored = ranges.subtract(covered, lost)
        if stored and self._is_contradicted(batch.records, stored):
            return CommitPlan(CommitOutcome.RANGE_CONFLICT, ())
        merge = merge_batch(batch, KnownNumbers(stored, covered, covered))
        self._apply(span, merge, item.received_at_ns)
        return CommitPlan(merge.outcome, merge.new)

    def changes(self) -> BookChanges:
        """Return what the batches have changed."""
        before, after = set(self._before.covered), set(self._covered)
        kept = {one.first_seq for one in after}
        gaps_before, gaps_after = set(self._before.gaps), set(self._gaps)
        return BookChanges(
            covered=sorted(after - before),
            uncovered=sorted(one.first_seq for one in before if one.first_seq not in kept),
            gaps=sorted(gaps_after - gaps_before, key=lambda gap: gap.range),
            filled=sorted(gap.range.first_seq for gap in gaps_before - gaps_after),
            declared={reason: numbers for reason, numbers in self._declared.items() if numbers},
            received=self._received,
            marks=self._marked(),
            boots={boot: hull for boot, hull in self._boots.items() if self._before.boots.get(boot) != hull},
            max_seq=self._max_seq,
        )

    def _is_contradicted(self, records: Sequence[Record], stored: Sequence[SeqRange]) -> bool:
        """Tell whether a stored number stands for another observation than the record that comes now."""
        span = SeqRange(stored[0].first_seq, stored[-1].last_seq)
        marks = dict(pair for run in (*self._marks, *self._marked()) for pair in run.within(span))
        for record in records:
            if isinstance(record.payload, Gap) or not _holds(stored, record.seq):
                continue
            hulls = (self._boots.get(boot_mark(record.boot_id)), self._boots.get(FOLDED))
            if not any(hull is not None and hull.first_seq <= record.seq <= hull.last_seq for hull in hulls):
                return True
            if marks.get(record.seq, known := record_mark(record)) != known:
                return True
        return False

    def _apply(self, span: SeqRange, merge: Merge, received_at_ns: int) -> None:
        for run in merge.filled:
            self._fill(run)
        for gap in map(_storable_gap, merge.lost):
            self._gaps.append(gap)
            self._declared[gap.reason] += gap.range.count()
        self._gaps.sort(key=lambda gap: gap.range)
        self._covered = ranges.merge([*self._covered, span])
        self._received += len(merge.new)
        self._max_seq = max(self._max_seq, span.last_seq)
        self._unmarked.append((merge, received_at_ns))
        for boot, hull in boot_hulls(merge.new).items():
            self._boots[boot] = widened(hull, self._boots.get(boot))

    def _marked(self) -> list[Marks]:
        """Return the marks of what was taken; they are made when they are asked for, which a plan hardly ever does."""
        for merge, received_at_ns in self._unmarked:
            marks = record_marks(merge.new)
            position = 0
            for run in merge.filled:
                data = struct.pack(f">{run.count()}I", *marks[position : position + run.count()])
                position += run.count()
                self._new_marks.append(Marks(run, received_at_ns, data))
        self._unmarked.clear()
        return self._new_marks

    def _fill(self, run: SeqRange) -> None:
        """Take received numbers out of the gaps."""
        left: list[DeclaredGap] = []
        for gap in self._gaps:
            inside = ranges.total(ranges.intersect([gap.range], [run]))
            if inside:
                self._declared[gap.reason] -= inside
                left += gap.without(run)
            else:
                left.append(gap)
        self._gaps = left


def record_mark(record: Record) -> int:
    """Return 32 bits of the boot and the monotonic time of a record."""
    return record_marks([record])[0]


def record_marks(records: Iterable[Record]) -> list[int]:
    """Return for each record 32 bits of its boot and its monotonic time."""
    marks: list[int] = []
    boot_id, of_boot = None, 0
    for record in records:
        if record.boot_id != boot_id:
            boot_id = record.boot_id
            of_boot = crc32(boot_id.encode("utf-8", "surrogatepass"))
        marks.append(crc32(record.mono_ns.to_bytes(8, "big", signed=True), of_boot))
    return marks


def boot_mark(boot_id: str) -> int:
    """Return the number by which a ledger knows a boot: 63 bits, so that any text of a peer can be stored."""
    return int.from_bytes(blake2b(boot_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def boot_hulls(records: Iterable[Record]) -> dict[int, SeqRange]:
    """Return for each boot the range from its lowest to its highest number; gaps have no boot of their own."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for record in records:
        if not isinstance(record.payload, Gap):
            boot_id = record.boot_id
            last[boot_id] = seq = record.seq
            if boot_id not in first:
                first[boot_id] = seq
    return {boot_mark(boot_id): SeqRange(first_seq, last[boot_id]) for boot_id, first_seq in first.items()}


def widened(hull: SeqRange, known: SeqRange | None) -> SeqRange:
    """Return a hull in whole steps, together with what is known of the boot."""
    first_seq = hull.first_seq // HULL_STEP * HULL_STEP
    last_seq = (hull.last_seq // HULL_STEP + 1) * HULL_STEP - 1
    if known is None:
        return SeqRange(first_seq, last_seq)
    return SeqRange(min(first_seq, known.first_seq), max(last_seq, known.last_seq))


def is_storable(batch: Batch) -> bool:
    """Tell whether a ledger, and a sink, can hold the times of a batch: 63 bits and a sign."""
    for record in batch.records:
        # a call and a step of a generator for each of three values took longer than all that the ledger's plan does
        if not (-MAX_INTEGER <= record.observed_at_ns <= MAX_INTEGER and -MAX_INTEGER <= record.mono_ns <= MAX_INTEGER):
            return False
        if record.original_at_ns is not None and abs(record.original_at_ns) > MAX_INTEGER:
            return False
    return True


def _storable_gap(gap: DeclaredGap) -> DeclaredGap:
    """Return a gap whose reason any database can hold; ours are words, a peer's may be anything."""
    reason = gap.reason
    if len(reason) > MAX_REASON or not reason.isprintable():
        reason = "".join(sign if sign.isprintable() else "?" for sign in reason[:MAX_REASON])
    return DeclaredGap(gap.range, reason, gap.observed_at_ns)


def _holds(where: Sequence[SeqRange], seq: int) -> bool:
    return any(one.first_seq <= seq <= one.last_seq for one in where)
