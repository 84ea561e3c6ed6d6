"""All links of one process to one MQTT broker: one for what is said, and one a subscription.

A link a subscription, because a receive maximum counts for a whole connection: a store that waits for its database
would hold up the reports and the live picture of the same process too. They live and die together.
"""

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from cloud_api.bus.mqtt_link import Delivery, MqttLink
from cloud_api.bus.ports import HandOver, Subscription
from contracts.errors import LinkError
from contracts.topics import Topic, mqtt_filter

HAND_OVER_TIMEOUT_S = 0.5
"""At the end, for what has been taken to reach its handlers; what does not is the broker's again, and the gateways'."""

_log = structlog.get_logger(__name__)


class MqttSession:
    """``Session`` with one server.

    Args:
        server: ``mqtts://host:port``.
        client_id: begin of the client ids of its links.
        context: mutual TLS.
        hand_over: takes each message to its handler.
        on_drop: called with a reason for each message that was not taken.
    """

    def __init__(
        self,
        server: str,
        client_id: str,
        context: ssl.SSLContext,
        hand_over: HandOver,
        on_drop: Callable[[str], None],
    ) -> None:
        address = urlsplit(server)
        self._host, self._port = address.hostname or "", address.port or 0
        self.server = f"{self._host}:{self._port}"
        self._client_id = client_id
        self._context = context
        self._hand_over = hand_over
        self._on_drop = on_drop
        self._lost = asyncio.Event()
        self._sender = self._make_link("out")
        self._receivers: list[tuple[Subscription, MqttLink]] = []
        self._deliveries: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._is_delivering = True

    @property
    def is_up(self) -> bool:
        """All links stand."""
        return not self._lost.is_set()

    @property
    def end_reason(self) -> str:
        """Why it ended: the broker's word, if it gave one."""
        links = [self._sender, *(link for _, link in self._receivers)]
        return next((link.end_reason for link in links if link.end_reason != "lost"), "lost")

    async def open(self, subscriptions: list[Subscription]) -> None:
        """See ``Session``."""
        try:
            await self._sender.open(self._host, self._port)
            for subscription in subscriptions:
                self._receivers.append((subscription, await self._receiver(subscription)))
        except BaseException:
            await self.close()
            raise

    async def attend(self) -> None:
        """See ``Session``: until any link is lost."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for subscription, link in self._receivers:
                self._start(group, subscription, link)
            await self._lost.wait()
            self._group = None
            self._stop_tasks()

    async def add(self, subscription: Subscription) -> None:
        """See ``Session``."""
        link = await self._receiver(subscription)
        self._receivers.append((subscription, link))
        if self._group is None:
            self._lost.set()
            raise LinkError("subscribe", self.server, "not connected", "it is made at the next connection", "lost")
        self._start(self._group, subscription, link)

    async def publish(self, topic: Topic, data: bytes) -> None:
        """See ``Bus``."""
        await self._sender.publish(topic.mqtt(), data)

    async def stop_delivery(self) -> None:
        """See ``Bus``: what has been taken goes to its handlers first."""
        self._is_delivering = False
        links = [link for _, link in self._receivers]
        try:
            async with asyncio.timeout(HAND_OVER_TIMEOUT_S):
                await asyncio.gather(*(link.stop_taking() for link in links))
        except TimeoutError:
            _log.info("bus_handed_back", error="what was not taken is sent again")
        finally:
            self._stop_tasks()
        await asyncio.gather(*(link.close() for link in links))

    async def close(self) -> None:
        """See ``Session``."""
        self._is_delivering = False
        self._lost.set()
        links = [self._sender, *(link for _, link in self._receivers)]
        await asyncio.gather(*(link.close() for link in links if not link.has_ended))

    def _make_link(self, name: str, *, is_receiver: bool = False) -> MqttLink:
        def on_end() -> None:
            # a subscription that was left ends its link; that is no loss
            if self._is_delivering or not is_receiver:
                self._lost.set()

        return MqttLink(f"{self._client_id}-{name}", self._context, on_end, self._on_drop)

    async def _receiver(self, subscription: Subscription) -> MqttLink:
        link = self._make_link(f"in{len(self._receivers)}", is_receiver=True)
        await link.open(self._host, self._port, mqtt_filter(subscription.channel, subscription.group))
        return link

    def _start(self, group: asyncio.TaskGroup, subscription: Subscription, link: MqttLink) -> None:
        name = f"bus-{subscription.channel.value}-{subscription.group}"
        self._deliveries.append(group.create_task(self._deliver(subscription, link), name=name))

    async def _deliver(self, subscription: Subscription, link: MqttLink) -> None:
        while True:
            delivery: Delivery = await link.next_delivery()
            await self._hand_over(subscription, delivery.topic, delivery.data)
            link.done(delivery)

    def _stop_tasks(self) -> None:
        for task in self._deliveries:
            task.cancel()
