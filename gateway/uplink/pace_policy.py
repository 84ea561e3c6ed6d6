"""How much of the backlog may be in flight, found from the receipts. Sans-io.

A link whose rate nobody has configured tells it by the time from sending to receipt. While receipts come back within
the goal the window grows: by one for each receipt until the first congestion (it doubles each round trip), then by one
a round trip; at the first answer over the goal it is halved, once a round trip, down to one batch.

On a thin link already one batch of the backlog can hold live up for longer than live may take. There live's own answers
are counted: while the backlog has made more than ``MAX_LATE_SHARE`` of them take twice the goal, it rests
(``blame_policy``). So it goes on in the share of time that leaves live's 95th percentile alone, however thin the link
is. It only rests for a live that is there: with nothing live to hold up there is nothing to rest for.

Whether the backlog is what holds live up shows while it rests: where live's answers stay late without it, the cloud is
slow by itself, and resting helps nobody. What live takes then sets the goal from there on, until its answers are quick
again, and what was counted by the old goal is forgotten.

The answer to a batch of either lane measures what the next live batch will meet. A cloud that needs longer than the
goal when nothing waits is not congestion: the goal is never below one and a half times the shortest answer of the
connection.

*Source:* RFC 5681 (slow start, additive increase and multiplicative decrease), RFC 6817 (delay as the signal, base
delay as minimum over minutes), RFC 6298 clause 3 (an answer to what was sent twice measures nothing).
"""

from gateway.uplink.blame_policy import Blame

STARVED_S = 900.0
"""One batch goes in this time at least while live is late, perhaps for other reasons than the backlog's."""
QUIET_ANSWERS = 40
"""Live answers without the backlog that are looked at together: ten seconds of them at four a second."""
QUIET_FADING = 1 / 400
"""What was learned fades by this with each quick answer: by half in a minute at four a second."""
BASE_MARGIN = 1.5
BASE_SPAN_S = 3600.0
"""The shortest answer is looked for in the last one to two hours of the connection: over minutes a queue that stands
would become the base."""


class Pace:
    """See the module.

    Args:
        goal_s: time from sending to receipt up to which the window grows; live is late at twice that.
        limit: largest window, batches.
    """

    def __init__(self, goal_s: float, limit: int) -> None:
        self._goal_s = goal_s
        self._limit = float(max(1, limit))
        self._window = 1.0
        self._is_starting = True
        self._shrunk_at = float("-inf")
        self._last_s = 0.0
        self._bases: list[tuple[float, float]] = []
        self._blame = Blame()
        self._slow_goal_s = 0.0
        self._alone: list[float] = []

    @property
    def window(self) -> float:
        """The window, batches, at least 1."""
        return self._window

    def restart(self) -> None:
        """Begin small again: the new connection may be another link, and a fleet may be coming back with it."""
        self._window = 1.0
        self._is_starting = True
        self._bases.clear()
        self._blame.restart()
        self._slow_goal_s = 0.0
        self._alone.clear()

    def allows(self, in_flight: int, now: float) -> int:
        """Return how many batches of the backlog may be sent.

        Args:
            in_flight: batches of the backlog without an answer.
            now: monotonic s.
        """
        if self._blame.is_late(now):
            return 1 if in_flight == 0 and now >= self._blame.sent_at + STARVED_S else 0
        return max(0, int(self._window) - in_flight)

    def sent(self, now: float) -> None:
        """Note that a batch of the backlog was sent (again)."""
        self._blame.sent(now)

    def rests_until(self, now: float) -> float:
        """Return when the next batch may go at the latest; in the past where it is not the pace that holds it back."""
        if not self._blame.is_late(now):
            return 0.0
        return min(self._blame.sent_at + STARVED_S, self._blame.live_gone_at)

    def heard(self, waited_s: float, now: float, *, is_backlog: bool) -> None:
        """Note any answer of the cloud, also to a batch that was sent again; before ``answered``.

        Args:
            waited_s: since the batch was first sent.
            now: monotonic s.
            is_backlog: the batch was of the backlog, else it was live.
        """
        self._blame.heard(waited_s, now, max(self._goal_s, self._slow_goal_s), is_backlog=is_backlog)

    def answered(self, took_s: float, now: float, *, is_backlog: bool, was_full: bool) -> None:
        """Note the answer to a batch that was sent once.

        Args:
            took_s: from sending to receipt.
            now: monotonic s.
            is_backlog: the batch was of the backlog, else it was live.
            was_full: the backlog had as much in flight as it may: only then does an answer show that more would fit.
        """
        self._last_s = took_s
        goal_s = max(self._goal_s, BASE_MARGIN * self._base(took_s, now), self._slow_goal_s)
        if not is_backlog:
            self._blame.count(took_s, now, is_late=took_s > 2 * goal_s)
            self._measure_alone(took_s, now, goal_s)
        if took_s > goal_s:
            self.congested(now)
        elif is_backlog and was_full:
            step = 1.0 if self._is_starting else 1 / self._window
            self._window = min(self._limit, self._window + step)

    def missed(self, waited_s: float, now: float, *, is_backlog: bool, is_overtaken: bool) -> None:
        """Note that an answer is missing and the batch is sent again.

        Args:
            waited_s: since it was sent.
            now: monotonic s.
            is_backlog: the batch was of the backlog, else it was live.
            is_overtaken: a batch that was sent later has been answered.
        """
        if not is_backlog:
            goal_s = max(self._goal_s, self._slow_goal_s)
            self._blame.missed(waited_s, now, goal_s, is_overtaken=is_overtaken)
        self.congested(now)

    def congested(self, now: float) -> None:
        """Halve the window, once a round trip: an answer was late, missing, or the broker asked for less."""
        self._is_starting = False
        if now - self._shrunk_at < max(self._last_s, 0.1):
            return
        self._shrunk_at = now
        self._window = max(1.0, self._window / 2)

    def _measure_alone(self, took_s: float, now: float, goal_s: float) -> None:
        """Learn what live takes when nothing of the backlog is before it."""
        if took_s < goal_s:
            self._slow_goal_s *= 1 - QUIET_FADING
        if not self._blame.is_late(now) or not self._blame.is_alone(took_s, now):
            self._alone.clear()
            return
        self._alone.append(took_s)
        if len(self._alone) < QUIET_ANSWERS:
            return
        taken, self._alone = sorted(self._alone), []
        if taken[-2] > 2 * goal_s:
            self._slow_goal_s = max(taken[-2] * 0.55, BASE_MARGIN * taken[QUIET_ANSWERS // 2])
            self._blame.forget()

    def _base(self, took_s: float, now: float) -> float:
        """Return the shortest answer of this and the last span."""
        if not self._bases or now - self._bases[-1][0] >= BASE_SPAN_S:
            self._bases = [*self._bases[-1:], (now, took_s)]
        elif took_s < self._bases[-1][1]:
            self._bases[-1] = (self._bases[-1][0], took_s)
        return min(shortest for _, shortest in self._bases)
