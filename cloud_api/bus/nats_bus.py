"""NATS as the bus, over mutual TLS only.

The reconnect loop is ours: nats-py's own one ends for good on an authorisation error, on "maximum connections
exceeded" and on any server error that it does not know, and a cloud that has stopped listening looks healthy from
outside. Here a lost connection of any kind becomes a new client and the same subscriptions (docs/adr/0030).

It refuses to speak to a server that does not ask for TLS: nats-py falls back to plain text silently.
"""

import asyncio
import random
import ssl
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from cloud_api.backoff import FullJitter
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.ports import Handler
from cloud_api.bus.subscription import Subscription, hand_over
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic, all_gateways

CONNECT_TIMEOUT_S = 5
"""A broker on the same continent completes TLS in well under 1 s; after 5 s the next server is tried."""
PUBLISH_TIMEOUT_S = 5.0
"""A publish only waits when the socket's buffer is full."""
CLOSE_TIMEOUT_S = 1.0
"""To flush the last receipts to a broker that listens; one that does not must not hold up the end."""
PING_INTERVAL_S = 5
"""A dead link is noticed after two unanswered pings, about 10 s."""
LOOK_S = 1.0
"""Between looks at the state of a client that has not said that it was closed."""
PENDING_MESSAGES = 256
"""Undelivered messages a subscription: a minute of a busy port; beyond it the gateways' own disks are the buffer."""
PENDING_BYTES = 32 * 1024 * 1024
"""The same in bytes: 128 batches of the largest size."""

_log = structlog.get_logger(__name__)


class NatsBus:
    """``Bus`` over NATS; ``run`` keeps the connection.

    Args:
        servers: ``tls://host:port`` of one cluster, in any order.
        context: mutual TLS, see ``cloud_api.bus.tls``.
        name: how the broker's monitoring shows this process.
        metrics: counters.
        rng: source of jitter and of the order of servers.
    """

    def __init__(
        self, servers: list[str], context: ssl.SSLContext, name: str, metrics: BusMetrics, rng: random.Random
    ) -> None:
        self._servers = list(servers)
        self._context = context
        self._name = name
        self._metrics = metrics
        self._rng = rng
        self._subscriptions: list[Subscription] = []
        self._started: list[NatsSubscription] = []
        self._client: Client | None = None
        self._lost = asyncio.Event()
        self._is_closing = False
        self._is_slow = False

    @property
    def is_connected(self) -> bool:
        """The broker answers now."""
        return self._client is not None and self._client.is_connected and not self._lost.is_set()

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
                await self._connect_to_any()
            except LinkError as exc:
                self._metrics.connect_errors.labels(exc.reason).inc()
                if not is_warned:
                    _log.warning("bus_unreachable", error=str(exc), reason=exc.reason)
                is_warned = True
                await asyncio.sleep(backoff.next_delay_s())
                continue
            if self._is_closing:
                # asyncio.wait_for of Python 3.11 can lose a cancellation inside nats-py; the flag cannot be lost
                break
            backoff.reset()
            is_warned = False
            _log.info("bus_connected", server=self._connected_to())
            await self._wait_lost()
            self._let_go()
            self._metrics.connected.set(0)
            if not self._is_closing:
                _log.warning("bus_lost")
                await asyncio.sleep(backoff.next_delay_s())

    def _let_go(self) -> None:
        """Drop what a lost connection has brought and nobody has taken yet; the gateways send it again.

        A lost client and its subscriptions hold each other, and may hang while they close. Left to themselves they keep
        their messages, 20 MiB a connection when the stores are slow, which is when a broker cuts us off.
        """
        for subscription in self._started:
            waiting = subscription._pending_queue  # noqa: SLF001 - nats-py has no public way to empty it
            self._metrics.dropped.labels("connection_lost").inc(waiting.qsize())
            while not waiting.empty():
                waiting.get_nowait()
        self._started.clear()

    async def _wait_lost(self) -> None:
        """Wait until the connection is lost, by the client's word or by its state.

        Its word can fail to come: it closes the TLS stream first, and waits for that without a limit.
        """
        while not self._lost.is_set() and self.is_connected:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._lost.wait()
            except TimeoutError:
                continue

    async def publish(self, topic: Topic, data: bytes) -> None:
        """See ``Bus``."""
        client = self._client
        if client is None or not self.is_connected:
            raise LinkError("publish", topic.mqtt(), "not connected", "the sender repeats it", "disconnected")
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await client.publish(topic.subject(), data)
        except nats.errors.MaxPayloadError as exc:
            raise PeerError("publish", topic.mqtt(), f"{len(data)} bytes", "raise max_payload", "too_large") from exc
        except TimeoutError as exc:
            raise LinkError("publish", topic.mqtt(), "broker takes nothing", "", "timeout") from exc
        except (nats.errors.Error, OSError) as exc:
            raise LinkError("publish", topic.mqtt(), str(exc), "", "disconnected") from exc

    async def subscribe(self, channel: Channel, handler: Handler) -> None:
        """See ``Bus``."""
        await self._add(Subscription(channel, "", handler))

    async def subscribe_shared(self, channel: Channel, group: str, handler: Handler) -> None:
        """See ``Bus``."""
        await self._add(Subscription(channel, group, handler))

    async def stop_delivery(self) -> None:
        """See ``Bus``."""
        self._subscriptions.clear()
        client = self._client
        if client is None or not self.is_connected:
            return
        # nats-py has no public way to list subscriptions; without this a stopping worker would keep taking batches
        for subscription in list(client._subs.values()):  # noqa: SLF001 - see the line above
            try:
                await subscription.unsubscribe()
            except (nats.errors.Error, OSError) as exc:
                _log.info("bus_unsubscribe_failed", error=str(exc))

    async def close(self) -> None:
        """See ``Bus``; ``run`` returns after it."""
        self._is_closing = True
        client, self._client = self._client, None
        self._lost.set()
        if client is not None:
            await _close_client(client)

    def _connected_to(self) -> str:
        url = self._client.connected_url if self._client is not None else None
        return url.netloc if url is not None else ""

    async def _add(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        if self._client is not None and self.is_connected:
            await self._start(self._client, subscription)

    async def _connect_to_any(self) -> None:
        errors = []
        for server in self._rng.sample(self._servers, len(self._servers)):
            client = Client()
            try:
                await self._connect(client, server)
            except LinkError as exc:
                await _close_client(client)
                errors.append(exc)
                continue
            except BaseException:
                await _close_client(client)
                raise
            return
        raise errors[-1]

    async def _connect(self, client: Client, server: str) -> None:
        subject = urlsplit(server).netloc
        self._lost = lost = asyncio.Event()

        async def on_closed() -> None:
            lost.set()

        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await client.connect(
                    servers=[server], name=self._name, tls=self._context, allow_reconnect=False,
                    connect_timeout=CONNECT_TIMEOUT_S, reconnect_time_wait=0, max_reconnect_attempts=1,
                    ping_interval=PING_INTERVAL_S, error_cb=self._on_error, closed_cb=on_closed,
                )  # fmt: skip
            _demand_tls(client, subject)
            for subscription in self._subscriptions:
                await self._start(client, subscription)
        except TimeoutError as exc:
            raise LinkError("connect to broker", subject, "no answer in time", "", "timeout") from exc
        except ssl.SSLError as exc:
            raise LinkError("connect to broker", subject, str(exc), "check bus.trust", "tls") from exc
        except (nats.errors.Error, OSError) as exc:
            cause = str(client.last_error or exc)
            raise LinkError("connect to broker", subject, cause, "is the broker running?", "unreachable") from exc
        self._client = client
        self._metrics.connects.inc()
        self._metrics.connected.set(1)

    async def _start(self, client: Client, subscription: Subscription) -> None:
        async def deliver(message: Msg) -> None:
            self._is_slow = False
            await hand_over(subscription, message.subject, message.data, self._metrics)

        started = await client.subscribe(
            all_gateways(subscription.channel), queue=subscription.group, cb=deliver,
            pending_msgs_limit=PENDING_MESSAGES, pending_bytes_limit=PENDING_BYTES,
        )  # fmt: skip
        self._started.append(started)

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            self._metrics.dropped.labels("slow_consumer").inc()
            if not self._is_slow:
                _log.warning("bus_slow_consumer", subject=error.subject)
            self._is_slow = True


def _demand_tls(client: Client, subject: str) -> None:
    transport = client._transport  # noqa: SLF001 - nats-py shows nowhere else whether TLS is in use
    writer = getattr(transport, "_io_writer", None)
    if writer is None or writer.get_extra_info("ssl_object") is None:
        hint = "the broker must demand TLS and verify clients"
        raise LinkError("connect to broker", subject, "the server speaks plain text", hint, "plain_text")


async def _close_client(client: Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()
    except (nats.errors.Error, OSError, TimeoutError) as exc:
        _log.info("bus_close_failed", error=str(exc))
