"""What a batch brings to a stream of which some numbers are known already. Sans-io; the same for every store.

Rules: data wins over a declared gap, whichever came first; a number is never stored twice; a gap is noted only for
numbers that nobody has. So a gateway may declare more than it lost, and may send again in another cut after a crash.
What must not happen unseen is one number for two observations (a copied disk, two writers of a stream): each store
tells it by what it keeps of a record (boot and monotonic time, which thinning and back-filled clocks leave alone) and
refuses the batch whole before it asks here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloud_api.history import ranges
from cloud_api.history.models import CommitOutcome, SeqRange
from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record


@dataclass(frozen=True, slots=True)
class DeclaredGap:
    """Numbers declared lost: the range, why, and UTC ns at which the gateway declared it."""

    range: SeqRange
    reason: str
    observed_at_ns: int

    def without(self, item: SeqRange) -> list["DeclaredGap"]:
        """Return what is left of it when ``item`` was received after all."""
        left = ranges.subtract([self.range], [item])
        return [DeclaredGap(piece, self.reason, self.observed_at_ns) for piece in left]


@dataclass(frozen=True, slots=True)
class KnownNumbers:
    """What a store knows of the range of a batch; each list ascending and disjoint.

    Attributes:
        stored: numbers that have a record.
        covered: numbers that are accounted for: stored, declared lost, or taken away by retention.
        acknowledged: numbers that a receipt was or will be sent for.
        expired: numbers that retention has closed; nothing comes in their place any more.
    """

    stored: Sequence[SeqRange]
    covered: Sequence[SeqRange]
    acknowledged: Sequence[SeqRange]
    expired: Sequence[SeqRange] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """What a batch changes.

    Attributes:
        outcome: committed where all of it is new, merged where some is, duplicate where nothing is.
        new: records that nobody has, in order.
        filled: their numbers; gaps must give them up.
        lost: gaps to be noted.
        acknowledged: numbers that the ledger did not have.
    """

    outcome: CommitOutcome
    new: tuple[Record, ...]
    filled: tuple[SeqRange, ...]
    lost: tuple[DeclaredGap, ...]
    acknowledged: tuple[SeqRange, ...]


def merge_batch(batch: Batch, known: KnownNumbers) -> Merge:
    """Tell what a batch brings.

    Args:
        batch: checked, and none of its numbers stands for another observation.
        known: of its range.
    """
    span = SeqRange(batch.first_seq, batch.last_seq)
    closed = ranges.merge([*known.stored, *known.expired])
    data = [record for record in batch.records if not isinstance(record.payload, Gap)]
    brought = _runs(data)
    filled = ranges.subtract(brought, closed)
    new = tuple(data if filled == brought else within(data, filled))
    lost = tuple(_lost(batch.records, known.covered)) if len(data) < len(batch.records) else ()
    numbers = len(new) + sum(gap.range.count() for gap in lost)
    if not numbers:
        outcome = CommitOutcome.DUPLICATE
    else:
        outcome = CommitOutcome.COMMITTED if numbers == span.count() else CommitOutcome.MERGED
    acknowledged = ranges.subtract([span], ranges.merge([*known.acknowledged, *known.expired]))
    return Merge(outcome, new, tuple(filled), lost, tuple(acknowledged))


def _runs(data: Sequence[Record]) -> list[SeqRange]:
    """Return the numbers of records, ascending, as ranges that do not touch; nearly always they are one."""
    if data and data[-1].seq - data[0].seq == len(data) - 1:
        return [SeqRange(data[0].seq, data[-1].seq)]
    return ranges.runs(record.seq for record in data)


def within(records: Iterable[Record], where: Sequence[SeqRange]) -> Iterator[Record]:
    """Yield the records whose numbers lie in ``where``.

    Args:
        records: by ascending number.
        where: ascending and disjoint.
    """
    position = 0
    for record in records:
        while position < len(where) and where[position].last_seq < record.seq:
            position += 1
        if position == len(where):
            return
        if where[position].first_seq <= record.seq:
            yield record


def _lost(records: Iterable[Record], covered: Sequence[SeqRange]) -> Iterator[DeclaredGap]:
    for record in records:
        if isinstance(record.payload, Gap):
            for piece in ranges.subtract([SeqRange(record.seq, record.last_seq())], covered):
                yield DeclaredGap(piece, record.payload.reason, record.observed_at_ns)
