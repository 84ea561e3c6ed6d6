"""A rate that forgets: exponentially weighted by time, unbiased from the start, unknown until it has seen enough.

Sans-io. Amounts may come at any intervals; what happened longer ago than ``tau_s`` hardly counts.

*Source:* exponential moving average of irregular samples with bias correction (Kingma and Ba, 2015, algorithm 1, for
regular ones): the weights of what was seen always sum to one.
"""

import math


class Ewma:
    """Amount a second.

    Args:
        tau_s: time constant, s, over 0.
        known_after_s: time that must have been seen before there is a rate, s.
    """

    def __init__(self, tau_s: float, known_after_s: float) -> None:
        self._tau_s = tau_s
        self._known_after_s = known_after_s
        self._seen_s = 0.0
        self._sum = 0.0
        self._weight = 0.0

    def add(self, amount: float, passed_s: float) -> None:
        """Take an amount that came in ``passed_s``; nothing if no time has passed."""
        if passed_s <= 0:
            return
        kept = math.exp(-passed_s / self._tau_s)
        self._sum = self._sum * kept + amount / passed_s * (1 - kept)
        self._weight = self._weight * kept + (1 - kept)
        self._seen_s += passed_s

    def per_s(self) -> float | None:
        """Return the rate, None while it is not known."""
        if self._seen_s < self._known_after_s or self._weight <= 0:
            return None
        return self._sum / self._weight
