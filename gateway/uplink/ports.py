"""What the uplink needs: a store of batches, a transport to one broker, and someone who carries out commands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.commands import Command, CommandResult
from contracts.receipt import Receipt
from firmware_configs.device import Broker
from gateway.outbox.models import Lane, StoredBatch


@dataclass(frozen=True, slots=True)
class Granted:
    """What a broker allows on a connection.

    Attributes:
        max_packet_bytes: largest packet it takes; None: it has said nothing (MQTT 3.1.1 cannot).
    """

    max_packet_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection has ended: reason (a word of ``reactions_policy``, or "lost"), cause and hint for a person."""

    reason: str
    cause: str
    hint: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the broker."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """The broker's no to something that was published: a PUBACK with a reason code of failure."""

    packet_id: int
    code: int


class BatchStore(Protocol):
    """Sealed batches on disk. All methods raise ``LinkError`` while the disk does not answer."""

    async def next_batches(
        self, lane: Lane, exclude: Collection[int], limit: int, room_bytes: int
    ) -> list[StoredBatch]:
        """Return batches of a lane to send next, none of ``exclude``."""
        ...

    def set_hungry(self, is_hungry: bool) -> None:  # noqa: FBT001 - the outbox's own signature
        """Tell whether live batches can go up at once: they are then sealed as they are stored."""
        ...

    async def read_batch(self, batch_id: int) -> StoredBatch | None:
        """Return one batch, None if it is gone."""
        ...

    async def settle(self, receipts: Sequence[tuple[Receipt, int | None]]) -> list[int]:
        """Act on receipts, each with the id of its batch where only a digest names it; return the ids now gone."""
        ...


class Transport(Protocol):
    """One connection at a time to one broker; mutual TLS is not an option but the only way."""

    async def connect(self, broker: Broker) -> Granted:
        """Connect and subscribe, within the transport's own timeout.

        Raises:
            LinkError: it did not work; reason and hint say what a person could do.
        """
        ...

    async def answers(self, broker: Broker) -> bool:
        """Tell whether a broker can be reached and is who it should be; the connection in use stays."""
        ...

    async def closed(self) -> Ending:
        """Wait for the end of the connection."""
        ...

    def publish(self, topic: str, payload: bytes, qos: int) -> int:
        """Hand a message to the connection; returns its packet id, 0 if there is no connection, or it is full."""
        ...

    async def next_messages(self) -> list[Message | Refusal]:
        """Wait for messages and refusals, and return all that have come."""
        ...

    async def disconnect(self) -> None:
        """Say goodbye and end the connection, within a second; does nothing without one."""
        ...


class CommandRunner(Protocol):
    """Carries out commands; each is asked for once."""

    async def run(self, command: Command) -> CommandResult:
        """Carry out one command; failure is a result, not an exception."""
        ...
