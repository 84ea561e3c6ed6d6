"""Batches in flight: sent, and not yet answered by the cloud. Sans-io.

What ends a flight is a receipt of the cloud, never an acknowledgement of the broker. Without a receipt the batch is
sent again after a wait that doubles, so that a cloud that is down for an hour is not met by a storm; the wait of a
batch survives a lost connection, because a flapping link must not become one either.
"""

from dataclasses import dataclass

MAX_WINDOW_BYTES = 4 * 1024 * 1024
"""Payloads held in memory by the MQTT client until the broker has them: bounds the gateway's RSS on a dead link."""


@dataclass(slots=True)
class _Flight:
    digest: str
    size_bytes: int
    attempts: int
    due_at: float


class Window:
    """The flights.

    Args:
        limit: batches in flight at one time.
        timeout_s: first wait for a receipt, s.
        cap_s: longest wait, s.
    """

    def __init__(self, limit: int, timeout_s: float, cap_s: float) -> None:
        self._limit = limit
        self._timeout_s = timeout_s
        self._cap_s = max(timeout_s, cap_s)
        self._flights: dict[int, _Flight] = {}

    def ids(self) -> frozenset[int]:
        """Return the ids in flight."""
        return frozenset(self._flights)

    def room(self) -> tuple[int, int]:
        """Return how many batches and bytes more may be sent now."""
        used = sum(flight.size_bytes for flight in self._flights.values())
        room_bytes = MAX_WINDOW_BYTES - used
        return (self._limit - len(self._flights) if room_bytes > 0 else 0), room_bytes

    def sent(self, batch_id: int, digest: str, size_bytes: int, now: float) -> None:
        """Note that a batch was sent (again) at ``now``."""
        earlier = self._flights.get(batch_id)
        attempts = earlier.attempts + 1 if earlier else 0
        wait_s = min(self._cap_s, self._timeout_s * 2.0 ** min(attempts, 32))
        self._flights[batch_id] = _Flight(digest, size_bytes, attempts, now + wait_s)

    def due(self, now: float) -> list[int]:
        """Return the ids to send again, in order of their sealing."""
        return sorted(batch_id for batch_id, flight in self._flights.items() if flight.due_at <= now)

    def gone(self, batch_id: int) -> None:
        """Note that a batch is settled, or no longer on disk."""
        self._flights.pop(batch_id, None)

    def find(self, digest: str) -> int | None:
        """Return the id of the flight with this digest."""
        return next((batch_id for batch_id, flight in self._flights.items() if flight.digest == digest), None)

    def reconnected(self, now: float) -> None:
        """Make all flights due: the last connection may have swallowed them or their receipts."""
        for flight in self._flights.values():
            flight.due_at = now

    def wake_at(self) -> float | None:
        """Return the time of the next resend, None if nothing is in flight."""
        return min((flight.due_at for flight in self._flights.values()), default=None)
