"""What is given up when the outbox is full or too old. Sans-io.

The oldest batch of the least precious class goes first, alarms and crane cycles last. What goes is declared: the batch
keeps its range and holds one gap record instead. Age is only judged where the clock could be believed both when the
batch was sealed and now; else the first time sync after a cold boot would give up everything.
"""

from dataclasses import dataclass

from contracts.records import RecordClass

EVICTION_ORDER = (
    RecordClass.LOG,
    RecordClass.TELEMETRY,
    RecordClass.TRACK,
    RecordClass.CRANE_CYCLE,
    RecordClass.ALARM,
)
"""Least precious first: a log can be missed, a lift is money, an alarm is safety."""

LOW_WATER = 0.97
"""Once over the cap, make room down to this share of it, so that not every commit has to make room."""

REASON_CAPACITY = "capacity"
REASON_AGE = "age"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Oldest batch of a class that still holds records; ``age_s`` is None where its age is not known."""

    record_class: RecordClass
    batch_id: int
    age_s: float | None


@dataclass(frozen=True, slots=True)
class Eviction:
    """A batch to give up, and why."""

    batch_id: int
    reason: str


class EvictionPolicy:
    """Chooses one batch after another.

    Args:
        max_bytes: cap of the used part of the database, bytes.
        max_age_s: cap of the age of a record, s.
    """

    def __init__(self, max_bytes: int, max_age_s: float) -> None:
        self.max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._is_making_room = False

    def choose(self, candidates: list[Candidate], used_bytes: int) -> Eviction | None:
        """Return the next batch to give up, None when there is nothing to do or nothing left to give up."""
        if used_bytes > self.max_bytes:
            self._is_making_room = True
        elif used_bytes <= self.max_bytes * LOW_WATER:
            self._is_making_room = False
        ordered = sorted(candidates, key=lambda item: EVICTION_ORDER.index(item.record_class))
        for item in ordered:
            if item.age_s is not None and item.age_s > self._max_age_s:
                return Eviction(item.batch_id, REASON_AGE)
        if self._is_making_room and ordered:
            return Eviction(ordered[0].batch_id, REASON_CAPACITY)
        return None
