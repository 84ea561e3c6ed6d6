"""What the cloud asks of a broker. The adapter is chosen in the composition root and named nowhere else."""

from collections.abc import Awaitable, Callable
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
