"""The uplink: keeps a connection to one of the brokers, batches in flight, and acts on what comes down."""

import asyncio
from dataclasses import dataclass

import structlog
from msgspec import structs

from contracts.codec import decode_message, encode_message
from contracts.commands import Command, CommandResult
from contracts.errors import LinkError, PeerError
from contracts.health import GatewayStatus
from contracts.limits import MAX_MESSAGE_BYTES
from contracts.receipt import Receipt
from contracts.topics import Channel, topic
from edge_agent.backoff import FullJitter
from firmware_configs.device import Broker
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.models import StoredBatch
from gateway.outbox.ports import OutboxClock
from gateway.uplink.commands import CommandGate, Verdict
from gateway.uplink.ports import BatchStore, CommandRunner, Transport
from gateway.uplink.window import Window

STABLE_S = 10.0
"""A connection held this long was a success: the backoff begins anew. One that is accepted and cut at once was not."""
RETRY_S = 1.0
"""Wait after a full transport or a disk that does not answer."""
STUCK_S = 30.0
"""A transport that takes nothing for this long is given up for another connection, perhaps to another broker."""
IDLE_S = 5.0
"""Longest sleep of the sender; it is woken by sealed batches and receipts."""
COMMAND_TIMEOUT_S = 20.0
MAX_COMMANDS = 8
"""Commands that wait: each takes seconds, and an operator who has sent eight has no answer to any of them yet."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UplinkState:
    """Where the uplink stands: the broker it is or was last connected to, and why it is down."""

    is_up: bool = False
    broker: str = ""
    reason: str = "starting"
    cause: str = ""
    hint: str = ""


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
        self._brokers = brokers
        self._runner = runner
        self._counters = counters
        self._window = Window(settings.window_batches, settings.receipt_timeout_s, settings.resend_cap_s)
        self._backoff = FullJitter(settings.reconnect_base_s, settings.reconnect_cap_s)
        self._full_since: float | None = None
        self._gate = CommandGate()
        self._commands: asyncio.Queue[Command] = asyncio.Queue(MAX_COMMANDS)
        self._wake = asyncio.Event()
        self._is_idle = asyncio.Event()
        self.state = UplinkState()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._connect_forever(), name="uplink-connection")
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
        return self.state.is_up and self._transport.publish(self._topics[Channel.STATUS], payload, 0)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until everything on disk is sent and answered, at most ``timeout_s``; True if it is."""
        if not self.state.is_up:
            return False
        self._is_idle.clear()
        self.wake()
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_idle.wait()
        except TimeoutError:
            return False
        return True

    async def disconnect(self) -> None:
        """Say goodbye to the broker."""
        await self._transport.disconnect()

    async def _connect_forever(self) -> None:
        index = 0
        while True:
            broker = self._brokers[index % len(self._brokers)]
            name = f"{broker.host}:{broker.port}"
            try:
                await self._transport.connect(broker)
            except LinkError as exc:
                index += 1
                self._counters.add(f"uplink_failures_{exc.reason}")
                self._change(UplinkState(False, name, exc.reason, exc.cause, exc.hint))
                await asyncio.sleep(self._backoff.next_s())
                continue
            connected_at = self._clock.mono_s()
            self._window.reconnected(connected_at)
            self._change(UplinkState(True, name, ""))
            self.wake()
            cause = await self._transport.closed()
            if self._clock.mono_s() - connected_at >= STABLE_S:
                self._backoff.reset()
            else:
                index += 1
            self._counters.add("uplink_lost")
            self._change(UplinkState(False, name, "lost", cause, "check the network and the broker"))
            await asyncio.sleep(self._backoff.next_s())

    def _change(self, state: UplinkState) -> None:
        before, self.state = self.state, state
        if state.is_up:
            log.info("uplink_up", broker=state.broker)
        elif before.is_up or before.reason != state.reason:
            log.warning("uplink_down", broker=state.broker, reason=state.reason, cause=state.cause, hint=state.hint)

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            try:
                sleep_s = await self._send_round() if self.state.is_up else IDLE_S
                await self._leave_if_stuck()
            except LinkError:
                self._counters.add("uplink_store_errors")
                sleep_s = RETRY_S
            try:
                async with asyncio.timeout(sleep_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _leave_if_stuck(self) -> None:
        """Give up a connection on which the broker acknowledges nothing any more, though it answers pings."""
        if self._full_since is not None and self._clock.mono_s() - self._full_since >= STUCK_S:
            self._full_since = None
            self._counters.add("uplink_stuck")
            await self._transport.disconnect()

    async def _send_round(self) -> float:
        """Send what is due; returns how long there is nothing to do, s."""
        for batch_id in self._window.due(self._clock.mono_s()):
            batch = await self._store.read_batch(batch_id)
            if batch is None:
                self._window.gone(batch_id)
            elif self._send(batch):
                self._counters.add("batches_resent")
            else:
                return RETRY_S
        limit, room_bytes = self._window.room()
        if limit > 0:
            for batch in await self._store.next_batches(self._window.ids(), limit, room_bytes):
                if not self._send(batch):
                    return RETRY_S
        if not self._window.ids():
            self._is_idle.set()
        wake_at = self._window.wake_at()
        return IDLE_S if wake_at is None else min(IDLE_S, max(0.0, wake_at - self._clock.mono_s()))

    def _send(self, batch: StoredBatch) -> bool:
        if not self._transport.publish(self._topics[Channel.RECORDS], batch.data, 1):
            self._counters.add("uplink_transport_full")
            self._full_since = self._full_since or self._clock.mono_s()
            return False
        self._full_since = None
        self._window.sent(batch.batch_id, batch.digest, len(batch.data), self._clock.mono_s())
        self._counters.add("batches_sent")
        self._counters.add("uplink_bytes", len(batch.data))
        return True

    async def _receive_forever(self) -> None:
        while True:
            receipts: list[Receipt] = []
            for name, payload in await self._transport.next_messages():
                try:
                    if name == self._topics[Channel.RECEIPT]:
                        receipts.append(decode_message(payload, Receipt))
                    elif name == self._topics[Channel.COMMAND]:
                        self._admit(decode_message(payload, Command))
                except PeerError as exc:
                    self._counters.add(f"messages_rejected_{exc.reason}")
            await self._settle(receipts)

    async def _settle(self, receipts: list[Receipt]) -> None:
        if not receipts:
            return
        named = [(receipt, None if receipt.stream_id else self._window.find(receipt.digest)) for receipt in receipts]
        try:
            gone = await self._store.settle(named)
        except LinkError:
            self._counters.add("uplink_store_errors")
            return
        for batch_id in gone:
            self._window.gone(batch_id)
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
