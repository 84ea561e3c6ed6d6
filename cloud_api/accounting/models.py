"""What the accounting knows of a stream and of a gateway. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloud_api.history.models import SeqRange

MAX_RANGES = 20
"""Unexplained ranges shown a stream; the sum is always of all."""


class Verdict(StrEnum):
    """How a stream or a gateway stands, the worst last.

    Attributes:
        UNKNOWN: the gateway has never said what it holds.
        WHOLE: all that was produced is received or declared lost.
        BUFFERED: what is not here is on the gateway.
        WENT_BACK: the gateway counts from a lower number than it had reached.
        VANISHED: the gateway no longer has a stream that is not whole.
        MISSING: numbers are neither here, nor on the gateway, nor declared lost.
    """

    UNKNOWN = "unknown"
    WHOLE = "whole"
    BUFFERED = "buffered"
    WENT_BACK = "went_back"
    VANISHED = "vanished"
    MISSING = "missing"

    @property
    def is_alarm(self) -> bool:
        """Whether somebody must act."""
        return self in ALARMS


ALARMS = frozenset({Verdict.WENT_BACK, Verdict.VANISHED, Verdict.MISSING})
RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by both clocks: UTC ns to show, monotonic s to measure by."""

    utc_ns: int
    mono_s: float


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What a gateway said of one stream.

    Attributes:
        produced: highest number that it has given out.
        buffered_records: records without a receipt.
        held: ranges that it holds; None where it did not say.
    """

    produced: int
    buffered_records: int
    held: tuple[SeqRange, ...] | None


@dataclass(frozen=True, slots=True)
class GatewayReport:
    """The newest report of a gateway that lists streams.

    Attributes:
        number: counts the reports of this gateway since this process started.
        heard_ns: UTC ns of its arrival by the cloud's clock.
        streams: by id.
        is_partial: its disk does not answer: streams on it may be missing from the list and are there all the same.
    """

    number: int
    heard_ns: int
    streams: Mapping[str, StreamReport]
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """The balance of one stream: produced = received + declared + kept elsewhere + buffered + unexplained.

    Attributes:
        stream_id: its id.
        verdict: how it stands.
        since_ns: UTC ns since when an alarm stands; None where there is none.
        produced: highest number known of.
        received: numbers stored as records.
        declared: numbers declared lost, by reason.
        kept_elsewhere: numbers given up because their records came under another stream: no loss.
        buffered: numbers that are not here and that the gateway holds, or that are younger than its report.
        unexplained: numbers that nobody has; those of an alarm and those under suspicion.
        ranges: the lowest of them, at most ``MAX_RANGES``.
        heard_ns: UTC ns of the report it is judged by; None where there is none.
    """

    stream_id: str
    verdict: Verdict
    since_ns: int | None
    produced: int
    received: int
    declared: Mapping[str, int]
    buffered: int
    unexplained: int
    ranges: tuple[SeqRange, ...]
    heard_ns: int | None
    kept_elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class GatewayStanding:
    """The balance of one gateway: the sums of its streams, and the worst of their verdicts.

    Attributes:
        id: ``{site}/{gateway}``.
        declared_at_ns: UTC ns at which the declared losses were last seen to grow; None where they did not since the
            start of this process.
        missing: unexplained numbers of the streams with an alarm.
        kept_elsewhere: as of a stream.
        since_ns: UTC ns since when the oldest alarm stands.
    """

    id: str
    verdict: Verdict
    since_ns: int | None
    produced: int
    received: int
    declared: Mapping[str, int]
    declared_at_ns: int | None
    buffered: int
    missing: int
    streams: tuple[StreamStanding, ...] = field(default=(), repr=False)
    kept_elsewhere: int = 0

    def telling(self) -> tuple[object, ...]:
        """Return what a person would want to be told of at once when it changes."""
        return self.verdict, self.since_ns, self.missing, dict(self.declared), self.kept_elsewhere


@dataclass(frozen=True, slots=True)
class OpenStream:
    """What must outlive this process of a stream that is not whole.

    Attributes:
        stream_id: its id.
        produced: highest number that the gateway has told of.
        since_ns: UTC ns since when an alarm stands; None where there is none.
    """

    stream_id: str
    produced: int
    since_ns: int | None


@dataclass(frozen=True, slots=True)
class StreamAlarm:
    """An alarm of a stream; stream and moment are its identity, whoever raises or clears it.

    Attributes:
        stream_id: its stream.
        raised_ns: UTC ns since when it stands.
        verdict: how the stream stood when it was raised.
        records: numbers unexplained at that moment.
    """

    stream_id: str
    raised_ns: int
    verdict: str
    records: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the holder of a site's lease writes down after a look.

    Attributes:
        raised: alarms that began.
        cleared: alarms that ended.
        cleared_ns: UTC ns at which they ended.
        changed: streams that are not whole, where something changed.
        closed: ids of those that are whole again.
    """

    raised: tuple[StreamAlarm, ...] = ()
    cleared: tuple[StreamAlarm, ...] = ()
    cleared_ns: int = 0
    changed: tuple[OpenStream, ...] = ()
    closed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.raised or self.cleared or self.changed or self.closed)
