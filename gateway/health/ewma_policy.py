"""A rate that forgets: exponentially weighted by time, unbiased from the start, unknown until it has seen enough.

Sans-io. Amounts may come at any intervals; what happened longer ago than ``tau_s`` hardly counts.

*Source:* exponential moving average of irregular samples with bias correction (Kingma and Ba, 2015, algorithm 1, for
regular ones): the weights of what was seen always sum to one.
"""

import math

LEAST_S = 0.001
"""Amounts of shorter times are put together: a rate over no time at all is no number."""


class Ewma:
    """Amount a second.

    Args:
        tau_s: time constant, s, over 0.
        known_after_s: time that must have been seen before there is a rate, s.
    """

    def __init__(self, tau_s: float, known_after_s: float) -> None:
        self._tau_s = tau_s
        self._known_after_s = known_after_s
        self._waiting = self._waited_s = 0.0
        self._seen_s = 0.0
        self._sum = 0.0
        self._weight = 0.0

    def add(self, amount: float, passed_s: float) -> None:
        """Take an amount that came in ``passed_s``; nothing if no time has passed."""
        if passed_s <= 0:
            return
        self._waiting += amount
        self._waited_s += passed_s
        if self._waited_s < LEAST_S:
            return
        share = -math.expm1(-self._waited_s / self._tau_s)
        self._sum += (self._waiting / self._waited_s - self._sum) * share
        self._weight += (1 - self._weight) * share
        self._seen_s += self._waited_s
        self._waiting = self._waited_s = 0.0

    def per_s(self) -> float | None:
        """Return the rate, None while it is not known."""
        if self._seen_s < self._known_after_s or self._weight <= 0:
            return None
        return self._sum / self._weight
