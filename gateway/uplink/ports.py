"""What the uplink needs: a store of batches, a transport to one broker, and someone who carries out commands."""

from collections.abc import Collection, Sequence
from typing import Protocol

from contracts.commands import Command, CommandResult
from contracts.receipt import Receipt
from firmware_configs.device import Broker
from gateway.outbox.models import StoredBatch


class BatchStore(Protocol):
    """Sealed batches on disk. All methods raise ``LinkError`` while the disk does not answer."""

    async def next_batches(self, exclude: Collection[int], limit: int, room_bytes: int) -> list[StoredBatch]:
        """Return batches to send, most urgent first, none of ``exclude``."""
        ...

    async def read_batch(self, batch_id: int) -> StoredBatch | None:
        """Return one batch, None if it is gone."""
        ...

    async def settle(self, receipts: Sequence[tuple[Receipt, int | None]]) -> list[int]:
        """Act on receipts, each with the id of its batch where only a digest names it; return the ids now gone."""
        ...


class Transport(Protocol):
    """One connection at a time to one broker; mutual TLS is not an option but the only way."""

    async def connect(self, broker: Broker) -> None:
        """Connect and subscribe, within the transport's own timeout.

        Raises:
            LinkError: it did not work; reason and hint say what a person could do.
        """
        ...

    async def closed(self) -> str:
        """Wait for the end of the connection and return its cause."""
        ...

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Hand a message to the connection; False if there is none, or it is full."""
        ...

    async def next_messages(self) -> list[tuple[str, bytes]]:
        """Wait for messages and return all that have come, as (topic, payload)."""
        ...

    async def disconnect(self) -> None:
        """Say goodbye and end the connection, within a second; does nothing without one."""
        ...


class CommandRunner(Protocol):
    """Carries out commands; each is asked for once."""

    async def run(self, command: Command) -> CommandResult:
        """Carry out one command; failure is a result, not an exception."""
        ...
