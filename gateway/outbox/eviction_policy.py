"""What is given up when the outbox holds too much or too old: one decision after another. Sans-io.

Obeys: thin before anything is dropped, telemetry before tracks; then drop the oldest of the lowest class. No class
pushes out an alarm: alarms go only by their own cap and age. A class over its own cap pays with its own records. What
has no known age is never too old: see ``age_policy``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.records import RecordClass
from gateway.outbox.thinning import THINNABLE

EVICTION_ORDER = (
    RecordClass.LOG,
    RecordClass.TELEMETRY,
    RecordClass.TRACK,
    RecordClass.CRANE_CYCLE,
)
"""Least precious first: a log can be missed, a lift is money. Alarms are not in it."""

HIGH_WATER = 0.98
"""Share of a cap at which room is made, so that what one commit brings never passes the cap itself."""
LOW_WATER = 0.95
"""Once begun, room is made down to this share, a little with each commit: the file is not to be at its brim always."""

REASON_CAPACITY = "capacity"
REASON_DISK_SPACE = "disk_space"
REASON_AGE = "age"
REASON_RING_OVERFLOW = "ring_overflow"


@dataclass(frozen=True, slots=True)
class Bound:
    """Bound of a class: bytes of its batches, and age of its records, s."""

    max_bytes: int
    max_age_s: float


@dataclass(frozen=True, slots=True)
class ClassLoad:
    """What lies in the outbox of one class.

    Attributes:
        size_bytes: of its batches.
        is_droppable: some of them hold more than gaps.
        is_thinnable: a whole minute of it is not thinned yet.
        oldest_age_s: age of its oldest record; None where that is not known for certain.
    """

    record_class: RecordClass
    size_bytes: int
    is_droppable: bool
    is_thinnable: bool = False
    oldest_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """What all classes together may hold, bytes, and the word for it when something goes because of it."""

    max_bytes: int
    reason: str = REASON_CAPACITY


@dataclass(frozen=True, slots=True)
class Sacrifice:
    """The oldest of a class is to be thinned, or dropped with a reason.

    Attributes:
        is_urgent: a cap is all but reached: go on in this transaction.
    """

    record_class: RecordClass
    is_thinning: bool
    reason: str
    is_urgent: bool = True


class EvictionPolicy:
    """Chooses one sacrifice after another.

    Args:
        bounds: of each class; a class without one has no bound of its own.
    """

    def __init__(self, bounds: Mapping[RecordClass, Bound]) -> None:
        self._bounds = bounds
        self._is_making_room = False
        self._shrinking: set[RecordClass] = set()

    def needs_room(self, used_bytes: int, cap: Cap) -> bool:
        """Tell whether room must be made before more is taken in."""
        return self._is_making_room or used_bytes > cap.max_bytes * HIGH_WATER

    def choose(self, loads: Sequence[ClassLoad], used_bytes: int, cap: Cap) -> Sacrifice | None:
        """Return what to give up next; None when there is nothing to do or nothing left to give up.

        Args:
            loads: one a class.
            used_bytes: pages of the database in use.
            cap: of the same.
        """
        for load in loads:
            bound = self._bounds.get(load.record_class)
            is_too_old = bound and load.oldest_age_s is not None and load.oldest_age_s > bound.max_age_s
            if is_too_old and load.is_droppable:
                return Sacrifice(load.record_class, False, REASON_AGE)
        own = [choice for load in loads if (choice := self._own_cap(load)) is not None]
        if own and own[0].is_urgent:
            return own[0]
        is_urgent = used_bytes > cap.max_bytes * HIGH_WATER
        if is_urgent:
            self._is_making_room = True
        elif used_bytes <= cap.max_bytes * LOW_WATER:
            self._is_making_room = False
        if self._is_making_room:
            choice = _lowest(loads, cap.reason, is_urgent=is_urgent)
            self._is_making_room = choice is not None
            if choice is not None:
                return choice
        return own[0] if own else None

    def _own_cap(self, load: ClassLoad) -> Sacrifice | None:
        name = load.record_class
        if (bound := self._bounds.get(name)) is None:
            return None
        is_urgent = load.size_bytes > bound.max_bytes * HIGH_WATER
        if is_urgent:
            self._shrinking.add(name)
        elif load.size_bytes <= bound.max_bytes * LOW_WATER or not load.is_droppable:
            self._shrinking.discard(name)
        if name not in self._shrinking or not load.is_droppable:
            return None
        return Sacrifice(name, load.is_thinnable, REASON_CAPACITY, is_urgent)


def _lowest(loads: Sequence[ClassLoad], reason: str, *, is_urgent: bool) -> Sacrifice | None:
    """Return the cheapest sacrifice: thinning of any class before dropping of any."""
    of_class = {load.record_class: load for load in loads}
    for name in THINNABLE:
        if name in of_class and of_class[name].is_thinnable:
            return Sacrifice(name, True, reason, is_urgent)
    for name in EVICTION_ORDER:
        if name in of_class and of_class[name].is_droppable:
            return Sacrifice(name, False, reason, is_urgent)
    return None
