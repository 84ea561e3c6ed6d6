"""Waiting times between attempts: exponential with full jitter. Sans-io: it says how long, it never waits.

Full jitter because after a broker's restart every client fails at the same instant; a fixed step would keep them
marching together.
"""

import random


class FullJitter:
    """Delays drawn uniformly from 0 to a ceiling that doubles up to a cap.

    Args:
        base_s: first ceiling, s, above 0.
        cap_s: highest ceiling, s, at least ``base_s``.
        rng: source of randomness; a test passes a seeded one.
    """

    def __init__(self, base_s: float, cap_s: float, rng: random.Random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng
        self._ceiling_s = base_s

    def next_delay_s(self) -> float:
        """Return the delay before the next attempt, s, and raise the ceiling of the one after it."""
        delay_s = self._rng.uniform(0, self._ceiling_s)
        self._ceiling_s = min(self._cap_s, self._ceiling_s * 2)
        return delay_s

    def reset(self) -> None:
        """Start again at the first ceiling: an attempt has succeeded."""
        self._ceiling_s = self._base_s
