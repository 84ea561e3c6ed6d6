"""A history in memory that keeps the promises of ``HistoryWriter``, and can be made to fail."""

from collections.abc import Sequence

from cloud_api.history.models import CommitOutcome, ReceivedBatch
from contracts.batch import Batch
from contracts.errors import LinkError, PortTrackError
from contracts.payloads import Gap
from contracts.records import Record

Known = Record | str
"""What is known of a number: its record, or why it is declared lost."""


class HistorySimulator:
    """``HistoryWriter`` in memory, number by number.

    Attributes:
        batches: what was stored in whole or in part, in order.
        numbers: what is known of each number, by stream.
        expired: numbers that retention has closed, by stream: nothing comes in their place any more.
        commits: size of each commit that went through.
        failures: errors that the next commits raise, one each.
        unstorable: (stream id, first number) of batches that cannot be stored.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.numbers: dict[str, dict[int, Known]] = {}
        self.expired: dict[str, set[int]] = {}
        self.commits: list[int] = []
        self.failures: list[PortTrackError] = []
        self.unstorable: set[tuple[str, int]] = set()

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        if self.failures:
            raise self.failures.pop(0)
        self.commits.append(len(batches))
        return [self._store(item.batch) for item in batches]

    async def close(self) -> None:
        self.failures = [LinkError("commit", "simulator", "closed")]

    def _store(self, batch: Batch) -> CommitOutcome:
        if (batch.stream_id, batch.first_seq) in self.unstorable:
            return CommitOutcome.UNSTORABLE
        known = self.numbers.setdefault(batch.stream_id, {})
        closed = self.expired.get(batch.stream_id, set())
        if any(contradicts(known.get(one.seq), one) for one in batch.records if one.seq not in closed):
            return CommitOutcome.RANGE_CONFLICT
        new = 0
        for record in batch.records:
            for seq in range(record.seq, record.last_seq() + 1):
                if isinstance(record.payload, Gap):
                    new += seq not in known
                    known.setdefault(seq, record.payload.reason)
                elif not isinstance(known.get(seq), Record) and seq not in closed:
                    known[seq] = record
                    new += 1
        if not new:
            return CommitOutcome.DUPLICATE
        self.batches.append(batch)
        return CommitOutcome.COMMITTED if new == batch.last_seq - batch.first_seq + 1 else CommitOutcome.MERGED


def contradicts(known: Known | None, record: Record) -> bool:
    """Tell whether a number stands for another observation."""
    if not isinstance(known, Record) or isinstance(record.payload, Gap):
        return False
    return (known.mono_ns, known.boot_id) != (record.mono_ns, record.boot_id)
