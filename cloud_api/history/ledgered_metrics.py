"""Figures of a history in two stores."""

from prometheus_client import CollectorRegistry, Counter, Histogram

STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class LedgeredMetrics:
    """Figures of ``LedgeredWriter``, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.stage_s = Histogram(
            "history_stage_seconds",
            "Duration of one stage of a commit: plan, sink, quarantine, ledger",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
            registry=registry,
        )
        self.rejected = Counter(
            "history_rejected_points_total", "Points that the sink refused for their content, kept apart", ["reason"],
            registry=registry,
        )  # fmt: skip
        self.evicted = Counter(
            "history_rejected_points_dropped_total", "Refused points no longer kept, for want of room",
            registry=registry,
        )  # fmt: skip
