"""The bus over any broker: one session at a time, and a new one with the same subscriptions whenever it ends.

The reconnect loop is ours for every broker (docs/adr/0030): a lost connection of any kind becomes a new session, for
ever. What differs between brokers is in their sessions: ``nats_session``, ``mqtt_session``.
"""

import asyncio
import random
from collections.abc import Callable

import structlog

from cloud_api.backoff import FullJitter
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.ports import Handler, Session, Subscription
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic, parse_topic

_log = structlog.get_logger(__name__)


class BrokerBus:
    """``Bus`` over sessions; ``run`` keeps one.

    Args:
        servers: addresses of one broker, in the order in which they are tried; asked at each attempt.
        make_session: makes a session with one of them, not yet open.
        metrics: counters.
        rng: source of jitter.
    """

    def __init__(
        self,
        servers: Callable[[], list[str]],
        make_session: Callable[["BrokerBus", str], Session],
        metrics: BusMetrics,
        rng: random.Random,
    ) -> None:
        self._servers = servers
        self._make_session = make_session
        self._metrics = metrics
        self._rng = rng
        self._subscriptions: list[Subscription] = []
        self._session: Session | None = None
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

    async def _attend(self, session: Session) -> None:
        if self._is_closing:
            # asyncio.wait_for of Python 3.11 can lose a cancellation inside nats-py; the flag cannot be lost
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

    async def hand_over(self, subscription: Subscription, address: str, data: bytes) -> None:
        """Give one message of a session to its handler; returns when the handler has.

        Args:
            subscription: whose message it is.
            address: MQTT topic or NATS subject it came on.
            data: its payload.
        """
        try:
            topic = parse_topic(address)
        except PeerError as exc:
            self._metrics.dropped.labels(exc.reason).inc()
            return
        channel = subscription.channel.value
        self._metrics.messages.labels(channel).inc()
        try:
            await subscription.handler(topic, data)
        except Exception:  # noqa: BLE001 - whatever it is, it is logged with its traceback and counted
            # one message that a handler cannot bear must not end the subscription for all gateways
            self._metrics.handler_errors.labels(channel).inc()
            _log.exception("bus_handler_failed", channel=channel, gateway=topic.gateway, site=topic.site)
        self._is_slow = False

    def on_drop(self, reason: str) -> None:
        """Count a message that a session did not take; a slow consumer is told once, until it has taken one again."""
        self._metrics.dropped.labels(reason).inc()
        if reason == "slow_consumer" and not self._is_slow:
            _log.warning("bus_slow_consumer")
            self._is_slow = True

    async def _add(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        if self._session is not None and self._session.is_up:
            await self._session.add(subscription)

    async def _connect_to_any(self) -> Session:
        errors = []
        for server in self._servers():
            session = self._make_session(self, server)
            try:
                await session.open(self._subscriptions)
            except LinkError as exc:
                errors.append(exc)
                continue
            return session
        raise errors[-1]
