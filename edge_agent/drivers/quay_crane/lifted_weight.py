"""Weight of what hangs: the median of all readings while it hung. Sans-io.

The median and not the mean: readings are high while the hoist accelerates and low while it brakes, and the ramp of the
ropes is on one side only.
"""

from statistics import median

MAX_READINGS = 1024
"""Three minutes at 5 Hz, twice a lift. Then every second one goes and every second new one is kept: the readings stay
spread over the whole lift, however long it hangs."""


class LiftedWeight:
    """Readings of one lift."""

    def __init__(self) -> None:
        self._readings: list[float] = []
        self._stride = 1
        self._skipped = 0

    def add(self, net_t: float) -> None:
        """Take a reading.

        Args:
            net_t: net load, t.
        """
        self._skipped += 1
        if self._skipped < self._stride:
            return
        self._skipped = 0
        self._readings.append(net_t)
        if len(self._readings) >= MAX_READINGS:
            self._readings = self._readings[::2]
            self._stride *= 2

    def gross_t(self) -> float | None:
        """Return the weight, t, to 10 kg; ``None`` without a reading."""
        return round(median(self._readings), 2) if self._readings else None
