"""What goes into the history and what comes out of it. No database type appears here."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from contracts.batch import Batch
from contracts.records import Record


class CommitOutcome(StrEnum):
    """What became of one batch of a commit: all of it was new, some of it was, nothing was, or it cannot be stored."""

    COMMITTED = "committed"
    MERGED = "merged"
    DUPLICATE = "duplicate"
    RANGE_CONFLICT = "range_conflict"
    UNSTORABLE = "unstorable"


@dataclass(frozen=True)
class ReceivedBatch:
    """A decoded batch and when it arrived, UTC ns by the cloud's clock."""

    batch: Batch
    received_at_ns: int


@dataclass(frozen=True)
class CommitPlan:
    """What a batch would bring: its outcome, and the records of it that nobody has."""

    outcome: CommitOutcome
    new: tuple[Record, ...]


class StoredRecord(NamedTuple):
    """One record on its way into a store of points, with whose it is.

    Attributes:
        stream_id: stream it came in.
        site: site id, of the stream id.
        gateway: gateway id, of the stream id.
        record: the record; never a gap.
    """

    stream_id: str
    site: str
    gateway: str
    record: Record


@dataclass(frozen=True, slots=True)
class Rejected:
    """A point that a store refuses for its content, and will refuse for ever.

    Attributes:
        point: the point, whole.
        reason: short snake_case word, of a closed set: it labels a counter.
        cause: why, in the store's words.
    """

    point: StoredRecord
    reason: str
    cause: str


@dataclass(frozen=True)
class TrackPoint:
    """One position of a vessel: UTC ns, degrees WGS 84, knots, degrees true."""

    observed_at_ns: int
    lon_deg: float
    lat_deg: float
    sog_kn: float | None
    cog_deg: float | None
    heading_deg: int | None


@dataclass(frozen=True, order=True)
class SeqRange:
    """Sequence numbers ``first_seq`` to ``last_seq``, both included."""

    first_seq: int
    last_seq: int

    def count(self) -> int:
        """Return how many numbers it holds."""
        return self.last_seq - self.first_seq + 1


@dataclass(frozen=True)
class StreamEvidence:
    """What the history holds of one stream, each list read from its own table, disjoint and ascending.

    Attributes:
        stream_id: its id.
        points: runs of sequence numbers that have a stored record.
        gaps: ranges that the gateway declared as lost.
        ledger: ranges that were acknowledged to the gateway.
        expired: ranges that were stored and that retention has taken away.
        expired_gap: how many numbers of them were declared lost.
        covered: what the running balance says is accounted for.
        declared: how many numbers the running balance says are declared lost.
    """

    stream_id: str
    points: list[SeqRange]
    gaps: list[SeqRange]
    ledger: list[SeqRange]
    expired: list[SeqRange] = field(default_factory=list)
    expired_gap: int = 0
    covered: list[SeqRange] = field(default_factory=list)
    declared: int = 0


@dataclass(frozen=True)
class StreamBalance:
    """The running balance of one stream, kept with each commit: what it costs to read does not grow with the history.

    Attributes:
        stream_id: its id.
        max_seq: highest number accounted for.
        accounted: how many numbers are, received or declared lost; what retention has taken away stays counted.
        declared: how many of them are declared lost, by reason.
        covered: the ranges that are accounted for, from the lowest on; at most ``MAX_COVERED`` of them.
        is_cut: there are more ranges than that.
    """

    stream_id: str
    max_seq: int
    accounted: int
    declared: dict[str, int]
    covered: list[SeqRange]
    is_cut: bool = False

    def received(self) -> int:
        """Return how many numbers were received as records."""
        return self.accounted - sum(self.declared.values())


@dataclass(frozen=True)
class StreamAccount:
    """The balance of one stream: whole if received + declared gaps = 1..max seq, and the ledger says the same.

    What retention has taken away was received, and is counted apart.

    Attributes:
        stream_id: its id.
        received: records stored.
        declared_gap: sequence numbers that the gateway declared as lost.
        max_seq: highest number accounted for.
        holes: numbers below ``max_seq`` that are neither.
        doubles: numbers that are both stored and declared lost.
        unbacked: numbers acknowledged to the gateway that are neither stored nor declared lost.
        expired: records and gaps that were stored and that retention has taken away.
        drift: what the running balance says and the tables do not, in words.
    """

    stream_id: str
    received: int
    declared_gap: int
    max_seq: int
    holes: list[SeqRange]
    doubles: list[SeqRange]
    unbacked: list[SeqRange]
    expired: int = 0
    drift: list[str] = field(default_factory=list)

    def is_whole(self) -> bool:
        """Tell whether the balance holds."""
        return not self.holes and not self.doubles and not self.unbacked and not self.drift


@dataclass(frozen=True)
class StoredPoint:
    """One stored record as it lies on disk.

    Attributes:
        stream_id: stream it came in.
        seq: its number there.
        observed_at_ns: UTC ns by the gateway's clock.
        kind: payload type.
        place: asset it was observed at, if fixed.
        payload: the payload as JSON with its ``type``.
        raw: original sentence, where it was kept.
    """

    stream_id: str
    seq: int
    observed_at_ns: int
    kind: str
    place: str | None
    payload: str
    raw: str | None
