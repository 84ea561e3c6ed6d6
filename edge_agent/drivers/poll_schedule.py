"""When the next poll is due, without drift. Sans-io."""


class PollSchedule:
    """Slots at ``start_ns + n * period_ns``; a slot that has passed is missed, not made up.

    Args:
        period_ns: between slots, ns, > 0.
        start_ns: monotonic, ns; the first slot, taken as served.
    """

    def __init__(self, period_ns: int, start_ns: int) -> None:
        self._period_ns = period_ns
        self._due_ns = start_ns
        self._missed = 0

    def next_due(self, now_ns: int) -> int:
        """Return the next slot, monotonic ns; it lies after the last one and is not more than one period away.

        Args:
            now_ns: monotonic, ns.
        """
        self._due_ns += self._period_ns
        late_ns = now_ns - self._due_ns
        if late_ns > 0:
            missed = -(-late_ns // self._period_ns)
            self._missed += missed
            self._due_ns += missed * self._period_ns
        return self._due_ns

    def take_missed(self) -> int:
        """Return the slots missed since the last call."""
        missed, self._missed = self._missed, 0
        return missed
