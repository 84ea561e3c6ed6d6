"""How long the buffer will last, and how long it takes to drain. Sans-io.

Headroom answers the technician's question before an outage as well as in it: if nothing went up from now on, and as
much came in as in the last ten minutes, when is the first bound reached? What comes in is counted by the numbers of the
streams; its size by what lies in the buffer, which is packed worse while it is short: the answer errs to the safe side.
What is not known is None; nothing is guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.health import ClassStatus, StreamStatus
from contracts.records import RecordClass
from gateway.health.ewma_policy import Ewma

PRESENT_S = 600.0
"""What "at the present rate" means: ships come and go by the quarter of an hour."""
PRESENT_KNOWN_AFTER_S = 10.0
REPLAY_S = 30.0
"""A person who watches a backlog drain wants to see what changes."""
REPLAY_KNOWN_AFTER_S = 6.0
LIVE_S = 5.0
"""As much as came in during this time is not a backlog: it is on its way."""
SIZE_SHARE = 0.1
"""Weight of the newest size of a record against those before."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What lies in the buffer at one moment.

    Attributes:
        streams: of this database and of earlier ones.
        used_bytes: in use of the whole.
        capacity_bytes: bound of the whole, the lesser of the profile's and the disk's; 0 if not known.
        class_bytes: bounds of single classes, where they have any.
    """

    streams: Sequence[StreamStatus]
    used_bytes: int
    capacity_bytes: int
    class_bytes: Mapping[RecordClass, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Headroom:
    """See ``contracts.health``: the fields of the same names."""

    classes: list[ClassStatus] = field(default_factory=list)
    headroom_s: float | None = None
    replay_records_per_s: float | None = None
    drain_s: float | None = None


class _ClassRate:
    """What comes in of one class, and how large it is."""

    def __init__(self) -> None:
        self.records = Ewma(PRESENT_S, PRESENT_KNOWN_AFTER_S)
        self.record_bytes: float | None = None

    def measure(self, records: int, size_bytes: int) -> None:
        if records > 0:
            newest = size_bytes / records
            before = newest if self.record_bytes is None else self.record_bytes
            self.record_bytes = before + (newest - before) * SIZE_SHARE


class HeadroomPolicy:
    """Watches the numbers of the streams from report to report."""

    def __init__(self) -> None:
        self._at_s: float | None = None
        self._before: dict[str, StreamStatus] = {}
        self._rates = {name: _ClassRate() for name in RecordClass}
        self._came = Ewma(REPLAY_S, REPLAY_KNOWN_AFTER_S)
        self._went = Ewma(REPLAY_S, REPLAY_KNOWN_AFTER_S)

    def note(self, fill: Fill, now_s: float) -> Headroom:
        """Take what lies there now, and return what follows from it.

        Args:
            fill: what lies there.
            now_s: monotonic, s.
        """
        by_class: dict[RecordClass, list[StreamStatus]] = {name: [] for name in RecordClass}
        for stream in fill.streams:
            by_class[RecordClass(stream.stream_id.rpartition(".")[2])].append(stream)
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._count(by_class, passed_s)
        self._at_s = now_s
        self._before = {stream.stream_id: stream for stream in fill.streams}
        classes = [self._class(name, streams, fill.class_bytes.get(name)) for name, streams in by_class.items()]
        shown = [item for item in classes if by_class[RecordClass(item.record_class)]]
        buffered = sum(item.buffered_records for item in shown)
        return Headroom(shown, _least(fill, classes), self._went.per_s(), self._drain_s(buffered))

    def _count(self, by_class: Mapping[RecordClass, Sequence[StreamStatus]], passed_s: float) -> None:
        came_of_all = went_of_all = 0
        for name, streams in by_class.items():
            came = sum(self._came_of(stream) for stream in streams)
            went = sum(self._went_of(stream) for stream in streams)
            self._rates[name].records.add(came, passed_s)
            self._rates[name].measure(
                sum(stream.buffered_records for stream in streams), sum(stream.buffered_bytes for stream in streams)
            )
            came_of_all += came
            went_of_all += went
        present = {stream.stream_id for streams in by_class.values() for stream in streams}
        went_of_all += sum(old.buffered_records for name, old in self._before.items() if name not in present)
        self._came.add(came_of_all, passed_s)
        self._went.add(went_of_all, passed_s)

    def _came_of(self, stream: StreamStatus) -> int:
        before = self._before.get(stream.stream_id)
        return max(0, stream.next_seq - (before.next_seq if before else 1))

    def _went_of(self, stream: StreamStatus) -> int:
        before = self._before.get(stream.stream_id)
        if before is None:
            return 0
        return max(0, before.buffered_records + self._came_of(stream) - stream.buffered_records)

    def _class(self, name: RecordClass, streams: Sequence[StreamStatus], capacity_bytes: int | None) -> ClassStatus:
        rate = self._rates[name]
        size_bytes = sum(stream.buffered_bytes for stream in streams)
        records_per_s = rate.records.per_s()
        bytes_per_s = self._bytes_per_s(rate)
        ages = [stream.oldest_age_s for stream in streams if stream.oldest_age_s is not None]
        return ClassStatus(
            record_class=name.value,
            buffered_records=sum(stream.buffered_records for stream in streams),
            buffered_bytes=size_bytes,
            oldest_age_s=max(ages, default=None),
            records_per_s=records_per_s,
            bytes_per_s=bytes_per_s,
            capacity_bytes=capacity_bytes,
            headroom_s=_until_full(capacity_bytes, size_bytes, bytes_per_s),
        )

    def _bytes_per_s(self, rate: _ClassRate) -> float | None:
        """Return what a class writes; one that was never seen waiting is given the largest records of the others."""
        records_per_s = rate.records.per_s()
        if records_per_s is None:
            return None
        if records_per_s == 0:
            return 0.0
        known = [item.record_bytes for item in self._rates.values() if item.record_bytes is not None]
        record_bytes = rate.record_bytes if rate.record_bytes is not None else max(known, default=None)
        return None if record_bytes is None else records_per_s * record_bytes

    def _drain_s(self, buffered: int) -> float | None:
        came, went = self._came.per_s(), self._went.per_s()
        if came is None or went is None:
            return None
        if buffered <= came * LIVE_S or buffered == 0:
            return 0.0
        return buffered / (went - came) if went > came else None


def _least(fill: Fill, classes: Sequence[ClassStatus]) -> float | None:
    """Return when the first bound of all is reached."""
    rates = [item.bytes_per_s for item in classes]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        return None
    whole = _until_full(fill.capacity_bytes or None, fill.used_bytes, sum(known))
    bounds = [whole, *(item.headroom_s for item in classes)]
    return min((bound for bound in bounds if bound is not None), default=None)


def _until_full(capacity_bytes: int | None, used_bytes: int, bytes_per_s: float | None) -> float | None:
    if capacity_bytes is None or bytes_per_s is None:
        return None
    room_bytes = max(0, capacity_bytes - used_bytes)
    if room_bytes == 0:
        return 0.0
    return room_bytes / bytes_per_s if bytes_per_s > 0 else None
