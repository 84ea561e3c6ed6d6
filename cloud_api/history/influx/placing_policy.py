"""Where a record belongs by its time: within the retention, or beyond it. Sans-io.

A server drops points that are older than its retention and makes a file for each day that one lies in, so a clock of
1970 would lose its records and one of 2100 would leave files that nothing expires. What lies beyond is therefore stored
apart, in the order of its numbers instead of by a time that nobody believes; the time that it claims is a field.
"""

from typing import NamedTuple

from cloud_api.history.influx.schema import BEYOND, PLACED, point_time_ns

DAY_NS = 86_400 * 10**9
MAX_AHEAD_NS = DAY_NS
"""A clock that is ahead by more than a day is wrong, not fast: the track of a day must not be lost for it."""
RETENTION_MARGIN_NS = 3600 * 10**9
"""What is about to expire is treated as expired: it would be refused if it waited an hour for the server."""


class Place(NamedTuple):
    """Where a point is stored: its retention policy, and its time there, UTC ns."""

    policy: str
    time_ns: int


class Placing:
    """Places records.

    Args:
        keep_ns: how long the server keeps points, ns; None: for ever.
    """

    def __init__(self, keep_ns: int | None) -> None:
        self._keep_ns = keep_ns

    def place(self, observed_at_ns: int, seq: int, now_ns: int) -> Place:
        """Return the place of a record.

        Args:
            observed_at_ns: its time, UTC ns by the gateway's clock.
            seq: its number, which is its time among those beyond, ns.
            now_ns: UTC ns.
        """
        oldest_ns = 0 if self._keep_ns is None else now_ns - self._keep_ns + RETENTION_MARGIN_NS
        if oldest_ns <= observed_at_ns <= now_ns + MAX_AHEAD_NS:
            return Place(PLACED, point_time_ns(observed_at_ns, seq))
        return Place(BEYOND, seq)
