"""Bounds of the outbox: how much and how old each class of records may be, and what the disk keeps free.

The defaults are for a 16 GB card, of which the system takes 8: seven days without a link at 75 messages/s, the upper
bound of one AIS receiver, are 45 million records. 75 mixed records a second take 50 to 90 bytes each once compressed,
2.3 to 4.1 GB for the week, so that most of it lies whole in 4 GiB and the rest thinned (of tracks a seventh stays).
"""

from pydantic import Field

from firmware_configs.base import Profile

MIB = 1024**2
DAY_H = 24.0


class ClassBound(Profile):
    """Bound of one class.

    Attributes:
        max_bytes: cap of its batches, bytes.
        max_age_h: cap of the age of its records, h. Time that cannot be told for certain does not count.
    """

    max_bytes: int = Field(ge=64 * 1024)
    max_age_h: float = Field(gt=0)


class AlarmBound(ClassBound):
    """Alarms: nobody else's records ever push one out. At 200 B each this holds 300,000; a busy site makes 10 a day."""

    max_bytes: int = Field(default=64 * MIB, ge=64 * 1024)
    max_age_h: float = Field(default=365 * DAY_H, gt=0)


class CraneCycleBound(ClassBound):
    """Lifts are what a terminal is paid for. At 150 B each this holds 1.7 million: 40 an hour for five years."""

    max_bytes: int = Field(default=256 * MIB, ge=64 * 1024)
    max_age_h: float = Field(default=365 * DAY_H, gt=0)


class TrackBound(ClassBound):
    """AIS and radar: the bulk. After 30 days a track is of no use that one position a minute would not serve."""

    max_bytes: int = Field(default=3072 * MIB, ge=64 * 1024)
    max_age_h: float = Field(default=30 * DAY_H, gt=0)


class TelemetryBound(ClassBound):
    """Measurements: half of what there is at most, so that a source gone wild leaves room for the tracks."""

    max_bytes: int = Field(default=2048 * MIB, ge=64 * 1024)
    max_age_h: float = Field(default=30 * DAY_H, gt=0)


class LogBound(ClassBound):
    """Log events and health: of use to whoever looks for a fault of the last weeks."""

    max_bytes: int = Field(default=128 * MIB, ge=64 * 1024)
    max_age_h: float = Field(default=14 * DAY_H, gt=0)


class ClassBounds(Profile):
    """One bound a class. Their sum may be over ``Outbox.max_bytes``: that bounds all of them together."""

    alarm: AlarmBound = AlarmBound()
    crane_cycle: CraneCycleBound = CraneCycleBound()
    track: TrackBound = TrackBound()
    telemetry: TelemetryBound = TelemetryBound()
    log: LogBound = LogBound()


class DiskReserve(Profile):
    """What the outbox leaves free of the file system that it lies on.

    Attributes:
        share: of its size. A flash card that is full to the brim wears out several times as fast, and what else lives
            on it (system log, updates) needs room to go on.
        min_bytes: at least so much, on a small file system.
        max_bytes: at most so much, on a very large one.
        floor_bytes: what the outbox may hold in any case, however full others make the disk: without it a log file
            gone wild would cost the alarms of the week.
    """

    share: float = Field(default=0.10, ge=0, le=0.5)
    min_bytes: int = Field(default=64 * MIB, ge=0)
    max_bytes: int = Field(default=64 * 1024 * MIB, ge=MIB)
    floor_bytes: int = Field(default=32 * MIB, ge=256 * 1024)
