"""Shell around paho-mqtt: one connection of MQTT 5, one thread; callbacks become a future, events and a bounded inbox.

All socket work is done by the connection's thread; other threads only queue packets (``on_socket_register_write`` is
set so that paho does not write from the caller's thread). A link is opened once and ends once.

Clean start and a session that ends with its connection: what a session would keep for us is what gateways send again
anyway, and while it waited for us no other member of the group could have it (docs/adr/0139).
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud_api.bus import mqtt_reasons
from cloud_api.bus.mqtt_room import Room
from contracts.errors import LinkError, PeerError
from contracts.limits import MAX_BATCH_BYTES

CONNECT_TIMEOUT_S = 5.0
"""TCP and TLS each; a broker on the same continent needs well under 1 s."""
ANSWER_TIMEOUT_S = 5.0
"""All of it, with CONNACK and SUBACK; then the next server is tried."""
PUBLISH_TIMEOUT_S = 5.0
"""A publish only waits while ``MAX_UNSENT`` are not yet in the socket."""
GOODBYE_TIMEOUT_S = 0.8
"""To say goodbye to a broker that listens; one that does not must not hold up the end."""
KEEPALIVE_S = 5
"""A dead link is noticed after two silent intervals by us, after one and a half by the broker."""
LOOP_TIMEOUT_S = 1.0
RECEIVE_MAXIMUM = 64
"""Messages that the broker may send without our acknowledgement, which follows the handler: what a slow database holds
up then waits in the broker's capped queue, and what that drops on the gateways' disks. One queue of the store role."""
PENDING_MESSAGES = 256
"""Messages that wait here at most, as in ``nats_bus``. A broker that keeps to the receive maximum never comes near, but
Mosquitto 2.0 sends more than that while it catches up (seen: 70 of 10). Beyond it they are dropped by count, and
acknowledged, or they would take the window of others; gateways send them again."""
PENDING_BYTES = 32 * 1024 * 1024
"""The same in bytes: 128 batches of the largest size."""
PENDING_AT_QOS_0 = (64, 4 * 1024 * 1024)
"""Messages, and bytes, that wait and need no acknowledgement: nobody honest sends any (gateways send at QoS 1), and a
flood of them shall not take the room of the others."""
MAX_PACKET_BYTES = 4 * MAX_BATCH_BYTES
"""Larger packets the broker may not send us: four times the largest batch, 1 MiB."""
MAX_UNSENT = 256
"""Messages of ours that are not yet in the socket: receipts of 200 bytes."""
OVERHEAD_BYTES = 12
"""Of a PUBLISH beside topic and payload: fixed header 5, length of the topic 2, properties 1, and some to spare."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message from the broker; ``packet_id`` is what an acknowledgement names, 0 at QoS 0."""

    topic: str
    data: bytes
    packet_id: int


class MqttLink:
    """One connection to one broker.

    Args:
        client_id: MQTT client id, of this link only.
        context: mutual TLS.
        on_end: called in the loop when the link has ended, however it did.
        on_drop: called in the loop with a reason, for each message that was not taken.
    """

    def __init__(
        self,
        client_id: str,
        context: ssl.SSLContext,
        on_end: Callable[[], None],
        on_drop: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = _make_client(client_id, context)
        self._on_end = on_end
        self._on_drop = on_drop
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._inbox: asyncio.Queue[Delivery] = asyncio.Queue(PENDING_MESSAGES + PENDING_AT_QOS_0[0])
        self._rooms = (Room(*PENDING_AT_QOS_0), Room(PENDING_MESSAGES, PENDING_BYTES))
        self._unsent = asyncio.Semaphore(MAX_UNSENT)
        self._max_packet_bytes = MAX_PACKET_BYTES
        self._is_closing = False
        self._is_taking = True
        self._subject = ""
        self._filter = ""
        self.end_reason = "lost"

    @property
    def has_ended(self) -> bool:
        """The connection is no more."""
        return self._ended.is_set()

    async def open(self, host: str, port: int, topic_filter: str = "") -> None:
        """Connect, and subscribe to ``topic_filter`` if there is one.

        Raises:
            LinkError: the broker cannot be reached, is not who it should be, or says no; the link has then ended.
        """
        self._subject = f"{host}:{port}"
        self._filter = topic_filter
        self._wire()
        threading.Thread(target=self._run, args=(host, port), name="bus-mqtt", daemon=True).start()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._ready
        except TimeoutError as exc:
            await self.close()
            raise mqtt_reasons.timed_out(self._subject) from exc
        except BaseException:
            await self.close()
            raise

    async def publish(self, topic: str, data: bytes) -> None:
        """Queue a message at QoS 0; waits while too much is not yet in the socket.

        Raises:
            LinkError: the link has ended, or the broker takes nothing (reason ``disconnected``, ``timeout``).
            PeerError: over the broker's limit, or ours (reason ``too_large``).
        """
        if len(data) + len(topic) + OVERHEAD_BYTES > self._max_packet_bytes:
            cause = f"{len(data)} bytes"
            raise PeerError("publish", topic, cause, "raise the broker's limit of one packet", "too_large")
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._unsent.acquire()
        except TimeoutError as exc:
            raise LinkError("publish", topic, "broker takes nothing", "", "timeout") from exc
        if self.has_ended or self._client.publish(topic, data, 0).rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._unsent.release()
            raise LinkError("publish", topic, "not connected", "the sender repeats it", "disconnected")

    async def next_delivery(self) -> Delivery:
        """Wait for a message; ``done`` with it makes room for the next."""
        return await self._inbox.get()

    def done(self, delivery: Delivery) -> None:
        """Acknowledge a message: whatever its handler made of it, it is not to come again."""
        # room first: the broker may send the next one before this thread is on again
        self._rooms[bool(delivery.packet_id)].leave(len(delivery.data))
        if delivery.packet_id:
            self._client.ack(delivery.packet_id, 1)
        self._inbox.task_done()

    async def stop_taking(self) -> None:
        """Leave the subscription and return when all that was taken before is done."""
        self._is_taking = False
        if self._filter:
            self._client.unsubscribe(self._filter)
        await self._inbox.join()

    async def close(self) -> None:
        """End the connection; what is not acknowledged is the broker's again. Idempotent."""
        self._is_closing = True
        self._client.disconnect()
        try:
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            _log.info("bus_close_failed", error="the broker does not take the goodbye")

    def _wire(self) -> None:
        """Turn paho's callbacks, which come on the connection's thread, into events of the loop."""
        client = self._client
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_publish = lambda *_: self._call(self._unsent.release)

    def _connected(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._refuse(mqtt_reasons.refused(self._subject, code.value, str(code)))
            return
        self._max_packet_bytes = min(MAX_PACKET_BYTES, getattr(properties, "MaximumPacketSize", MAX_PACKET_BYTES))
        if self._filter.startswith("$share/") and not getattr(properties, "SharedSubscriptionAvailable", 1):
            self._refuse(mqtt_reasons.refused(self._subject, 0x9E, "no shared subscriptions"))
        elif self._filter:
            # a retained message is of another time
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            client.subscribe(self._filter, options=options)
        else:
            self._call(self._settle, None)

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if codes[0].is_failure:
            self._refuse(mqtt_reasons.refused(self._subject, codes[0].value, f"subscription: {codes[0]}"))
        elif codes[0].value != 1:
            self._refuse(mqtt_reasons.no_qos_1(self._subject, str(codes[0])))
        else:
            self._call(self._settle, None)

    def _disconnected(
        self, _client: Client, _data: object, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server and code.value >= mqtt_reasons.FIRST_FAILURE:
            self.end_reason = mqtt_reasons.refused(self._subject, code.value, str(code)).reason

    def _received(self, client: Client, _data: object, message: MQTTMessage) -> None:
        if not self._is_taking:
            self._call(self._on_drop, "stopping")
        elif self._rooms[message.qos > 0].take(len(message.payload)):
            packet_id = message.mid if message.qos else 0
            self._call(self._inbox.put_nowait, Delivery(_topic_of(message), bytes(message.payload), packet_id))
        else:
            client.ack(message.mid, message.qos)
            self._call(self._on_drop, "slow_consumer")

    def _refuse(self, error: LinkError) -> None:
        self._call(self._settle, error)
        self._client.disconnect()

    def _settle(self, error: LinkError | None) -> None:
        if self._ready.done():
            return
        if error is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(error)

    def _finish(self, failure: LinkError) -> None:
        self._settle(failure)
        self._ended.set()
        # paho closes the pair of sockets that wakes its thread only when it is collected
        self._client._reset_sockets()  # noqa: SLF001 - see the line above
        self._on_end()

    def _run(self, host: str, port: int) -> None:
        """Body of the connection's thread."""
        failure = mqtt_reasons.closed_early(self._subject)
        try:
            self._client.connect(host, port, KEEPALIVE_S, clean_start=True, properties=_connect_properties())
            if self._is_closing:
                self._client.disconnect()  # nobody waits for it any more
            while self._client.loop(LOOP_TIMEOUT_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
        except (OSError, ValueError) as exc:
            failure = mqtt_reasons.from_exception(self._subject, exc)
        finally:
            # whatever ends this thread, also a packet that paho stumbles over, is the end of the link
            self._call(self._finish, failure)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


def _make_client(client_id: str, context: ssl.SSLContext) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.tls_set_context(context)
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.on_socket_register_write = lambda _client, _data, _socket: None
    return client


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho has no types here
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    properties.SessionExpiryInterval = 0
    return properties


def _topic_of(message: MQTTMessage) -> str:
    try:
        return str(message.topic)
    except UnicodeDecodeError:
        return ""  # no topic of ours, which is what the one who reads it will find
