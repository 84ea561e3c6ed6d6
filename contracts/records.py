"""Records: one observation with where, when and how well known, and one typed payload.

One unit per quantity, converted once, in the parser: m, m/s for wind, kn for vessels, degrees true, t, kN. What a
sensor does not know is ``None``, never a sentinel of its protocol.

Records, clocks and payloads are not tracked by the garbage collector (``gc=False``): what is frozen and comes from a
wire holds no cycle, and a cloud that decodes thousands of records a second would have them all walked through.
"""

from enum import StrEnum

import msgspec

from contracts.payloads import (
    Ais,
    Alarm,
    BerthSample,
    ClockSet,
    CraneCycle,
    CraneSample,
    Depth,
    Gap,
    GnssFix,
    HealthEvent,
    Log,
    Payload,
    Transducer,
    WaterLevel,
    WaterSpeed,
    Weather,
    Wind,
)
from contracts.radar import RadarDisplay, RadarLabel, RadarTarget


class RecordClass(StrEnum):
    """How urgent and how precious a record is; one stream per class and outbox database."""

    ALARM = "alarm"
    CRANE_CYCLE = "crane_cycle"
    TRACK = "track"
    TELEMETRY = "telemetry"
    LOG = "log"


class ClockState(StrEnum):
    """What the gateway's clock was steered by when a record was stamped."""

    UNSYNCED = "unsynced"
    RTC = "rtc"
    NTP = "ntp"
    GNSS = "gnss"


MAX_BELIEVED_ERROR_MS = 60_000.0
"""A wall clock that is wrong by more than a minute is no time, whoever measured it: a GNSS receiver says how wrong the
clock is, it does not set it, and a clock that starts in 1970 is then known to be wrong by half a century."""


class Clock(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Clock quality: steering source and a bound of the error in milliseconds (``None``: unknown)."""

    state: ClockState
    error_ms: float | None = None

    def is_believed(self) -> bool:
        """Tell whether a time by this clock may be used as a time: it is steered, and not known to be far off."""
        is_near = self.error_ms is None or self.error_ms <= MAX_BELIEVED_ERROR_MS
        return self.state is not ClockState.UNSYNCED and is_near


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a driver hands over: a record that has no place in a stream yet.

    Attributes:
        observed_at_ns: UTC nanoseconds since 1970-01-01 by the gateway's clock.
        clock: how far that clock can be believed.
        mono_ns: nanoseconds of the monotonic clock; orders records of one ``boot_id`` whatever the wall clock does.
        boot_id: id of the boot that ``mono_ns`` counts in.
        source: the driver instance.
        payload: what was observed.
        place: id of the asset at the site that it was observed at (crane, berth, mast), if it is a fixed one.
        raw: the original sentence, where the profile asks for evidence.
    """

    observed_at_ns: int
    clock: Clock
    mono_ns: int
    boot_id: str
    source: str
    payload: Payload
    place: str | None = None
    raw: str | None = None


class Record(Observation, frozen=True, omit_defaults=True, kw_only=True):
    """An observation at its place in a stream. ``seq`` counts from 1 without holes.

    Attributes:
        seq: its number.
        mean_of: where it was never observed but is the mean of its series in one minute: of so many observations. The
            gateway makes it when it thins, in the place of one of them; those with the minimum and the maximum stay.
        original_at_ns: where ``observed_at_ns`` was back-filled once the clock was set: what the clock had said,
            UTC ns; ``clock`` then tells by what it was set, and the bound of the error at this record.
    """

    seq: int
    mean_of: int = 0
    original_at_ns: int | None = None

    def last_seq(self) -> int:
        """Return the last sequence number that this record accounts for: its own, or the end of the gap it declares."""
        return self.payload.last_seq if isinstance(self.payload, Gap) else self.seq


CLASS_OF_PAYLOAD: dict[type, RecordClass] = {
    Ais: RecordClass.TRACK,
    Alarm: RecordClass.ALARM,
    RadarTarget: RecordClass.TRACK,
    RadarLabel: RecordClass.TRACK,
    RadarDisplay: RecordClass.TELEMETRY,
    WaterSpeed: RecordClass.TELEMETRY,
    Transducer: RecordClass.TELEMETRY,
    CraneCycle: RecordClass.CRANE_CYCLE,
    GnssFix: RecordClass.TELEMETRY,
    Wind: RecordClass.TELEMETRY,
    Weather: RecordClass.TELEMETRY,
    WaterLevel: RecordClass.TELEMETRY,
    Depth: RecordClass.TELEMETRY,
    CraneSample: RecordClass.TELEMETRY,
    BerthSample: RecordClass.TELEMETRY,
    Log: RecordClass.LOG,
    ClockSet: RecordClass.LOG,
    HealthEvent: RecordClass.LOG,
}
"""Class of each payload. A ``Gap`` has none of its own: it stands in the stream whose records it accounts for."""


def class_of(payload: Payload) -> RecordClass:
    """Return the class that an observation with this payload belongs to.

    Raises:
        KeyError: the payload is a ``Gap``, which only an outbox may write.
    """
    return CLASS_OF_PAYLOAD[type(payload)]


def record_from(observation: Observation, seq: int) -> Record:
    """Give an observation its place in a stream.

    Args:
        observation: what a driver handed over.
        seq: next sequence number of the stream, from 1.
    """
    return Record(
        seq=seq,
        observed_at_ns=observation.observed_at_ns,
        clock=observation.clock,
        mono_ns=observation.mono_ns,
        boot_id=observation.boot_id,
        source=observation.source,
        payload=observation.payload,
        place=observation.place,
        raw=observation.raw,
    )
