"""What the store role asks of others, beside ``cloud_api.history.ports.HistoryWriter``."""

from typing import Protocol

from cloud_api.ingest.judging_policy import Refused
from contracts.topics import Topic


class ReceiptSender(Protocol):
    """Answers a gateway (the bus does)."""

    async def publish(self, topic: Topic, data: bytes) -> None:
        """Hand one message to the broker.

        Raises:
            LinkError: not now; the gateway will send its batch again and be answered then.
            PeerError: it is over the broker's size limit.
        """


class PoisonStore(Protocol):
    """Keeps refused payloads for a person to look at."""

    async def set_aside(self, refused: Refused, received_at_ns: int) -> int:
        """Keep a payload, durable when it returns; the same payload again only raises its count.

        Returns:
            How many older ones had to go to keep the store within its cap.

        Raises:
            LinkError: the store cannot be written now.
        """
