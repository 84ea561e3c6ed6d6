"""Deals with refused payloads beside the main loop: keep, then tell the sender.

Its queue is its own and small: a gateway that sends nothing but rubbish fills it and loses its own answers, while the
others' batches pass by. What does not fit is counted and answered when it is sent again.
"""

import asyncio

import structlog

from cloud_api.ingest.judging_policy import Refused, refused_receipt
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.ports import PoisonStore, ReceiptSender
from contracts.codec import encode_message
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic

MAX_WAITING = 32
"""Refused payloads not yet kept: at most 8 MiB; there are none in a healthy port."""
SET_ASIDE_TIMEOUT_S = 10.0
"""The operations store answers in milliseconds; after this the payload is given up, counted, and comes again."""
MAX_KNOWN = 1024
"""(gateway, reason, stream) triples that have been logged; beyond it the list starts anew and may log one once more."""
ALARM_REASONS = frozenset({"range_conflict", "foreign_stream"})
"""Refusals that no line noise can cause: two writers of one stream, or a gateway under a false name."""

_log = structlog.get_logger(__name__)


class PoisonDesk:
    """Keeps refused payloads and answers their senders.

    Args:
        store: where they are kept.
        sender: the way back to gateways.
        metrics: counters.
    """

    def __init__(self, store: PoisonStore, sender: ReceiptSender, metrics: IngestMetrics) -> None:
        self._store = store
        self._sender = sender
        self._metrics = metrics
        self._waiting: asyncio.Queue[tuple[Refused, int]] = asyncio.Queue(maxsize=MAX_WAITING)
        self._known: set[tuple[str, str, str, str]] = set()

    def take(self, refused: Refused, received_at_ns: int) -> None:
        """Take one refused payload; never waits."""
        self._log_once(refused)
        try:
            self._waiting.put_nowait((refused, received_at_ns))
        except asyncio.QueueFull:
            self._metrics.poison_dropped.labels("queue_full").inc()

    async def run(self) -> None:
        """Keep and answer, for ever."""
        while True:
            refused, received_at_ns = await self._waiting.get()
            try:
                await self._settle(refused, received_at_ns)
            finally:
                self._waiting.task_done()

    async def drain(self) -> None:
        """Return when all that was taken has been settled."""
        await self._waiting.join()

    async def _settle(self, refused: Refused, received_at_ns: int) -> None:
        topic = Topic(site=refused.topic.site, gateway=refused.topic.gateway, channel=Channel.RECEIPT)
        try:
            async with asyncio.timeout(SET_ASIDE_TIMEOUT_S):
                evicted = await self._store.set_aside(refused, received_at_ns)
        except (LinkError, TimeoutError) as exc:
            self._metrics.poison_dropped.labels("store_failed").inc()
            _log.warning("poison_not_kept", error=str(exc) or "timeout", gateway=topic.gateway)
            return
        if evicted:
            self._metrics.poison_dropped.labels("evicted").inc(evicted)
        try:
            await self._sender.publish(topic, encode_message(refused_receipt(refused)))
        except (LinkError, PeerError) as exc:
            self._metrics.receipt_errors.labels(exc.reason).inc()

    def _log_once(self, refused: Refused) -> None:
        is_alarm = refused.reason in ALARM_REASONS
        stream_id = refused.stream_id if is_alarm else ""
        key = (refused.topic.site, refused.topic.gateway, refused.reason, stream_id)
        if key in self._known:
            return
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known.add(key)
        event = "ingest_alarm" if is_alarm else "batch_refused"
        log = _log.error if is_alarm else _log.warning
        log(
            event, site=refused.topic.site, gateway=refused.topic.gateway, reason=refused.reason,
            cause=refused.cause[:300], stream_id=refused.stream_id, first_seq=refused.first_seq,
            last_seq=refused.last_seq, size_bytes=len(refused.data), sample=refused.data[:32].hex(),
        )  # fmt: skip
