"""The store role's loop: take, judge, commit a group, answer.

Rules: a receipt follows its commit, never the other way; one commit for all that waits, so that one fsync pays for
many batches; when the store is in trouble nothing more is taken (the bus fills up, the gateways keep their batches);
a refused payload never holds up its neighbours.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import structlog

from cloud_api.backoff import FullJitter
from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.history.ports import HistoryWriter
from cloud_api.ingest.judging_policy import Accepted, Refused, committed_receipt, judge, refuse
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.ports import ReceiptSender
from contracts.batch import Batch
from contracts.codec import encode_message
from contracts.errors import LinkError, PeerError
from contracts.payloads import REASON_KEPT_ELSEWHERE, Gap
from contracts.topics import Channel, Topic

MAX_WAITING = 64
"""Batches between bus and commit, beside ``COMMITTERS`` groups: two more; at most 16 MiB. Beyond it the bus waits."""
MAX_GROUP_BATCHES = 32
"""Batches a commit: one fsync (about 5 ms on an SSD, 30 on an SD card) is shared by a burst."""
MAX_GROUP_RECORDS = 1_000
"""Records a commit: p50 25 ms, p95 50 ms on two busy cores (2,000 took 43 and 65 ms); what arrives meanwhile waits no
longer than two commits for its receipt."""
COMMITTERS = 2
"""Groups at work: while one waits for its store (a disk, a server, a second server) the next is decoded and written.
Two groups may hold the same batch, as two workers may: the history stores it once. More would wait for each other's
processor, and each is another group in memory."""
STORED = frozenset({CommitOutcome.COMMITTED, CommitOutcome.MERGED, CommitOutcome.DUPLICATE})
"""Outcomes after which all that a batch holds is on disk, so that its sender may forget it."""


@dataclass(frozen=True)
class _Delivery:
    topic: Topic
    data: bytes
    received_at_ns: int


class IngestService:
    """The store role.

    Args:
        writer: the history.
        sender: the way back to gateways.
        poison: where refused payloads go.
        metrics: counters.
        backoff: delays between attempts of a commit.
        now_ns: UTC clock, ns.
        on_committed: called with each batch that was stored for the first time.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        sender: ReceiptSender,
        poison: PoisonDesk,
        metrics: IngestMetrics,
        backoff: FullJitter,
        now_ns: Callable[[], int],
        on_committed: Callable[[Batch], None],
    ) -> None:
        self._writer = writer
        self._sender = sender
        self._poison = poison
        self._metrics = metrics
        self._backoff = backoff
        self._now_ns = now_ns
        self._on_committed = on_committed
        self._waiting: asyncio.Queue[_Delivery] = asyncio.Queue(maxsize=MAX_WAITING)
        self._failing = 0

    @property
    def is_writing(self) -> bool:
        """No group waits for a store that could not take it at its last attempt."""
        return self._failing == 0

    async def on_records(self, topic: Topic, data: bytes) -> None:
        """Take one payload; waits while ``MAX_WAITING`` are not yet committed."""
        await self._waiting.put(_Delivery(topic, data, self._now_ns()))
        self._metrics.messages.labels(f"{topic.site}/{topic.gateway}").inc()
        self._metrics.queue.set(self._waiting.qsize())

    async def run(self) -> None:
        """Commit and answer, for ever.

        Raises:
            ExceptionGroup: of an ``IntegrityError``: the history is damaged; nothing may be acknowledged any more.
        """
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, COMMITTERS + 1):
                tasks.create_task(self._commit_groups(), name=f"ingest-{number}")

    async def _commit_groups(self) -> None:
        while True:
            first = await self._waiting.get()
            taken, accepted = self._judge_group(first)
            if accepted:
                await self._commit(accepted)
            for _ in range(taken):
                self._waiting.task_done()
            self._metrics.queue.set(self._waiting.qsize())

    async def drain(self) -> None:
        """Return when all that was taken has been answered."""
        await self._waiting.join()
        await self._poison.drain()

    def _judge_group(self, first: _Delivery) -> tuple[int, list[tuple[Accepted, int]]]:
        """Judge ``first`` and what waits behind it; returns how many were taken and those to be stored."""
        accepted: list[tuple[Accepted, int]] = []
        taken, records = 0, 0
        delivery: _Delivery | None = first
        while delivery is not None:
            taken += 1
            verdict = judge(delivery.topic, delivery.data)
            if isinstance(verdict, Accepted):
                accepted.append((verdict, delivery.received_at_ns))
                records += len(verdict.batch.records)
            else:
                self._refuse(verdict, delivery.received_at_ns)
            is_full = taken >= MAX_GROUP_BATCHES or records >= MAX_GROUP_RECORDS
            delivery = None if is_full or self._waiting.empty() else self._waiting.get_nowait()
        return taken, accepted

    async def _commit(self, accepted: list[tuple[Accepted, int]]) -> None:
        batches = [ReceivedBatch(item.batch, received_at_ns) for item, received_at_ns in accepted]
        outcomes = await self._commit_until_done(batches)
        for (item, received_at_ns), outcome in zip(accepted, outcomes, strict=True):
            if outcome in STORED:
                await self._acknowledge(item)
                self._count(item, outcome)
            else:
                is_conflict = outcome is CommitOutcome.RANGE_CONFLICT
                cause = "a number of it stands for another observation" if is_conflict else "value out of bounds"
                self._refuse(refuse(item.topic, item.batch, item.data, outcome.value, cause), received_at_ns)

    async def _commit_until_done(self, batches: list[ReceivedBatch]) -> list[CommitOutcome]:
        is_failing = False
        while True:
            started_s = perf_counter()
            try:
                outcomes = await self._writer.commit(batches)
            except LinkError as exc:
                self._metrics.commit_errors.labels(exc.reason).inc()
                if not self._failing:
                    structlog.get_logger(__name__).warning("history_unwritable", error=str(exc), reason=exc.reason)
                self._failing += not is_failing
                is_failing = True
                await asyncio.sleep(self._backoff.next_delay_s())
                continue
            self._metrics.commit_s.observe(perf_counter() - started_s)
            self._failing -= is_failing
            if not self._failing:
                # what one group can write says nothing of another that stands still
                self._backoff.reset()
                if is_failing:
                    structlog.get_logger(__name__).info("history_writable")
            return outcomes

    def _count(self, item: Accepted, outcome: CommitOutcome) -> None:
        if outcome is CommitOutcome.DUPLICATE:
            self._metrics.duplicates.inc()
            return
        self._on_committed(item.batch)
        if outcome is CommitOutcome.MERGED:
            # how much of it was new is known to the balance, which the accounting shows; the batch is counted
            self._metrics.merged.inc()
            return
        records = item.batch.records
        gaps = [(record, record.payload) for record in records if isinstance(record.payload, Gap)]
        self._metrics.records.labels(f"{item.topic.site}/{item.topic.gateway}").inc(len(records) - len(gaps))
        for record, gap in gaps:
            self._metrics.gaps.inc()
            is_loss = gap.reason != REASON_KEPT_ELSEWHERE
            counter = self._metrics.lost_records if is_loss else self._metrics.kept_elsewhere
            counter.inc(record.last_seq() - record.seq + 1)
        if records:
            age_s = (self._now_ns() - records[-1].observed_at_ns) / 1e9
            self._metrics.latency_s.labels("store").observe(max(0.0, age_s))

    async def _acknowledge(self, item: Accepted) -> None:
        topic = Topic(site=item.topic.site, gateway=item.topic.gateway, channel=Channel.RECEIPT)
        try:
            await self._sender.publish(topic, encode_message(committed_receipt(item.batch)))
        except (LinkError, PeerError) as exc:
            # no harm: the gateway sends the batch again and is answered from the ledger
            self._metrics.receipt_errors.labels(exc.reason).inc()

    def _refuse(self, refused: Refused, received_at_ns: int) -> None:
        self._metrics.rejected.labels(refused.reason).inc()
        self._poison.take(refused, received_at_ns)
