"""A bucket of tokens, one a byte: how much of a link may be used. Sans-io.

A packet may go while there is anything in the bucket, and takes all it weighs, below nothing if need be: so that a
batch larger than the bucket can go at all, and what is sent over a long time is still the rate. (The alternative, to
wait until the bucket holds the whole batch, never sends one that is larger than the burst.)

*Source:* RFC 2697 clause 3 (committed rate and burst), with debt in place of colours.
"""

import math


class TokenBucket:
    """See the module.

    Args:
        rate_bytes_per_s: what is let through over a long time; None: everything.
        burst_bytes: what may go at once after a pause, > 0.
        debt_bytes: how far below nothing it may fall.
    """

    def __init__(self, rate_bytes_per_s: float | None, burst_bytes: float, debt_bytes: float = math.inf) -> None:
        self._rate = rate_bytes_per_s
        self._burst = burst_bytes
        self._debt = debt_bytes
        self._tokens = burst_bytes
        self._at: float | None = None

    @property
    def is_unlimited(self) -> bool:
        """Tell whether everything is let through."""
        return self._rate is None

    def left(self, now: float) -> float:
        """Return the tokens, bytes; below 0 is debt, infinite where there is no rate.

        Args:
            now: monotonic s; one that goes back adds nothing.
        """
        if self._rate is None:
            return math.inf
        if self._at is not None and now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens

    def take(self, size_bytes: int, now: float) -> None:
        """Take what was sent."""
        if self._rate is not None:
            self._tokens = max(-self._debt, self.left(now) - size_bytes)

    def empty(self, now: float) -> None:
        """Begin with nothing: for a share that has to be saved up before it is used."""
        if self._rate is not None:
            self._tokens, self._at = 0.0, now

    def above_at(self, level_bytes: float, now: float) -> float:
        """Return when the bucket holds more than ``level_bytes``; infinite for what it can never hold."""
        missing = level_bytes - self.left(now)
        if missing < 0 or self._rate is None:
            return now
        return math.inf if level_bytes >= self._burst or self._rate <= 0 else now + missing / self._rate + 1e-6
