"""What the gateway accepts of one run: policy of the receiving end of docs/handover.md. Sans-io.

A driver that lost its connection sends again what it has no ``Stored`` for, so frames overlap. The overlap is trimmed
here; a hole is refused, because a number that was skipped once could never be told from one that was lost.
"""

from contracts.errors import PeerError
from contracts.records import Observation
from edge_agent.handover.protocol import MAX_OBSERVATIONS, Observations


class IncomingRun:
    """The numbers of one run of one driver, as the gateway takes them in.

    Args:
        stored_no: last number of this run that is on disk, 0 for a new run.
    """

    def __init__(self, stored_no: int) -> None:
        self._last_no = stored_no
        self.duplicates = 0
        """Observations trimmed because they had been taken in before; resends, not a fault."""

    @property
    def last_no(self) -> int:
        """Last number taken in; on disk only once the caller has committed it."""
        return self._last_no

    def accept(self, frame: Observations) -> list[Observation]:
        """Return what of a frame is new, in order, numbered ``last_no - len(result) + 1`` to ``last_no``.

        Args:
            frame: one frame of this run; ``first_no`` from 1, at most ``MAX_OBSERVATIONS`` items.

        Raises:
            PeerError: it leaves a hole, its number is below 1, or it holds too many items (reason ``bad_frame``).
                Nothing of it is taken in.
        """
        if frame.first_no < 1 or frame.first_no > self._last_no + 1:
            cause = f"begins at {frame.first_no} where {self._last_no + 1} belongs"
            raise PeerError("accept observations", f"{len(frame.items)} observations", cause, "", "bad_frame")
        if len(frame.items) > MAX_OBSERVATIONS:
            cause = f"over {MAX_OBSERVATIONS} a frame"
            raise PeerError("accept observations", f"{len(frame.items)} observations", cause, "", "bad_frame")
        known = min(self._last_no + 1 - frame.first_no, len(frame.items))
        self.duplicates += known
        new = frame.items[known:]
        self._last_no += len(new)
        return new
