"""One connection of a process to one nats-server, over mutual TLS only.

nats-py's own reconnect is off: it ends for good on an authorisation error, on "maximum connections exceeded" and on any
server error that it does not know, and a cloud that has stopped listening looks healthy from outside (docs/adr/0030).

It refuses to speak to a server that does not ask for TLS: nats-py falls back to plain text silently.
"""

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from cloud_api.bus.ports import HandOver, Subscription
from contracts.errors import LinkError, PeerError
from contracts.topics import Topic, all_gateways

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


class NatsSession:
    """``Session`` with one server.

    Args:
        server: ``tls://host:port``.
        name: how the server's monitoring shows this process.
        context: mutual TLS.
        hand_over: takes each message to its handler.
        on_drop: called with a reason for each message that was not taken.
    """

    def __init__(
        self, server: str, name: str, context: ssl.SSLContext, hand_over: HandOver, on_drop: Callable[[str], None]
    ) -> None:
        self._url = server
        self.server = urlsplit(server).netloc
        self._name = name
        self._context = context
        self._hand_over = hand_over
        self._on_drop = on_drop
        self._client = Client()
        self._lost = asyncio.Event()
        self._started: list[NatsSubscription] = []

    @property
    def is_up(self) -> bool:
        """The connection stands."""
        return self._client.is_connected and not self._lost.is_set()

    @property
    def end_reason(self) -> str:
        """Why it ended: the server's word, if it gave one."""
        return str(self._client.last_error or "lost")

    async def open(self, subscriptions: list[Subscription]) -> None:
        """See ``Session``."""
        try:
            await self._connect(subscriptions)
        except BaseException:
            await self.close()
            raise

    async def _connect(self, subscriptions: list[Subscription]) -> None:
        async def on_closed() -> None:
            self._lost.set()

        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._client.connect(
                    servers=[self._url], name=self._name, tls=self._context, allow_reconnect=False,
                    connect_timeout=CONNECT_TIMEOUT_S, reconnect_time_wait=0, max_reconnect_attempts=1,
                    ping_interval=PING_INTERVAL_S, error_cb=self._on_error, closed_cb=on_closed,
                )  # fmt: skip
            _demand_tls(self._client, self.server)
            for subscription in subscriptions:
                await self._start(subscription)
        except TimeoutError as exc:
            raise LinkError("connect to broker", self.server, "no answer in time", "", "timeout") from exc
        except ssl.SSLError as exc:
            raise LinkError("connect to broker", self.server, str(exc), "check bus.trust", "tls") from exc
        except (nats.errors.Error, OSError) as exc:
            cause = str(self._client.last_error or exc)
            raise LinkError("connect to broker", self.server, cause, "is the broker running?", "unreachable") from exc

    async def attend(self) -> None:
        """See ``Session``: by the client's word or by its state, for its word can fail to come.

        It closes the TLS stream first, and waits for that without a limit.
        """
        while self.is_up:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._lost.wait()
            except TimeoutError:
                continue
        self._let_go()

    def _let_go(self) -> None:
        """Drop what a lost connection has brought and nobody has taken yet; the gateways send it again.

        A lost client and its subscriptions hold each other, and may hang while they close. Left to themselves they keep
        their messages, 20 MiB a connection when the stores are slow, which is when a broker cuts us off.
        """
        for subscription in self._started:
            waiting = subscription._pending_queue  # noqa: SLF001 - nats-py has no public way to empty it
            while not waiting.empty():
                waiting.get_nowait()
                self._on_drop("connection_lost")
        self._started.clear()

    async def add(self, subscription: Subscription) -> None:
        """See ``Session``."""
        try:
            await self._start(subscription)
        except (nats.errors.Error, OSError) as exc:
            raise LinkError("subscribe", self.server, str(exc), "it is made at the next connection", "lost") from exc

    async def _start(self, subscription: Subscription) -> None:
        async def deliver(message: Msg) -> None:
            await self._hand_over(subscription, message.subject, message.data)

        started = await self._client.subscribe(
            all_gateways(subscription.channel), queue=subscription.group, cb=deliver,
            pending_msgs_limit=PENDING_MESSAGES, pending_bytes_limit=PENDING_BYTES,
        )  # fmt: skip
        self._started.append(started)

    async def publish(self, topic: Topic, data: bytes) -> None:
        """See ``Bus``."""
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._client.publish(topic.subject(), data)
        except nats.errors.MaxPayloadError as exc:
            raise PeerError("publish", topic.mqtt(), f"{len(data)} bytes", "raise max_payload", "too_large") from exc
        except TimeoutError as exc:
            raise LinkError("publish", topic.mqtt(), "broker takes nothing", "", "timeout") from exc
        except (nats.errors.Error, OSError) as exc:
            raise LinkError("publish", topic.mqtt(), str(exc), "", "disconnected") from exc

    async def stop_delivery(self) -> None:
        """See ``Bus``."""
        # nats-py has no public way to list subscriptions; without this a stopping worker would keep taking batches
        for subscription in list(self._client._subs.values()):  # noqa: SLF001 - see the line above
            try:
                await subscription.unsubscribe()
            except (nats.errors.Error, OSError) as exc:
                _log.info("bus_unsubscribe_failed", error=str(exc))

    async def close(self) -> None:
        """See ``Session``."""
        self._lost.set()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._client.close()
        except (nats.errors.Error, OSError, TimeoutError) as exc:
            _log.info("bus_close_failed", error=str(exc))

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            self._on_drop("slow_consumer")


def _demand_tls(client: Client, subject: str) -> None:
    transport = client._transport  # noqa: SLF001 - nats-py shows nowhere else whether TLS is in use
    writer = getattr(transport, "_io_writer", None)
    if writer is None or writer.get_extra_info("ssl_object") is None:
        hint = "the broker must demand TLS and verify clients"
        raise LinkError("connect to broker", subject, "the server speaks plain text", hint, "plain_text")
