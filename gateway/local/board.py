"""The newest status, put up by the reporter and read by the local page and the metrics, each in its own thread."""

import threading

import msgspec

from contracts.health import GatewayStatus


class UplinkStatus(msgspec.Struct, frozen=True):
    """Where the uplink stands, and what a person could do about it."""

    is_up: bool
    broker: str
    reason: str
    cause: str
    hint: str


class LocalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway shows on itself: what the cloud gets, and what only someone on site can use."""

    status: GatewayStatus
    uplink: UplinkStatus
    used_bytes: int
    capacity_bytes: int
    trouble: str


class Board:
    """Holds the newest status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: LocalStatus | None = None

    def put(self, status: LocalStatus) -> None:
        """Put up a status."""
        with self._lock:
            self._newest = status

    def newest(self) -> LocalStatus | None:
        """Return the newest status, None before the first."""
        with self._lock:
            return self._newest
