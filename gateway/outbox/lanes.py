"""Where the live lane begins. Sans-io.

Batches get ids in the order of writing, so that "live" is an id: what was written within the last seconds, by the
monotonic clock, or rather what was not written before them. No wall clock has a say, so that no clock step moves a
batch from one lane to the other.
"""

from collections import deque

LIVE_AGE_S = 10.0
"""A picture of ten seconds ago is history to a pilot; what has waited longer may wait behind what is newer."""
STEP_S = 1.0
"""The boundary moves in steps of this."""


class LiveBoundary:
    """The first id of the live lane.

    Args:
        live_age_s: how long a batch stays in the live lane, s.
    """

    def __init__(self, live_age_s: float = LIVE_AGE_S) -> None:
        self._live_age_s = live_age_s
        self._marks: deque[tuple[float, int]] = deque(maxlen=int(live_age_s / STEP_S) + 2)
        self.first_id = 0

    def begin(self, next_id: int) -> None:
        """Say that everything below ``next_id`` is of before: the database was opened."""
        self._marks.clear()
        self.first_id = next_id

    def note(self, now: float, next_id: int) -> None:
        """Take note of the id that the next batch gets at ``now``; moves the boundary."""
        while self._marks and self._marks[0][0] <= now - self._live_age_s:
            self.first_id = self._marks.popleft()[1]
        if not self._marks or now - self._marks[-1][0] >= STEP_S:
            self._marks.append((now, next_id))
