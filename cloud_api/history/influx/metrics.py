"""What the sink counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class InfluxMetrics:
    """Counters of the way to an InfluxDB.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.points = Counter(
            "influx_points_written_total", "Points that the server has", ["measurement", "policy"], registry=registry
        )
        self.rejected = Counter("influx_points_rejected_total", "Points refused for their content", ["reason"],
                                registry=registry)  # fmt: skip
        self.requests = Counter("influx_requests_total", "Write requests", ["outcome"], registry=registry)
        self.bytes_sent = Counter("influx_sent_bytes_total", "Bodies of write requests, compressed", registry=registry)
        self.request_s = Histogram(
            "influx_request_seconds", "Time of one write request", registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip
        self.waiting = Gauge("influx_waiting_seconds", "How long the server asked to wait", registry=registry)
        self.clock_sets_dropped = Counter(
            "history_clock_sets_dropped_total",
            "Boots whose time is no longer kept, for want of room",
            registry=registry,
        )
        self.backfilled = Counter(
            "history_backfilled_points_total", "Points that got their time after they were written", ["policy"],
            registry=registry,
        )  # fmt: skip
        self.not_backfilled = Counter(
            "history_backfill_refused_points_total", "Points that stay without their time", ["reason"],
            registry=registry,
        )  # fmt: skip
        self.backfill_errors = Counter(
            "history_backfill_errors_total", "Steps that failed", ["reason"], registry=registry
        )
