"""Any MQTT 5 broker as the bus (Mosquitto, EMQX, HiveMQ), over mutual TLS only.

A message is acknowledged after its handler has returned, and the broker may send no more than ``RECEIVE_MAXIMUM``
without that: a slow database is felt by the broker, whose capped queue is felt by the gateways as receipts that come
late. Nothing grows here: what comes all the same meets a cap. Shared subscriptions (``$share/<group>/…``) spread a
channel over the members of a group.

The reconnect loop is ours, as in ``nats_bus``: a lost connection of any kind becomes new links and the same
subscriptions, for ever.
"""

import asyncio
import random
import ssl

import structlog

from cloud_api.backoff import FullJitter
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.mqtt_session import MqttSession
from cloud_api.bus.ports import Handler
from cloud_api.bus.subscription import Subscription, hand_over
from contracts.errors import LinkError
from contracts.topics import Channel, Topic

_log = structlog.get_logger(__name__)


class MqttBus:
    """``Bus`` over MQTT 5; ``run`` keeps the connection.

    Args:
        servers: ``mqtts://host:port``, tried in this order.
        context: mutual TLS, see ``cloud_api.bus.tls``.
        name: how the broker's monitoring shows this process; a random end keeps client ids of processes apart.
        metrics: counters.
        rng: source of jitter and of that end.
    """

    def __init__(
        self, servers: list[str], context: ssl.SSLContext, name: str, metrics: BusMetrics, rng: random.Random
    ) -> None:
        self._servers = list(servers)
        self._context = context
        self._client_id = f"{name}-{rng.getrandbits(48):012x}"
        self._metrics = metrics
        self._rng = rng
        self._subscriptions: list[Subscription] = []
        self._session: MqttSession | None = None
        self._is_closing = False
        self._is_slow = False

    @property
    def is_connected(self) -> bool:
        """The broker answers now."""
        return self._session is not None and self._session.is_up

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost, until ``close``."""
        try:
            await self._keep_connected()
        finally:
            await self.close()

    async def _keep_connected(self) -> None:
        backoff = FullJitter(0.1, 5.0, self._rng)
        is_warned = False
        while not self._is_closing:
            try:
                session = await self._connect_to_any()
            except LinkError as exc:
                self._metrics.connect_errors.labels(exc.reason).inc()
                if not is_warned:
                    _log.warning("bus_unreachable", error=str(exc), reason=exc.reason)
                is_warned = True
                await asyncio.sleep(backoff.next_delay_s())
                continue
            backoff.reset()
            is_warned = False
            await self._attend(session)
            if not self._is_closing:
                _log.warning("bus_lost", reason=session.end_reason)
                await asyncio.sleep(backoff.next_delay_s())

    async def _attend(self, session: MqttSession) -> None:
        if self._is_closing:
            await session.close()
            return
        self._session = session
        self._metrics.connects.inc()
        self._metrics.connected.set(1)
        _log.info("bus_connected", server=session.server)
        try:
            await session.attend()
        finally:
            self._metrics.connected.set(0)
            self._session = None
            await session.close()

    async def publish(self, topic: Topic, data: bytes) -> None:
        """See ``Bus``."""
        session = self._session
        if session is None or not session.is_up:
            raise LinkError("publish", topic.mqtt(), "not connected", "the sender repeats it", "disconnected")
        await session.publish(topic, data)

    async def subscribe(self, channel: Channel, handler: Handler) -> None:
        """See ``Bus``."""
        await self._add(Subscription(channel, "", handler))

    async def subscribe_shared(self, channel: Channel, group: str, handler: Handler) -> None:
        """See ``Bus``."""
        await self._add(Subscription(channel, group, handler))

    async def stop_delivery(self) -> None:
        """See ``Bus``."""
        self._subscriptions.clear()
        if self._session is not None and self._session.is_up:
            await self._session.stop_delivery()

    async def close(self) -> None:
        """See ``Bus``; ``run`` returns after it."""
        self._is_closing = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _add(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        if self._session is not None and self._session.is_up:
            await self._session.add(subscription)

    async def _connect_to_any(self) -> MqttSession:
        errors = []
        for server in self._servers:
            session = MqttSession(server, self._client_id, self._context, self._hand_over, self._on_drop)
            try:
                await session.open(self._subscriptions)
            except LinkError as exc:
                errors.append(exc)
                continue
            return session
        raise errors[-1]

    async def _hand_over(self, subscription: Subscription, topic: str, data: bytes) -> None:
        await hand_over(subscription, topic, data, self._metrics)
        self._is_slow = False

    def _on_drop(self, reason: str) -> None:
        self._metrics.dropped.labels(reason).inc()
        if reason == "slow_consumer" and not self._is_slow:
            _log.warning("bus_slow_consumer")
            self._is_slow = True
