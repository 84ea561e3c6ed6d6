"""Waits between attempts: exponential with full jitter. Sans-io; the caller sleeps.

Full jitter (uniform between nothing and the step) because many drivers lose one switch or one gateway at the same
moment, and must not come back at the same moment.
"""

from collections.abc import Callable
from random import SystemRandom

_SYSTEM_DRAW = SystemRandom().random

_MAX_DOUBLINGS = 32
"""Beyond this the step is over any cap; keeps the power of two finite for a link that is down for months."""


class FullJitter:
    """Delays for one thing that is tried again and again.

    Args:
        base_s: largest first delay, s, > 0.
        cap_s: largest delay, s, >= ``base_s``.
        draw: uniform random number in [0, 1).
    """

    def __init__(self, base_s: float, cap_s: float, draw: Callable[[], float] = _SYSTEM_DRAW) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._draw = draw
        self._attempts = 0

    @property
    def attempts(self) -> int:
        """Delays given since the last success."""
        return self._attempts

    def next_s(self) -> float:
        """Return how long to wait before the next attempt, s."""
        step_s = min(self._cap_s, self._base_s * 2.0 ** min(self._attempts, _MAX_DOUBLINGS))
        self._attempts += 1
        return self._draw() * step_s

    def reset(self) -> None:
        """Begin from ``base_s`` again: an attempt has succeeded."""
        self._attempts = 0
