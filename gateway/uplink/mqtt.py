"""Shell around paho-mqtt: one connection, one thread, callbacks turned into futures and a bounded inbox.

A new client for each connection: what was in flight is the window's business, paho must not send it on its own. All
socket work is done by the connection's thread; other threads only queue packets (``on_socket_register_write`` is set
so that paho does not write from the caller's thread).
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contracts.errors import LinkError
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.timekeeping.floor_policy import JudgeBy
from gateway.uplink import failures
from gateway.uplink.ports import Ending, Granted, Message, Refusal
from gateway.uplink.reactions_policy import FIRST_FAILURE, NO_SUBSCRIBERS, NOT_AUTHORISED
from gateway.uplink.receive_maximum_policy import Unacknowledged
from gateway.uplink.tls import make_context

CONNECT_TIMEOUT_S = 10.0
"""TCP and TLS each; a satellite link needs under 3 s."""
ANSWER_TIMEOUT_S = 25.0
"""TCP, TLS, CONNACK and SUBACK together."""
GOODBYE_TIMEOUT_S = 1.0
LOOP_TIMEOUT_S = 1.0
ANY_NUMBER = 65_535
"""Receive maximum of a broker that names none (MQTT 5.0 clause 3.2.2.3.3)."""
MAX_INBOX = 1024
"""Messages from the broker that wait for the event loop: four full windows of receipts. What is more is dropped and
counted; a receipt that was dropped comes again with the resend."""
MAX_QUEUED_FACTOR = 4
"""Windows that may be handed over without an acknowledgement: a resend may meet its forerunner.
Two may be on the way."""


@dataclass(slots=True)
class _Session:
    """One connection and what its thread reports of it."""

    client: Client
    subject: str
    ready: asyncio.Future[Granted]
    unacknowledged: Unacknowledged
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    granted: Granted = field(default_factory=Granted)
    code: int | None = None
    cause: str = ""
    is_closing: bool = False


class MqttTransport:
    """The transport of ``gateway.uplink.ports``.

    Args:
        client_id: MQTT client id.
        identity: PEM files.
        settings: protocol version, keep-alive, window.
        subscriptions: topics and their QoS.
        counters: where drops are counted.
        judge_by: returns the time that the broker's certificate is judged by, None for the system clock.
    """

    def __init__(
        self,
        client_id: str,
        identity: Identity,
        settings: UplinkSettings,
        subscriptions: list[tuple[str, int]],
        counters: Counters,
        judge_by: Callable[[], JudgeBy | None] = lambda: None,
    ) -> None:
        self._client_id = client_id
        self._identity = identity
        self._settings = settings
        self._subscriptions = subscriptions
        self._counters = counters
        self._judge_by = judge_by
        self._session: _Session | None = None
        self._inbox: asyncio.Queue[Message | Refusal] = asyncio.Queue(MAX_INBOX)
        self._number = 0
        self._inbox_room = threading.BoundedSemaphore(MAX_INBOX)

    async def connect(self, broker: Broker) -> Granted:
        """Connect and subscribe; see the port."""
        await self.disconnect()
        subject = f"{broker.host}:{broker.port}"
        client = await asyncio.to_thread(self._make_client, broker)
        loop = asyncio.get_running_loop()
        window = self._settings.window_batches
        messages = Unacknowledged(2 * window, MAX_QUEUED_FACTOR * window)
        session = _Session(client, subject, loop.create_future(), messages)
        self._wire(session, loop)
        self._wire_messages(session, loop)
        self._session = session
        thread = threading.Thread(target=self._run, args=(session, broker, loop), name="uplink-mqtt", daemon=True)
        thread.start()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await session.ready
        except TimeoutError as exc:
            await self.disconnect()
            raise failures.from_exception(subject, exc) from exc
        except LinkError:
            await self.disconnect()
            raise

    async def answers(self, broker: Broker) -> bool:
        """Probe a broker by a TLS handshake of its own; see the port."""
        name = broker.server_name or broker.host
        try:
            context = await asyncio.to_thread(make_context, self._identity, name, self._judge_by())
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, writer = await asyncio.open_connection(broker.host, broker.port, ssl=context, server_hostname=name)
                writer.close()
                await writer.wait_closed()
        except (OSError, LinkError):  # a TimeoutError is an OSError
            return False
        return True

    async def closed(self) -> Ending:
        """Wait for the end of the connection; see the port."""
        session = self._session
        if session is None:
            return failures.ending(None, "no connection")
        await session.ended.wait()
        return failures.ending(session.code, session.cause)

    def publish(self, topic: str, payload: bytes, qos: int) -> int:
        """Queue a message; see the port."""
        session = self._session
        if session is None or session.ended.is_set() or not session.ready.done():
            return 0
        if qos == 0:
            return int(session.client.publish(topic, payload, 0).rc == MQTTErrorCode.MQTT_ERR_SUCCESS)
        self._number += 1
        if not session.unacknowledged.add(self._number, topic, payload):
            return 0
        return self._number if _publish_waiting(session) else 0

    async def next_messages(self) -> list[Message | Refusal]:
        """Wait for messages; see the port."""
        messages = [await self._inbox.get()]
        while not self._inbox.empty():
            messages.append(self._inbox.get_nowait())
        self._inbox_room.release(len(messages))
        return messages

    async def disconnect(self) -> None:
        """End the connection; see the port."""
        session, self._session = self._session, None
        if session is None:
            return
        session.is_closing = True
        session.client.disconnect()
        try:
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                await session.ended.wait()
        except TimeoutError:
            self._counters.add("uplink_goodbye_timeouts")

    def _make_client(self, broker: Broker) -> Client:
        protocol = MQTTProtocolVersion.MQTTv5 if self._settings.protocol == "5" else MQTTProtocolVersion.MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=True if protocol is MQTTProtocolVersion.MQTTv311 else None,
            protocol=protocol,
            reconnect_on_failure=False,
        )
        client.tls_set_context(make_context(self._identity, broker.server_name or broker.host, self._judge_by()))
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(0)  # without a limit of paho's: ours is the receive maximum's, see publish
        client.on_socket_register_write = lambda _client, _data, _socket: None
        return client

    def _wire(self, session: _Session, loop: asyncio.AbstractEventLoop) -> None:
        """Turn paho's callbacks, which come on the connection's thread, into events of the loop."""

        def on_connect(
            client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, properties: Properties | None
        ) -> None:
            if code.is_failure:
                _call(loop, _settle, session, failures.refused(session.subject, code.value, str(code)))
                client.disconnect()
                return
            session.unacknowledged.allow(getattr(properties, "ReceiveMaximum", ANY_NUMBER))
            session.granted = Granted(getattr(properties, "MaximumPacketSize", None))
            client.subscribe(list(self._subscriptions))

        def on_subscribe(
            client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
        ) -> None:
            denied = [code for code in codes if code.is_failure]
            if denied:
                answer = f"subscription: {', '.join(str(code) for code in denied)}"
                # 3.1.1 has one code for every no (0x80): a subscription is refused for want of rights
                code = denied[0].value if denied[0].value != FIRST_FAILURE else NOT_AUTHORISED
                _call(loop, _settle, session, failures.refused(session.subject, code, answer))
                client.disconnect()
            else:
                _call(loop, _settle, session, session.granted)

        def on_disconnect(
            _client: Client, _data: object, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
        ) -> None:
            # after the broker's DISCONNECT paho tells the end of the socket too, as an unspecified error
            if session.code is None:
                session.cause = str(code)
                session.code = code.value if flags.is_disconnect_packet_from_server else None

        session.client.on_connect = on_connect
        session.client.on_subscribe = on_subscribe
        session.client.on_disconnect = on_disconnect

    def _wire_messages(self, session: _Session, loop: asyncio.AbstractEventLoop) -> None:
        """The same for what comes while the connection is up."""

        def on_publish(
            _client: Client, _data: object, mid: int, code: ReasonCode, _properties: Properties | None
        ) -> None:
            _call(loop, self._acknowledged, session, mid, code.value)

        def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
            self._pass_on(loop, Message(message.topic, bytes(message.payload)))

        session.client.on_message = on_message
        session.client.on_publish = on_publish

    def _acknowledged(self, session: _Session, mid: int, code: int) -> None:
        """Note a PUBACK, and let the next one go."""
        number = session.unacknowledged.acknowledged(mid)
        if code == NO_SUBSCRIBERS:
            self._counters.add("puback_no_subscribers")
        elif code >= FIRST_FAILURE:
            self._put(Refusal(number, code))
        _publish_waiting(session)

    def _put(self, item: Message | Refusal) -> None:
        if self._inbox_room.acquire(blocking=False):
            self._inbox.put_nowait(item)
        else:
            self._counters.add("uplink_inbox_dropped")

    def _pass_on(self, loop: asyncio.AbstractEventLoop, item: Message | Refusal) -> None:
        if self._inbox_room.acquire(blocking=False):
            _call(loop, self._inbox.put_nowait, item)
        else:
            self._counters.add("uplink_inbox_dropped")

    def _run(self, session: _Session, broker: Broker, loop: asyncio.AbstractEventLoop) -> None:
        """Body of the connection's thread."""
        failure: LinkError = failures.closed_early(session.subject)
        try:
            session.client.connect(broker.host, broker.port, self._settings.keepalive_s)
            if session.is_closing:
                session.client.disconnect()  # nobody waits for it any more; its client id must not push out the next
            while session.client.loop(LOOP_TIMEOUT_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
        except (OSError, ValueError) as exc:
            failure = failures.from_exception(session.subject, exc)
            session.cause = failure.cause
        finally:
            # whatever ends this thread, also a packet that paho stumbles over, is the end of the connection
            _call(loop, _settle, session, failure)
            _call(loop, session.ended.set)


def _publish_waiting(session: _Session) -> bool:
    """Hand to paho what may be on the way; False if it takes nothing any more."""
    while (message := session.unacknowledged.turn()) is not None:
        sent = session.client.publish(*message, qos=1)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        session.unacknowledged.sent(sent.mid)
    return True


def _settle(session: _Session, outcome: LinkError | Granted) -> None:
    if session.ready.done():
        return
    if isinstance(outcome, Granted):
        session.ready.set_result(outcome)
    else:
        session.ready.set_exception(outcome)


def _call(loop: asyncio.AbstractEventLoop, function: object, *arguments: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type] # any callable of any arguments
