"""The uplink: keeps a connection to one of the brokers, batches in flight, and acts on what comes down."""

import asyncio
from dataclasses import dataclass

import structlog
from msgspec import structs

from contracts.codec import decode_message, encode_message
from contracts.commands import Command, CommandResult
from contracts.errors import LinkError, PeerError
from contracts.health import GatewayStatus
from contracts.limits import MAX_BATCH_BYTES, MAX_MESSAGE_BYTES
from contracts.receipt import Receipt
from contracts.topics import Channel, topic
from firmware_configs.device import Broker
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.ports import OutboxClock
from gateway.uplink.commands import CommandGate, Verdict
from gateway.uplink.connection import Connection, UplinkState
from gateway.uplink.lanes_policy import LaneFigures
from gateway.uplink.ports import BatchStore, CommandRunner, Ending, Granted, Refusal, Transport
from gateway.uplink.reactions_policy import PACKET_TOO_LARGE, Patience
from gateway.uplink.sender import IDLE_S, RETRY_S, Sender
from gateway.uplink.silence_policy import Silence

STUCK_S = 30.0
"""A transport that takes nothing for this long is given up for another connection, perhaps to another broker."""
COMMAND_TIMEOUT_S = 20.0
MAX_COMMANDS = 8
"""Commands that wait: each takes seconds, and an operator who has sent eight has no answer to any of them yet."""

STUCK = Ending("stuck", "the broker takes nothing any more, though the connection holds", "check the broker's log")
UNANSWERED = Ending(
    "no_receipts",
    "batches go out, but the cloud answers none",
    "is the cloud's store role running, and may this gateway publish and subscribe below its own topics?",
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UplinkFigures:
    """What goes up.

    Attributes:
        lanes: one entry a lane.
        backlog_window: batches of the backlog that may be in flight.
        stragglers: batches that have no answer while others get theirs.
    """

    lanes: list[LaneFigures]
    backlog_window: float
    stragglers: int


class Uplink:
    """See the module.

    Args:
        owner: site id and gateway id.
        store: batches on disk.
        transport: connection to one broker.
        clock: time of the device.
        settings: window and backoff.
        brokers: at least one, tried in turn.
        runner: carries out commands.
        counters: where resends and drops are counted.
    """

    def __init__(
        self,
        owner: tuple[str, str],
        store: BatchStore,
        transport: Transport,
        clock: OutboxClock,
        settings: UplinkSettings,
        brokers: list[Broker],
        runner: CommandRunner,
        counters: Counters,
    ) -> None:
        self._topics = {channel: topic(*owner, channel).mqtt() for channel in Channel}
        self._store = store
        self._transport = transport
        self._clock = clock
        self._has_others = len(brokers) > 1
        self._runner = runner
        self._counters = counters
        self._connection = Connection(transport, clock, settings, brokers, counters, self._connected, self._lost)
        self._sender = Sender(
            store, transport, clock, settings, self._topics[Channel.RECORDS], len(brokers), counters
        )  # fmt: skip
        self._silence = Silence()
        self._has_suspect = False
        self._gate = CommandGate()
        self._commands: asyncio.Queue[Command] = asyncio.Queue(MAX_COMMANDS)
        self._wake = asyncio.Event()

    @property
    def state(self) -> UplinkState:
        """Where the uplink stands."""
        return self._connection.state

    def figures(self) -> UplinkFigures:
        """Return what goes up, by lane."""
        return UplinkFigures(self._sender.figures(), self._sender.pace, self._sender.stragglers)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._connection.run(), name="uplink-connection")
            tasks.create_task(self._send_forever(), name="uplink-sender")
            tasks.create_task(self._receive_forever(), name="uplink-receiver")
            tasks.create_task(self._obey_forever(), name="uplink-commands")

    def wake(self) -> None:
        """Tell the sender that there may be something to send."""
        self._wake.set()

    def publish_status(self, status: GatewayStatus) -> bool:
        """Send a status now or never; one over the wire's cap goes without its counters."""
        payload = encode_message(status)
        if len(payload) > MAX_MESSAGE_BYTES:
            self._counters.add("status_shortened")
            sources = [structs.replace(source, rejected={}, last_error="") for source in status.sources]
            payload = encode_message(structs.replace(status, sources=sources, counters={}))
        return self.state.is_up and self._transport.publish(self._topics[Channel.STATUS], payload, 0) > 0

    async def drain(self, timeout_s: float) -> bool:
        """Wait until everything on disk is sent and answered, at most ``timeout_s``; True if it is."""
        if not self.state.is_up:
            return False
        self._sender.is_idle.clear()
        self.wake()
        try:
            async with asyncio.timeout(timeout_s):
                await self._sender.is_idle.wait()
        except TimeoutError:
            return False
        return True

    async def disconnect(self) -> None:
        """Say goodbye to the broker."""
        await self._transport.disconnect()

    def _connected(self, granted: Granted) -> None:
        limit = granted.max_packet_bytes
        if limit is not None and limit < MAX_BATCH_BYTES:
            hint = "batches over it cannot go up: raise it at the broker, or lower outbox.seal_records"
            log.warning("broker_packet_limit", limit_bytes=limit, batch_bytes=MAX_BATCH_BYTES, hint=hint)
        self._silence.connected()
        self._sender.connected(granted, self._connection.broker_index)
        self.wake()

    def _lost(self, ending: Ending) -> None:
        self._sender.lost()
        self._has_suspect = ending.reason == PACKET_TOO_LARGE.reason
        self.wake()

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            is_up = self.state.is_up
            try:
                if self._has_suspect:
                    self._has_suspect = False
                    await self._sender.suspected()
                self._sender.be_hungry(is_up=is_up)
                sleep_s = await self._sender.send() if is_up else IDLE_S
                await self._leave_if_useless()
            except LinkError:
                self._counters.add("uplink_store_errors")
                sleep_s = RETRY_S
            try:
                async with asyncio.timeout(sleep_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _leave_if_useless(self) -> None:
        """Give up a connection that takes nothing any more, or on which the cloud does not answer."""
        if not self.state.is_up:
            return  # what is in flight waits for a connection, and the attempt to make one is not to be cut
        now = self._clock.mono_s()
        if self._sender.has_flights:
            self._silence.sent(now)
        full_since = self._sender.full_since
        if full_since is not None and now - full_since >= STUCK_S:
            self._sender.full_since = None
            self._counters.add("uplink_stuck")
            await self._connection.leave(STUCK)
        elif self._silence.is_over_limit(now):
            self._counters.add("uplink_unanswered")
            await self._connection.leave(UNANSWERED)
        else:
            self._connection.show(UNANSWERED if self._silence.is_noticed(now) else None)

    async def _receive_forever(self) -> None:
        while True:
            receipts: list[Receipt] = []
            for item in await self._transport.next_messages():
                if isinstance(item, Refusal):
                    await self._refused(item)
                    continue
                try:
                    if item.topic == self._topics[Channel.RECEIPT]:
                        receipts.append(decode_message(item.payload, Receipt))
                    elif item.topic == self._topics[Channel.COMMAND]:
                        self._admit(decode_message(item.payload, Command))
                except PeerError as exc:
                    self._counters.add(f"messages_rejected_{exc.reason}")
            await self._settle(receipts)

    async def _refused(self, refusal: Refusal) -> None:
        try:
            reaction = await self._sender.refused(refusal)
        except LinkError:
            self._counters.add("uplink_store_errors")
            return
        if self._has_others and reaction.lanes and reaction.patience is Patience.PERSON:
            cause = "the broker refuses what is published"
            await self._connection.leave(Ending(reaction.reason, cause, reaction.hint))
        self.wake()

    async def _settle(self, receipts: list[Receipt]) -> None:
        if not receipts:
            return
        self._silence.answered()
        named = [(receipt, None if receipt.stream_id else self._sender.find(receipt.digest)) for receipt in receipts]
        try:
            gone = await self._store.settle(named)
        except LinkError:
            self._counters.add("uplink_store_errors")
            return
        self._sender.settled(gone)
        self.wake()

    def _admit(self, command: Command) -> None:
        if self._commands.full():
            self._counters.add("commands_crowded_out")
            return
        verdict = self._gate.judge(command, self._clock.wall_ns())
        self._counters.add(f"commands_{verdict.value}")
        if verdict is Verdict.CARRY_OUT:
            self._commands.put_nowait(command)

    async def _obey_forever(self) -> None:
        while True:
            command = await self._commands.get()
            log.info("command_received", command_id=command.command_id[:64], kind=command.kind.value)
            try:
                async with asyncio.timeout(COMMAND_TIMEOUT_S):
                    result = await self._runner.run(command)
            except TimeoutError:
                detail = f"not done in {COMMAND_TIMEOUT_S:.0f} s"
                result = CommandResult(command_id=command.command_id, is_done=False, detail=detail)
            self._transport.publish(self._topics[Channel.RESULT], encode_message(result), 1)
