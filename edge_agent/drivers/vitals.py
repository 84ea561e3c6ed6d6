"""Signs of life of one driver: does its task make progress, is its hardware there, what was rejected. Sans-io.

The task that reads the hardware says so at least once a second, or says beforehand how long its next wait may last.
Only while that holds does the hand-over send heartbeats, so a driver that hangs falls silent and is restarted, and a
driver that waits for silent hardware does not.
"""

from collections.abc import Callable, Mapping

from edge_agent.clock_reference import ClockReference, ClockReferences
from edge_agent.handover.protocol import Heartbeat

SILENCE_S = 3.0
"""Longest silence of a driver that is well: three of its signs; the gateway waits 10 s."""


class Vitals:
    """Signs of life, written by the driver, read by the hand-over.

    Args:
        now_s: monotonic, s.

    Attributes:
        clocks: UTC by GNSS, of this driver's own receiver and of others that the gateway passes on.
    """

    def __init__(self, now_s: float) -> None:
        self.clocks = ClockReferences()
        self._own_clock: ClockReference | None = None
        self._alive_until_s = now_s + SILENCE_S
        self._is_link_up = False
        self._last_error = ""
        self._tallies: list[Callable[[], Mapping[str, int]]] = []

    @property
    def is_link_up(self) -> bool:
        """The hardware is connected."""
        return self._is_link_up

    @property
    def last_error(self) -> str:
        """Why the hardware is not there or not understood, empty while all is well."""
        return self._last_error

    def touch(self, now_s: float, expect_s: float = 0.0) -> None:
        """Say that the driver is alive.

        Args:
            now_s: monotonic, s.
            expect_s: how long the wait that begins now may last at most, s.
        """
        self._alive_until_s = now_s + expect_s + SILENCE_S

    def is_alive(self, now_s: float) -> bool:
        """Tell whether the driver's last word still holds.

        Args:
            now_s: monotonic, s.
        """
        return now_s <= self._alive_until_s

    def link_up(self) -> bool:
        """Note that the hardware is connected; returns whether that is news."""
        is_news = not self._is_link_up
        self._is_link_up = True
        self._last_error = ""
        return is_news

    def link_down(self, error: str) -> bool:
        """Note that the hardware is not there; returns whether that is news (it was there, or this is the first word).

        Args:
            error: why, in plain words.
        """
        is_news = self._is_link_up or not self._last_error
        self._is_link_up = False
        self._last_error = error
        return is_news

    def note_error(self, error: str) -> bool:
        """Note that connected hardware is not understood, or (empty) is again; returns whether that is news.

        Args:
            error: why, in plain words.
        """
        is_news = bool(error) != bool(self._last_error)
        self._last_error = error
        return is_news

    def count_from(self, tally: Callable[[], Mapping[str, int]]) -> None:
        """Add a source of rejection counts.

        Args:
            tally: returns totals since the start, by reason.
        """
        self._tallies.append(tally)

    def rejected(self) -> dict[str, int]:
        """Return all rejections since the start, by reason; reasons without a rejection are left out."""
        total: dict[str, int] = {}
        for tally in self._tallies:
            for reason, count in tally().items():
                if count:
                    total[reason] = total.get(reason, 0) + count
        return total

    def note_clock(self, reference: ClockReference | None) -> None:
        """Take UTC by this driver's own receiver; it goes up with the next heartbeat."""
        if reference is not None:
            self._own_clock = reference
            self.clocks.take(reference)

    def heartbeat(self, pending: int) -> Heartbeat:
        """Return the message to the gateway.

        Args:
            pending: observations not stored yet.
        """
        return Heartbeat(
            is_link_up=self._is_link_up,
            pending=pending,
            rejected=self.rejected(),
            last_error=self._last_error,
            clock=self._own_clock,
        )
