"""The moment at which a gateway first knew the time of a boot, and what it makes of records from before it. Sans-io.

*Source:* contracts.payloads.ClockSet; docs/adr/0123.
"""

from dataclasses import dataclass

import msgspec

from contracts.payloads import ClockSet
from contracts.records import Clock, ClockState, Record

_MAX_NS = 2**62
"""Room for sums inside 64 bits; the year 2116."""
_MAX_ERROR_MS = 60_000.0
_MAX_DRIFT_PPM = 10_000.0
_SOURCES = frozenset(state.value for state in ClockState if state is not ClockState.UNSYNCED)


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a boot: monotonic ns, UTC ns, bound of its error in ms, what told it, drift in ppm."""

    mono_ns: int
    utc_ns: int
    error_ms: float
    source: str
    drift_ppm: float

    def give(self, record: Record) -> Record:
        """Return the record with its time; one that comes later than the moment, or before its boot, as it is."""
        before_ns = self.mono_ns - record.mono_ns
        if not 0 <= before_ns <= self.mono_ns:
            return record
        error_ms = round(self.error_ms + before_ns / 1e6 * self.drift_ppm / 1e6, 3)
        return msgspec.structs.replace(
            record,
            observed_at_ns=self.utc_ns - before_ns,
            clock=Clock(ClockState(self.source), error_ms),
            original_at_ns=record.observed_at_ns,
        )


@dataclass(frozen=True, slots=True)
class Boot:
    """A boot of a gateway."""

    site: str
    gateway: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Spans:
    """Where points of a boot lie, both ends included: by time (UTC ns), and beyond the retention by number."""

    placed: tuple[int, int] | None = None
    beyond: tuple[int, int] | None = None

    def holds(self, other: "Spans") -> bool:
        """Tell whether all of the other lies inside."""
        pairs = ((self.placed, other.placed), (self.beyond, other.beyond))
        return all(
            inner is None or (outer is not None and outer[0] <= inner[0] and inner[1] <= outer[1])
            for outer, inner in pairs
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A boot whose points are to be given their time."""

    boot: Boot
    moment: Moment
    spans: Spans


def moment_of(record: Record) -> Moment | None:
    """Return the moment that a record tells of its own boot; None where it tells none, or one that cannot be."""
    told = record.payload
    if not isinstance(told, ClockSet) or told.boot_id != record.boot_id:
        return None
    is_sane = (
        0 <= told.mono_ns < _MAX_NS
        and told.mono_ns <= told.utc_ns < _MAX_NS
        and 0 <= told.error_ms <= _MAX_ERROR_MS
        and 0 <= told.drift_ppm <= _MAX_DRIFT_PPM
        and told.source in _SOURCES
    )
    return Moment(told.mono_ns, told.utc_ns, told.error_ms, told.source, told.drift_ppm) if is_sane else None
