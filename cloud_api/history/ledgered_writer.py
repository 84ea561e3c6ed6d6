"""A history in two stores: points go to a sink, numbers to a ledger. Same promises as one store with one transaction.

The order is everything: plan (what is new) -> sink -> quarantine -> ledger -> outcomes, from which receipts are made.
Whatever ends between two of these, the gateway still has the batch and sends it again: points that were written are
written over by themselves, and what the ledger noted is a duplicate. A receipt therefore never speaks of what is not in
both. What the order cannot exclude is told in docs/adr/0134.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter

from cloud_api.history.ledger_policy import is_storable
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.models import CommitOutcome, CommitPlan, ReceivedBatch, StoredRecord
from cloud_api.history.ports import PointQuarantine, PointSink, StreamLedger
from contracts.errors import LinkError
from contracts.ids import split_stream_id

SINK_TIMEOUT_S = 1_500.0
"""A last resort. A sink bounds each request itself, and waits as long as its server asks for (5 minutes, four times);
whoever cut it off sooner would ask again sooner than the server wants."""
LEDGER_TIMEOUT_S = 10.0
"""A group's rows take milliseconds; a lock that another worker holds is held for as long."""
CHANGING = frozenset({CommitOutcome.COMMITTED, CommitOutcome.MERGED})


class LedgeredWriter:
    """``HistoryWriter`` over a sink and a ledger.

    Args:
        sink: where points go.
        ledger: which numbers are accounted for.
        quarantine: where points go that the sink refuses.
        metrics: figures.
    """

    def __init__(
        self, sink: PointSink, ledger: StreamLedger, quarantine: PointQuarantine, metrics: LedgeredMetrics
    ) -> None:
        self._sink = sink
        self._ledger = ledger
        self._quarantine = quarantine
        self._metrics = metrics

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """See ``HistoryWriter``."""
        outcomes = [CommitOutcome.UNSTORABLE] * len(batches)
        storable = [index for index, item in enumerate(batches) if is_storable(item.batch)]
        plans: list[CommitPlan] = []
        if storable:
            async with self._stage("plan", LEDGER_TIMEOUT_S):
                plans = await self._ledger.plan([batches[index] for index in storable])
        changing = []
        moving = {batches[index].batch.stream_id for index, plan in zip(storable, plans, strict=True)
                  if plan.outcome in CHANGING}  # fmt: skip
        for index, plan in zip(storable, plans, strict=True):
            outcomes[index] = plan.outcome
            # a duplicate may be one of a batch beside it, which another worker can still make a conflict
            is_open = plan.outcome is CommitOutcome.DUPLICATE and batches[index].batch.stream_id in moving
            if plan.outcome in CHANGING or is_open:
                changing.append((index, plan))
        await self._write(batches, changing)
        if changing:
            async with self._stage("ledger", LEDGER_TIMEOUT_S):
                noted = await self._ledger.commit([batches[index] for index, _ in changing])
            for (index, _), outcome in zip(changing, noted, strict=True):
                outcomes[index] = outcome
        return outcomes

    async def close(self) -> None:
        """See ``HistoryWriter``."""
        await self._sink.close()

    async def _write(self, batches: Sequence[ReceivedBatch], changing: Sequence[tuple[int, CommitPlan]]) -> None:
        """Write the new records; those that the sink refuses are kept apart and count as received."""
        points = [point for index, plan in changing for point in _points(batches[index], plan)]
        if not points:
            return
        async with self._stage("sink", SINK_TIMEOUT_S):
            rejected = await self._sink.write(points)
        if rejected:
            async with self._stage("quarantine", LEDGER_TIMEOUT_S):
                evicted = await self._quarantine.keep(rejected)
            for one in rejected:
                self._metrics.rejected.labels(one.reason).inc()
            self._metrics.evicted.inc(evicted)

    @asynccontextmanager
    async def _stage(self, name: str, timeout_s: float) -> AsyncIterator[None]:
        """Time a stage and bound it.

        Raises:
            LinkError: it took too long (reason ``timeout``), or as the stage says.
        """
        started_s = perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as exc:
            raise LinkError("commit batches", name, f"no answer in {timeout_s:g} s", "", "timeout") from exc
        self._metrics.stage_s.labels(name).observe(perf_counter() - started_s)


def _points(item: ReceivedBatch, plan: CommitPlan) -> list[StoredRecord]:
    stream_id = item.batch.stream_id
    site, gateway, _, _ = split_stream_id(stream_id)
    return [StoredRecord(stream_id, site, gateway, record) for record in plan.new]
