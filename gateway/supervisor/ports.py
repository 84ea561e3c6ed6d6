"""What the supervisor needs of its neighbours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from contracts.records import Observation
from edge_agent.handover.protocol import ActiveAlarm, Heartbeat
from gateway.outbox.models import Appended
from gateway.supervisor.process import DriverProcess


class ObservationStore(Protocol):
    """Where observations go. Both methods raise ``LinkError`` while the disk does not answer."""

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        """Store; return, after the commit, the last number of the run that is stored, and whether on the disk.

        Repeating changes nothing.

        Raises:
            PeerError: the observations leave a hole (reason ``bad_frame``).
        """
        ...

    async def stored_no(self, source: str, run_id: str) -> int:
        """Return the last number of a run that is stored, 0 if none."""
        ...


class RecordStore(ObservationStore, Protocol):
    """The same, and what is known of a source's alarms."""

    def active_alarms(self, source: str) -> list[ActiveAlarm]:
        """Return the alarms of a source that were raised and not cleared."""
        ...


class DriverEvents(Protocol):
    """What the hand-over socket tells about a driver."""

    def said_hello(self, pid: int) -> None:
        """It has introduced itself."""
        ...

    def beat(self, heartbeat: Heartbeat) -> None:
        """It has sent a heartbeat."""
        ...

    def held_up(self, *, is_held_up: bool) -> None:
        """The gateway has stopped reading it, or reads it again."""
        ...

    def stored(self, count: int, last_at_ns: int) -> None:
        """So many of its observations are on disk."""
        ...

    def misbehaved(self, reason: str, cause: str) -> None:
        """It has broken the protocol."""
        ...


class ProcessLauncher(Protocol):
    """Starts driver processes."""

    async def start(self, source: str, log_path: Path) -> DriverProcess:
        """Start the driver of a source.

        Raises:
            LinkError: the system cannot start it now.
        """
        ...
