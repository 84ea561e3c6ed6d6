"""Which late answers to live are the backlog's fault. Sans-io.

Live and backlog share one wire and one cloud, first in, first out. So the backlog can have held up a live batch only if
it stood before it, and only for about as long as its own batches take. An answer that is late for another reason says
nothing about the link, and the backlog must not rest for it:

- nothing of the backlog went before it: the cloud is slow by itself;
- a batch sent later was answered before it: it was lost, not late;
- a *silence* came between: nothing at all was answered for longer than a batch of the backlog explains, so the cloud
  was away. What was sent before or in the silence is late by it, and after it the cloud has to make up for it: as long
  again, at most ``MAKING_UP_S``, nobody is blamed.

How long a batch of the backlog takes is the shorter of its last two *rounds*: the shortest answer to batches that were
sent after the round before was answered. A silence lengthens one round and not the next; on a thin link both are long.
Before the first of a connection nothing is called a silence: one batch too many fills a thin link for good.

*Source:* RFC 6298 clause 3: an answer to what was sent twice measures nothing exactly. Taken from the first sending it
is a bound from above, which is what a shortest answer needs.
"""

import math

MEMORY = 4000
"""Live answers after which what was counted weighs half: a quarter of an hour at four a second."""
MAX_LATE_SHARE = 0.02
"""Well below the 5 % that a 95th percentile leaves out, because the next batch of the backlog makes some more late."""
LIVE_GONE_S = 10.0
"""Without an answer to anything live for so long nobody is held up."""
QUIET_AFTER_S = 5.0
"""So long after the last batch of the backlog went, nothing of it stands before live any more: at 3 kB/s a batch of
18 kB takes six seconds, and its own answer is awaited besides."""
MARGIN = 2.0
"""A silence is longer than so many times what a batch of the backlog takes, and than so many goals."""
MAKING_UP_S = 10.0
"""Of a longer silence the cloud is not allowed more: on a thin link three batches of the backlog go in it unblamed."""


class Blame:
    """See the module."""

    def __init__(self) -> None:
        self._live, self._late = 0.0, 0.0
        self._live_at = float("-inf")
        self._sent_at = float("-inf")
        self._backlog_at = float("-inf")
        self._heard_at = float("-inf")
        self._blameless_until = float("-inf")
        self._rounds: list[float] = []
        self._round_at = float("-inf")

    @property
    def live_gone_at(self) -> float:
        """When nothing live is held up any more if no answer comes, monotonic s."""
        return self._live_at + LIVE_GONE_S

    @property
    def sent_at(self) -> float:
        """When the last batch of the backlog was sent, monotonic s."""
        return self._sent_at

    def forget(self) -> None:
        """Forget what was counted."""
        self._live, self._late = 0.0, 0.0

    def restart(self) -> None:
        """Begin anew on another connection, which may be another link."""
        self.forget()
        self._rounds.clear()

    def is_late(self, now: float) -> bool:
        """Tell whether the backlog holds live up more often than it may."""
        return self._late > MAX_LATE_SHARE * self._live and now < self.live_gone_at

    def sent(self, now: float) -> None:
        """Note that a batch of the backlog was sent (again)."""
        self._sent_at = now

    def heard(self, waited_s: float, now: float, goal_s: float, *, is_backlog: bool) -> None:
        """Note any answer of the cloud, before it is judged.

        Args:
            waited_s: since the batch was first sent.
            now: monotonic s.
            goal_s: time in which an answer should come.
            is_backlog: the batch was of the backlog.
        """
        silent_s = min(now - self._heard_at, waited_s)
        if silent_s > self._explained_s(goal_s):
            self._blameless_until = now + min(silent_s, MAKING_UP_S)
        self._heard_at = now
        if not is_backlog:
            self._live_at = now
            return
        self._backlog_at = now
        self._measure_round(waited_s, now)

    def is_alone(self, took_s: float, now: float) -> bool:
        """Tell whether what is answered now, ``took_s`` after it was sent, had nothing of the backlog before it."""
        return now - max(self._sent_at, self._backlog_at) >= QUIET_AFTER_S + took_s

    def count(self, took_s: float, now: float, *, is_late: bool) -> None:
        """Note the answer to a live batch that was sent once."""
        if not is_late:
            self._add(0)
        elif now >= self._blameless_until and not self.is_alone(took_s, now):
            self._add(1)

    def missed(self, waited_s: float, now: float, goal_s: float, *, is_overtaken: bool) -> None:
        """Note that the answer to a live batch is missing after ``waited_s``."""
        is_silent = min(now - self._heard_at, waited_s) > self._explained_s(goal_s)
        self._live_at = now
        if not (is_overtaken or is_silent or now < self._blameless_until or self.is_alone(waited_s, now)):
            self._add(1)

    def _add(self, late: int) -> None:
        self._live += 1
        self._late += late
        if self._live >= MEMORY:
            self._live, self._late = self._live / 2, self._late / 2

    def _explained_s(self, goal_s: float) -> float:
        """Return how long nothing may be answered without the cloud being away, s."""
        takes_s = min(self._rounds, default=math.inf)
        return MARGIN * max(goal_s, takes_s)

    def _measure_round(self, waited_s: float, now: float) -> None:
        if not self._rounds or now - waited_s >= self._round_at:
            self._rounds = [*self._rounds[-1:], waited_s]
            self._round_at = now
        else:
            self._rounds[-1] = min(self._rounds[-1], waited_s)
