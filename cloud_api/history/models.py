"""What goes into the history and what comes out of it. No database type appears here."""

from dataclasses import dataclass, field
from enum import StrEnum

from contracts.batch import Batch


class CommitOutcome(StrEnum):
    """What became of one batch of a commit."""

    COMMITTED = "committed"
    DUPLICATE = "duplicate"
    RANGE_CONFLICT = "range_conflict"
    UNSTORABLE = "unstorable"


@dataclass(frozen=True)
class ReceivedBatch:
    """A decoded batch and when it arrived, UTC ns by the cloud's clock."""

    batch: Batch
    received_at_ns: int


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
    """

    stream_id: str
    points: list[SeqRange]
    gaps: list[SeqRange]
    ledger: list[SeqRange]
    expired: list[SeqRange] = field(default_factory=list)


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
    """

    stream_id: str
    received: int
    declared_gap: int
    max_seq: int
    holes: list[SeqRange]
    doubles: list[SeqRange]
    unbacked: list[SeqRange]
    expired: int = 0

    def is_whole(self) -> bool:
        """Tell whether the balance holds."""
        return not self.holes and not self.doubles and not self.unbacked


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
