"""What the cloud asks of a broker, and the bus of one connection to it.

The adapter is chosen in the composition root and named nowhere else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from contracts.topics import Channel, Topic

Handler = Callable[[Topic, bytes], Awaitable[None]]
"""Takes one message; while it runs, the next message of the same subscription waits (that is the back-pressure)."""


class Bus(Protocol):
    """Publish and subscribe, at most once: whoever needs more sends again until a receipt says otherwise.

    Subscriptions outlive the connection: they are made again after every reconnect. A message that cannot wait (its
    subscription's buffer is full) is dropped and counted.
    """

    @property
    def is_connected(self) -> bool:
        """The broker answers now."""

    async def publish(self, topic: Topic, data: bytes) -> None:
        """Hand one message to the broker.

        Raises:
            LinkError: not connected, or the broker did not take it in time (reason ``disconnected``, ``timeout``).
            PeerError: it is over the broker's size limit (reason ``too_large``).
        """

    async def subscribe(self, channel: Channel, handler: Handler) -> None:
        """Call ``handler`` with every message of ``channel``, of all gateways."""

    async def subscribe_shared(self, channel: Channel, group: str, handler: Handler) -> None:
        """Call ``handler`` with this process's share of ``channel``: each message goes to one member of ``group``."""

    async def stop_delivery(self) -> None:
        """Take no more messages; publishing still works, so that what was taken can be answered."""

    async def close(self) -> None:
        """Leave the broker; idempotent."""


@dataclass(frozen=True)
class Subscription:
    """What is heard, by which group ("" alone), and who takes it."""

    channel: Channel
    group: str
    handler: Handler


HandOver = Callable[[Subscription, str, bytes], Awaitable[None]]
"""Takes a message, with the topic or subject it came on, to the handler of its subscription."""


class Session(Protocol):
    """A connection to one server, from ``open`` to its end; it is not opened again."""

    server: str
    """``host:port``, for who reads the log."""

    @property
    def is_up(self) -> bool:
        """The server answers now."""

    @property
    def end_reason(self) -> str:
        """Why it ended, once it has."""

    async def open(self, subscriptions: list[Subscription]) -> None:
        """Connect and subscribe.

        Raises:
            LinkError: some part of it cannot be made; nothing stands then.
        """

    async def attend(self) -> None:
        """Deliver what comes until the connection is lost or ``close`` is called."""

    async def add(self, subscription: Subscription) -> None:
        """Subscribe while it is being attended.

        Raises:
            LinkError: the subscription cannot be made.
        """

    async def publish(self, topic: Topic, data: bytes) -> None:
        """See ``Bus``."""

    async def stop_delivery(self) -> None:
        """See ``Bus``."""

    async def close(self) -> None:
        """End it; idempotent."""
