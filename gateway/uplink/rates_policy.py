"""How fast something goes, over the last half minute. Sans-io."""

SLOT_S = 2.0
SLOTS = 15
"""Half a minute: long enough for batches that go every few seconds, short enough for a person who waits."""


class Rate:
    """Amounts a second, as a mean over ``SLOT_S * SLOTS`` or the time since the first amount, whichever is shorter."""

    def __init__(self) -> None:
        self._slots: dict[int, float] = {}
        self._began_at: float | None = None

    def add(self, amount: float, now: float) -> None:
        """Add an amount at ``now``, monotonic s."""
        if not self._slots:
            self._began_at = now
        slot = int(now / SLOT_S)
        self._slots[slot] = self._slots.get(slot, 0.0) + amount
        self._forget(slot)

    def per_s(self, now: float) -> float:
        """Return the rate at ``now``, amounts a second."""
        self._forget(int(now / SLOT_S))
        if not self._slots or self._began_at is None:
            return 0.0
        span_s = min(SLOT_S * SLOTS, max(SLOT_S, now - self._began_at))
        return sum(self._slots.values()) / span_s

    def _forget(self, newest: int) -> None:
        for slot in [slot for slot in self._slots if slot <= newest - SLOTS]:
            del self._slots[slot]
