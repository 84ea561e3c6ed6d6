"""What the health reporter looks at."""

from typing import Protocol

from contracts.health import GatewayStatus, SourceStatus
from gateway.outbox.models import OutboxStats
from gateway.outbox.salvage.models import Damage
from gateway.uplink.connection import UplinkState
from gateway.uplink.uplink import UplinkFigures


class ObservedDriver(Protocol):
    """One driver."""

    @property
    def is_running(self) -> bool:
        """Alive and introduced."""
        ...

    @property
    def is_link_up(self) -> bool:
        """Its hardware is connected."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process id, None while it has none."""
        ...

    @property
    def last_error(self) -> str:
        """In plain words, empty if none."""
        ...

    def status(self) -> SourceStatus:
        """Its part of the status."""
        ...


class ObservedOutbox(Protocol):
    """The store."""

    @property
    def trouble(self) -> str:
        """Why nothing can be stored now; empty if all is well."""
        ...

    async def stats(self) -> OutboxStats:
        """Its state.

        Raises:
            LinkError: the disk does not answer.
        """
        ...

    def take_damages(self) -> list[Damage]:
        """Damaged databases set aside since the last call."""
        ...


class ObservedUplink(Protocol):
    """The uplink."""

    @property
    def state(self) -> UplinkState:
        """Where it stands."""
        ...

    def figures(self) -> UplinkFigures:
        """What goes up, by lane."""
        ...

    def publish_status(self, status: GatewayStatus) -> bool:
        """Send a status now or never."""
        ...
