"""The newest status, put up by the reporter and read by the local page and the metrics, each in its own thread."""

import threading
from collections.abc import Sequence

import msgspec

from contracts.health import GatewayStatus
from gateway.alarms.active import SourceAlarm
from gateway.uplink.lanes_policy import LaneFigures


class UplinkStatus(msgspec.Struct, frozen=True):
    """Where the uplink stands, what a person could do about it, and what goes up in each lane."""

    is_up: bool
    broker: str
    reason: str
    cause: str
    hint: str
    lanes: list[LaneFigures] = msgspec.field(default_factory=list)
    backlog_window: float = 0.0
    stragglers: int = 0


class LocalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway shows on itself: what the cloud gets, and what only someone on site can use.

    Attributes:
        at_mono_ns: when it was made, by the monotonic clock: ages on the page are not moved by a step of the clock.
    """

    status: GatewayStatus
    uplink: UplinkStatus
    used_bytes: int
    capacity_bytes: int
    trouble: str
    at_mono_ns: int = 0
    alarms: list[SourceAlarm] = msgspec.field(default_factory=list)


class Board:
    """Holds the newest status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: LocalStatus | None = None
        self._alarms: list[SourceAlarm] = []

    def put(self, status: LocalStatus) -> None:
        """Put up a status."""
        with self._lock:
            self._newest = status

    def put_alarms(self, alarms: Sequence[SourceAlarm]) -> None:
        """Put up the active alarms: they do not wait for the next status."""
        with self._lock:
            self._alarms = list(alarms)

    def newest(self) -> LocalStatus | None:
        """Return the newest status with the alarms that are active now, None before the first status."""
        with self._lock:
            newest, alarms = self._newest, self._alarms
        return msgspec.structs.replace(newest, alarms=alarms) if newest is not None else None
