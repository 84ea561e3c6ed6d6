"""How much of the backlog may be in flight, found from the receipts. Sans-io.

A link whose rate nobody has configured tells it by the time from sending to receipt. While receipts come back within
the goal the window grows: by one for each receipt until the first congestion (it doubles each round trip), then by one
a round trip; at the first answer over the goal it is halved, once a round trip. Below one batch the window is a share
of time: a quarter means one batch in flight, then a rest three times as long as it took. So a link on which a single
batch of the backlog holds up live for seconds still has live through for nearly all of the time.

Live and backlog share one wire and one cloud, first in, first out; the answer to a batch of either measures what the
next live batch will meet. A cloud that needs longer than the goal when nothing waits is not congestion: the goal is
never below one and a half times the shortest answer of the last minutes.

*Source:* RFC 5681 (slow start, additive increase and multiplicative decrease), RFC 6817 (delay as the signal, base
delay as minimum over minutes), RFC 6298 clause 3 (an answer to what was sent twice measures nothing).
"""

MIN_WINDOW = 1 / 32
"""Least share of time for the backlog: live is held up for 3 % of it, which leaves its 95th percentile alone."""
MAX_REST_S = 30.0
BASE_MARGIN = 1.5
BASE_SPAN_S = 120.0
"""The shortest answer is looked for in the last two to four minutes: a changed route is a new base after that."""


class Pace:
    """See the module.

    Args:
        goal_s: time from sending to receipt up to which the window grows.
        limit: largest window, batches.
    """

    def __init__(self, goal_s: float, limit: int) -> None:
        self._goal_s = goal_s
        self._limit = float(max(1, limit))
        self._window = 1.0
        self._is_starting = True
        self._rest_until = 0.0
        self._shrunk_at = float("-inf")
        self._last_s = 0.0
        self._bases: list[tuple[float, float]] = []

    @property
    def window(self) -> float:
        """The window, batches; below 1 it is a share of time."""
        return self._window

    def restart(self) -> None:
        """Begin small again: the new connection may be another link, and a fleet may be coming back with it."""
        self._window = 1.0
        self._is_starting = True
        self._rest_until = 0.0
        self._bases.clear()

    def allows(self, in_flight: int, now: float) -> int:
        """Return how many batches of the backlog may be sent.

        Args:
            in_flight: batches of the backlog without an answer.
            now: monotonic s.
        """
        if self._window < 1:
            return 1 if in_flight == 0 and now >= self._rest_until else 0
        return max(0, int(self._window) - in_flight)

    def rests_until(self) -> float:
        """Return when a rest ends; in the past where there is none."""
        return self._rest_until

    def answered(self, took_s: float, now: float, *, is_backlog: bool, was_full: bool) -> None:
        """Note the answer to a batch that was sent once.

        Args:
            took_s: from sending to receipt.
            now: monotonic s.
            is_backlog: the batch was of the backlog, else it was live.
            was_full: the backlog had as much in flight as it may: only then does an answer show that more would fit.
        """
        self._last_s = took_s
        goal_s = max(self._goal_s, BASE_MARGIN * self._base(took_s, now))
        if took_s > goal_s:
            self.congested(now)
        elif is_backlog and was_full:
            self._grow()
        if is_backlog and self._window < 1:
            self._rest_until = now + min(MAX_REST_S, took_s * (1 / self._window - 1))

    def congested(self, now: float) -> None:
        """Halve the window, once a round trip: an answer was late, missing, or the broker asked for less."""
        self._is_starting = False
        if now - self._shrunk_at < max(self._last_s, 0.1):
            return
        self._shrunk_at = now
        self._window = max(MIN_WINDOW, self._window / 2)

    def _grow(self) -> None:
        if self._window < 1:
            self._window = min(1.0, self._window * 2)
        else:
            step = 1.0 if self._is_starting else 1 / self._window
            self._window = min(self._limit, self._window + step)

    def _base(self, took_s: float, now: float) -> float:
        """Return the shortest answer of this and the last span."""
        if not self._bases or now - self._bases[-1][0] >= BASE_SPAN_S:
            self._bases = [*self._bases[-1:], (now, took_s)]
        elif took_s < self._bases[-1][1]:
            self._bases[-1] = (self._bases[-1][0], took_s)
        return min(shortest for _, shortest in self._bases)
