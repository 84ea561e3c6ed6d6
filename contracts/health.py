"""What a gateway says about itself every few seconds on ``up/status``. Live only: it is never buffered."""

import msgspec

from contracts.records import Clock


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One driver.

    Attributes:
        source: driver instance id.
        kind: driver kind ("nmea", "crane_modbus", …).
        place: asset it observes, if fixed.
        state: "starting", "running", "backoff" or "stopped".
        last_record_at_ns: UTC ns of its newest record, null before the first.
        last_record_age_s: age of the same by the monotonic clock, s: since it was stored.
        records: records accepted from it since the gateway started.
        restarts: how often it was restarted since the gateway started.
        ends: why it ended, by reason ("memory", "hang", "exit", "config", "requested").
        rejected: what its parser and link rejected, by reason.
        last_error: last error in plain words, empty if none.
    """

    source: str
    kind: str
    place: str | None = None
    state: str
    last_record_at_ns: int | None = None
    last_record_age_s: float | None = None
    records: int = 0
    restarts: int = 0
    ends: dict[str, int] = msgspec.field(default_factory=dict)
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
    last_error: str = ""


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stream of the outbox.

    Attributes:
        stream_id: its id.
        next_seq: number that the next record gets; ``next_seq - 1`` records were produced.
        buffered_records: records on disk that have no receipt yet.
        buffered_bytes: their size on disk.
        oldest_at_ns: UTC ns of the oldest of them.
        oldest_seq: lowest number that the gateway still holds (as a record or as a declared gap); null if it has none.
            A gateway that says neither this nor the ranges is believed to hold whatever the cloud has not.
        buffered_ranges: all numbers that it still holds, as ``[first, last]`` pairs, ascending and disjoint, of the
            same moment as ``next_seq``. At most ``limits.MAX_BUFFERED_RANGES``: where there are more, the last pair
            reaches over the rest, so that nothing held is ever left out. What is below ``next_seq`` and in none of
            them has been acknowledged by the cloud.
        oldest_age_s: age of the oldest of them, s, by the monotonic clock where it is of this boot.
    """

    stream_id: str
    next_seq: int
    buffered_records: int = 0
    buffered_bytes: int = 0
    oldest_at_ns: int | None = None
    oldest_seq: int | None = None
    buffered_ranges: list[tuple[int, int]] | None = None
    oldest_age_s: float | None = None


class ClassStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What waits of one class on the gateway, and for how long there is room. A null is not known, never a guess.

    Attributes:
        record_class: value of ``contracts.records.RecordClass``.
        buffered_records: records without a receipt.
        buffered_bytes: their size as they are stored.
        oldest_age_s: age of the oldest of them, s: how far back the buffer reaches; null if there is none.
        records_per_s: records that come in, over the last ten minutes.
        bytes_per_s: the same as it is stored.
        capacity_bytes: bound of the class, bytes; null if it has none of its own.
        headroom_s: until that bound is reached if nothing went up and as much came in as now, s.
    """

    record_class: str
    buffered_records: int = 0
    buffered_bytes: int = 0
    oldest_age_s: float | None = None
    records_per_s: float | None = None
    bytes_per_s: float | None = None
    capacity_bytes: int | None = None
    headroom_s: float | None = None


class GatewayStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One report of a gateway.

    Attributes:
        site: site id.
        gateway: gateway id.
        at_ns: UTC ns of the report by the gateway's clock.
        boot_id: id of this boot of the device.
        started_at_ns: UTC ns of the start of the gateway process.
        software: version of PortTrack.
        clock: clock quality now.
        oldest_unacknowledged_s: age of the oldest record without a receipt, by the monotonic clock, s; null if none.
        quarantined_batches: batches set aside (refused by the cloud, or damaged).
        counters: gateway counters, by name (resends, refused receipts, dropped, …).
        classes: what waits, by class.
        headroom_s: until the first bound of all is reached if nothing went up and as much came in as now, s; null if
            that is not known.
        replay_records_per_s: records that the cloud takes a second, over the last half minute.
        drain_s: until nothing but live data waits, at that rate, s; null if it does not get less, or is not known.
        flash_bytes_per_day: what the gateway and its drivers write to the disk, at the rate of the last hours.
        card_life_days: projection, not a measurement: how long a new card of the profile's kind bears that rate.
        is_volatile: new records are in memory only, because the disk does not take them.
    """

    version: int = 1
    site: str
    gateway: str
    at_ns: int
    boot_id: str
    started_at_ns: int
    software: str
    clock: Clock
    streams: list[StreamStatus] = msgspec.field(default_factory=list)
    sources: list[SourceStatus] = msgspec.field(default_factory=list)
    oldest_unacknowledged_s: float | None = None
    quarantined_batches: int = 0
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    classes: list[ClassStatus] = msgspec.field(default_factory=list)
    headroom_s: float | None = None
    replay_records_per_s: float | None = None
    drain_s: float | None = None
    flash_bytes_per_day: float | None = None
    card_life_days: float | None = None
    is_volatile: bool = False
