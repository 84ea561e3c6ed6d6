"""When to start a process again after it died. Sans-io: the caller gives the times and does the waiting.

Full-jitter backoff (a random wait between nothing and a doubling ceiling), forgotten once a run has lasted, so that a
crash once a day restarts at once and a crash at every start does not burn the machine.

*Source:* Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BackoffLimits:
    """``base_s``: first ceiling. ``cap_s``: highest ceiling. ``stable_s``: a run this long is a success."""

    base_s: float = 0.25
    cap_s: float = 10.0
    stable_s: float = 20.0


class RestartPolicy:
    """Counts failures of one process.

    Args:
        limits: see ``BackoffLimits``.
        uniform: draws from 0.0 to 1.0.
    """

    def __init__(self, limits: BackoffLimits, uniform: Callable[[], float]) -> None:
        self._limits = limits
        self._uniform = uniform
        self._failures = 0
        self.restarts = 0

    def delay_after_exit(self, started_at_s: float, now_s: float) -> float:
        """Return how long to wait before the next start, s.

        Args:
            started_at_s: when the run that just ended began, monotonic s.
            now_s: monotonic s.
        """
        if now_s - started_at_s >= self._limits.stable_s:
            self._failures = 0
        exponent = min(self._failures, 32)  # beyond this the cap has long been reached; a float must not overflow
        ceiling_s = min(self._limits.cap_s, self._limits.base_s * 2.0**exponent)
        self._failures += 1
        self.restarts += 1
        return ceiling_s * self._uniform()
