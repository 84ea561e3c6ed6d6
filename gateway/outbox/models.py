"""What the outbox gives out."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from contracts.health import StreamStatus
from contracts.records import RecordClass

URGENT_CLASSES = frozenset({RecordClass.ALARM, RecordClass.CRANE_CYCLE})
"""Committed and sealed before ``append()`` returns: a power cut right after it loses none of them."""


class Lane(StrEnum):
    """Which way a batch goes up; it is in exactly one lane at one time."""

    ALARM = "alarm"
    LIVE = "live"
    BACKLOG = "backlog"


class Content(IntEnum):
    """What is left in a stored batch."""

    RECORDS = 0
    THINNED = 1
    GAPS = 2


@dataclass(frozen=True, slots=True)
class Appended:
    """Answer to an append.

    Attributes:
        stored_no: last number of the run that is stored.
        is_on_disk: no cut of power takes it; false: it is in memory only, because the disk takes nothing.
    """

    stored_no: int
    is_on_disk: bool = True


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A sealed batch as it lies on disk; ``data`` is what travels.

    Attributes:
        lane: the lane it was asked for in; a batch that is read by its id is in no lane of its own (backlog).
    """

    batch_id: int
    stream_id: str
    first_seq: int
    last_seq: int
    digest: str
    data: bytes
    lane: Lane = Lane.BACKLOG

    @property
    def record_class(self) -> RecordClass:
        """Class of its stream."""
        return RecordClass(self.stream_id.rpartition(".")[2])

    @property
    def records(self) -> int:
        """How many numbers of the stream it accounts for."""
        return self.last_seq - self.first_seq + 1


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """The outbox at one moment.

    Attributes:
        streams: one entry a class that ever had a record.
        used_bytes: pages of the database in use, in bytes.
        capacity_bytes: cap of the same.
        oldest_age_s: age of the oldest record without a receipt, s; None if there is none.
        quarantined_batches: batches set aside.
        is_volatile: new records are kept in memory, because the disk takes none.
    """

    streams: list[StreamStatus] = field(default_factory=list)
    used_bytes: int = 0
    capacity_bytes: int = 0
    oldest_age_s: float | None = None
    quarantined_batches: int = 0
    is_volatile: bool = False
