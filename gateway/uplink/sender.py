"""Shell: asks the lanes what may go, takes it from the store, hands it to the connection, notes what became of it."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from contracts.receipt import Outcome, Receipt
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.ports import OutboxClock
from gateway.uplink.lanes_policy import LaneFigures, Lanes
from gateway.uplink.ports import BatchStore, Granted, Refusal, Transport
from gateway.uplink.reactions_policy import PACKET_TOO_LARGE, Reaction, reaction_of
from gateway.uplink.refusals_policy import SURE, SUSPECT, Refusals
from gateway.uplink.window import MAX_STRAGGLERS, Window

RETRY_S = 1.0
"""Wait after a full transport or a disk that does not answer."""
IDLE_S = 5.0
"""Longest sleep of the sender; it is woken by sealed batches and receipts."""
MIN_SLEEP_S = 0.005
PACKET_OVERHEAD_BYTES = 512
"""Fixed header, topic and properties around a payload, generously."""
MAX_PACKETS = 4096
"""Packet ids remembered: sixteen times the largest window, so that none is forgotten before its PUBACK."""
MAX_PAUSE_S = 600.0
QUIET_PAUSES = 2
"""A broker that has not repeated its no for twice the last pause has taken it back."""

log = structlog.get_logger()


class Sender:
    """See the module.

    Args:
        store: batches on disk.
        transport: connection to one broker.
        clock: time of the device.
        settings: window, lanes.
        topic: where batches are published.
        brokers: length of the broker list.
        counters: where resends and drops are counted.
    """

    def __init__(
        self,
        store: BatchStore,
        transport: Transport,
        clock: OutboxClock,
        settings: UplinkSettings,
        topic: str,
        brokers: int,
        counters: Counters,
    ) -> None:
        self._store = store
        self._transport = transport
        self._clock = clock
        self._topic = topic
        self._counters = counters
        self._window = Window(settings.receipt_timeout_s, settings.resend_cap_s)
        self._lanes = Lanes(settings, self._window)
        self._refusals = Refusals(brokers)
        self._packets: OrderedDict[int, int] = OrderedDict()
        self._granted = Granted()
        self._broker = 0
        self._pauses: dict[str, tuple[float, float]] = {}
        self._is_hungry = False
        self.full_since: float | None = None
        self.is_idle = asyncio.Event()

    def connected(self, granted: Granted, broker: int) -> None:
        """Begin on a new connection, to the broker at this place in the list."""
        if broker != self._broker:
            self._pauses.clear()
            self._lanes.resume()
        self._granted, self._broker = granted, broker
        self._packets.clear()
        self.full_since = None
        self._lanes.reconnected(self._clock.mono_s())

    def lost(self) -> None:
        """Note the end of a connection."""
        flight = self._lanes.lost(self._clock.mono_s())
        if flight is not None:
            self._counters.add("batches_cutting")
            log.warning(
                "batch_cuts_connections", batch_id=flight.batch_id, size_bytes=flight.size_bytes,
                hint="connections end when it is sent: is it over the broker's limit for one message?",
            )  # fmt: skip

    def figures(self) -> list[LaneFigures]:
        """Return the figures of the lanes."""
        return self._lanes.figures(self._clock.mono_s())

    @property
    def pace(self) -> float:
        """Batches of the backlog that may be in flight."""
        return self._lanes.pace

    @property
    def stragglers(self) -> int:
        """Batches without an answer while others get theirs."""
        return len(self._window.stragglers())

    @property
    def has_flights(self) -> bool:
        """Tell whether anything waits for an answer that should come."""
        return bool(self._window.flights())

    def find(self, digest: str) -> int | None:
        """Return the id of the batch in flight with this digest."""
        return self._window.find(digest)

    def be_hungry(self, *, is_up: bool) -> None:
        """Tell the store whether live batches could go at once."""
        is_hungry = is_up and self._lanes.room(Lane.LIVE, self._clock.mono_s())[0] > 0
        if is_hungry != self._is_hungry:
            self._is_hungry = is_hungry
            self._store.set_hungry(is_hungry)

    async def send(self) -> float:
        """Send what may go; returns how long there is nothing to do, s.

        Raises:
            LinkError: the disk does not answer.
        """
        if not await self._resend():
            return RETRY_S
        while (sent := await self._fill()) > 0:
            pass
        if sent < 0:
            return RETRY_S
        now = self._clock.mono_s()
        times = (self._window.wake_at(), self._lanes.wake_at(now))
        wake_at = min((moment for moment in times if moment is not None and moment > now), default=now + IDLE_S)
        return min(IDLE_S, max(MIN_SLEEP_S, wake_at - now))

    def settled(self, gone: Sequence[int]) -> None:
        """Note what the cloud's receipts have settled."""
        now = self._clock.mono_s()
        for batch_id in gone:
            flight = self._lanes.answered(batch_id, now)
            self._refusals.answered(batch_id)
            if flight is not None and flight.is_straggler:
                log.info("batch_answered_at_last", batch_id=batch_id, sends=flight.sends)
        for reason, (pause_s, until) in list(self._pauses.items()):
            if now >= until + QUIET_PAUSES * pause_s:
                del self._pauses[reason]
                log.info("uplink_resumed", reason=reason)

    async def refused(self, refusal: Refusal) -> Reaction:
        """React to the broker's no to a batch; returns what else should be done.

        Raises:
            LinkError: the disk does not answer.
        """
        batch_id = self._packets.pop(refusal.packet_id, None)
        reaction = reaction_of(refusal.code)
        self._counters.add(f"puback_{reaction.reason}")
        if reaction.lanes and reaction is not PACKET_TOO_LARGE:
            self._pause(reaction)
        if batch_id is not None and reaction.is_of_batch:
            await self._demote(batch_id, SURE if reaction is PACKET_TOO_LARGE else 0)
        return reaction

    async def suspected(self) -> None:
        """React to a connection that was cut for a packet too large: the largest one on it is held back.

        Raises:
            LinkError: the disk does not answer.
        """
        largest = max(self._window.flights(), key=lambda item: item.size_bytes, default=None)
        if largest is not None:
            await self._demote(largest.batch_id, SUSPECT)

    async def _resend(self) -> bool:
        """Send again what has had no answer; False if the transport is full."""
        now = self._clock.mono_s()
        due = self._window.due(now)
        straggler = self._window.straggler_due(now)
        for batch_id in due if straggler is None else [*due, straggler]:
            if not self._lanes.may_resend(batch_id, now):
                continue
            self._lanes.timed_out(batch_id, now)
            batch = await self._store.read_batch(batch_id)
            if batch is None:
                self._window.gone(batch_id)
            elif not await self._put(batch):
                return False
            else:
                self._counters.add("batches_resent")
        return True

    async def _fill(self) -> int:
        """Ask each lane once; returns how many batches were sent, below 0 if the transport is full."""
        sent = 0
        is_empty = not self._window.flights()
        for lane in self._lanes.order(self._clock.mono_s()):
            count, room_bytes = self._lanes.room(lane, self._clock.mono_s())
            if count == 0:
                is_empty = False
                continue
            for batch in await self._store.next_batches(lane, self._window.ids(), count, room_bytes):
                is_empty = False
                if not await self._put(batch):
                    return -1
                sent += 1
        if is_empty:
            self.is_idle.set()
        return sent

    async def _put(self, batch: StoredBatch) -> bool:
        """Send a batch, or note that this broker does not take it; False if the transport is full."""
        if not self._is_over_limit(batch):
            return self._publish(batch)
        self._counters.add("batches_over_broker_limit")
        self._window.sent(batch, self._clock.mono_s())
        await self._demote(batch.batch_id, SURE)
        if self.stragglers >= MAX_STRAGGLERS:
            self._pause(PACKET_TOO_LARGE)
        return True

    def _is_over_limit(self, batch: StoredBatch) -> bool:
        limit = self._granted.max_packet_bytes
        return limit is not None and len(batch.data) + PACKET_OVERHEAD_BYTES > limit

    def _publish(self, batch: StoredBatch) -> bool:
        packet_id = self._transport.publish(self._topic, batch.data, 1)
        now = self._clock.mono_s()
        if packet_id == 0:
            self._counters.add("uplink_transport_full")
            self.full_since = self.full_since or now
            return False
        self.full_since = None
        self._packets[packet_id] = batch.batch_id
        while len(self._packets) > MAX_PACKETS:
            self._packets.popitem(last=False)
        if self._lanes.sent(batch, now):
            self._counters.add("batches_passed_over")
            _report(batch)
        flight = self._window.flight(batch.batch_id)
        self._counters.add("batches_sent")
        self._counters.add(f"uplink_batches_{(flight or batch).lane.value}")
        self._counters.add("uplink_bytes", len(batch.data))
        return True

    def _pause(self, reaction: Reaction) -> None:
        """Let lanes rest; each time the broker repeats itself for twice as long."""
        now = self._clock.mono_s()
        pause_s, until = self._pauses.get(reaction.reason, (reaction.pause_s, 0.0))
        if now < until:
            return  # of what was in flight when the pause began
        if reaction.reason not in self._pauses:
            log.warning("uplink_paused", reason=reaction.reason, hint=reaction.hint, lanes=sorted(reaction.lanes))
        self._pauses[reaction.reason] = (min(MAX_PAUSE_S, 2 * pause_s), now + pause_s)
        self._lanes.pause(reaction.lanes, now + pause_s, now)

    async def _demote(self, batch_id: int, weight: int) -> None:
        """Keep a refused batch from blocking its lane; set it aside where every broker finds it too large."""
        self._window.demote(batch_id)
        if weight == 0 or not self._refusals.note(batch_id, self._broker, weight):
            return
        batch = await self._store.read_batch(batch_id)
        if batch is None:
            self._window.gone(batch_id)
            return
        receipt = Receipt(
            outcome=Outcome.REFUSED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq,
            digest=batch.digest, reason=PACKET_TOO_LARGE.reason,
        )  # fmt: skip
        for gone in await self._store.settle([(receipt, batch_id)]):
            self._window.gone(gone)
            self._counters.add("batches_too_large_for_brokers")
            log.warning("batch_set_aside", reason=receipt.reason, stream=batch.stream_id, first_seq=batch.first_seq,
                        last_seq=batch.last_seq, size_bytes=len(batch.data))  # fmt: skip


def _report(batch: StoredBatch) -> None:
    log.warning(
        "batch_passed_over", stream=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq,
        size_bytes=len(batch.data),
        hint="others are answered: does a broker or a middlebox on the way drop messages of this size?",
    )  # fmt: skip
