"""A history in memory that keeps the promises of ``HistoryWriter``, and can be made to fail."""

from collections.abc import Sequence

from cloud_api.history.models import CommitOutcome, ReceivedBatch
from contracts.batch import Batch
from contracts.errors import LinkError, PortTrackError


class HistorySimulator:
    """``HistoryWriter`` in memory.

    Attributes:
        batches: what is stored, in order.
        commits: size of each commit that went through.
        failures: errors that the next commits raise, one each.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
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
        for stored in self.batches:
            if stored.stream_id != batch.stream_id:
                continue
            if (stored.first_seq, stored.last_seq) == (batch.first_seq, batch.last_seq):
                return CommitOutcome.DUPLICATE
            if stored.first_seq <= batch.last_seq and batch.first_seq <= stored.last_seq:
                return CommitOutcome.RANGE_CONFLICT
        self.batches.append(batch)
        return CommitOutcome.COMMITTED
