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
        oldest_seq: lowest number that the gateway still holds (as a record or as a declared gap); null if it holds none.
            A gateway that says neither this nor the ranges is believed to hold whatever the cloud has not.
        buffered_ranges: all numbers that it still holds, as ``[first, last]`` pairs, ascending and disjoint, of the
            same moment as ``next_seq``. At most ``limits.MAX_BUFFERED_RANGES``: where there are more, the last pair
            reaches over the rest, so that nothing held is ever left out. What is below ``next_seq`` and in none of
            them has been acknowledged by the cloud.
    """

    stream_id: str
    next_seq: int
    buffered_records: int = 0
    buffered_bytes: int = 0
    oldest_at_ns: int | None = None
    oldest_seq: int | None = None
    buffered_ranges: list[tuple[int, int]] | None = None


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
