"""One driver's life: starting, running, backing off. Sans-io.

Facts and ``now`` go in; what is overdue and how long to wait come out. A driver that is silent is hung and will be
killed; but not while the gateway itself holds it up (a slow disk), for then its heartbeats wait behind its records in
the socket.
"""

from enum import StrEnum

from edge_agent.backoff import FullJitter

HELLO_TIMEOUT_S = 15.0
"""Start of Python on a loaded Raspberry Pi takes 3 to 6 s; also how long a foreign driver is waited for."""
STABLE_S = 60.0
"""A driver that ran this long was healthy: its next failure is a first one."""


class Phase(StrEnum):
    """Where a driver stands; the words of ``contracts.health.SourceStatus.state``."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    STOPPED = "stopped"


class DriverLife:
    """See the module.

    Args:
        hang_timeout_s: longest silence of a running driver, s.
        backoff: waits between restarts.
    """

    def __init__(self, hang_timeout_s: float, backoff: FullJitter) -> None:
        self._hang_timeout_s = hang_timeout_s
        self._backoff = backoff
        self._heard_at = 0.0
        self._started_at = 0.0
        self._is_held_up = False
        self.phase = Phase.STOPPED
        self.restarts = 0

    def started(self, now: float) -> None:
        """Note that the process was started or found."""
        self.phase = Phase.STARTING
        self._started_at = self._heard_at = now
        self._is_held_up = False

    def said_hello(self, now: float) -> None:
        """Note its Hello."""
        self.phase = Phase.RUNNING
        self._heard_at = now

    def heard(self, now: float) -> None:
        """Note a heartbeat."""
        self._heard_at = now

    def held_up(self, *, is_held_up: bool, now: float) -> None:
        """Note that the gateway does not read what the driver sends, or does so again."""
        self._is_held_up = is_held_up
        self._heard_at = now

    def overdue_at(self) -> float | None:
        """Return when its silence becomes a fault; None while it may be silent."""
        if self._is_held_up or self.phase not in (Phase.STARTING, Phase.RUNNING):
            return None
        is_starting = self.phase is Phase.STARTING
        return self._heard_at + (HELLO_TIMEOUT_S if is_starting else self._hang_timeout_s)

    def overdue(self, now: float) -> str:
        """Return what it has failed to do in time, empty if nothing."""
        limit = self.overdue_at()
        if limit is None or now < limit:
            return ""
        return "no hello" if self.phase is Phase.STARTING else "no heartbeat"

    def ended(self, now: float) -> float:
        """Note the end of the process; returns how long to wait before the next start, s."""
        if now - self._started_at >= STABLE_S:
            self._backoff.reset()
        self.phase = Phase.BACKOFF
        self.restarts += 1
        return self._backoff.next_s()

    def stopped(self) -> None:
        """Note that it shall not be started again."""
        self.phase = Phase.STOPPED
