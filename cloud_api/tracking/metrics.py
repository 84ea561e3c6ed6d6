"""Figures of the track role."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class TrackMetrics:
    """Counters of the track role, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("track_records_total", "Records seen by the track role", ["type"], registry=registry)
        self.rejected = Counter("track_rejected_total", "Messages not used", ["reason"], registry=registry)
        self.statuses = Counter("track_statuses_total", "Gateway reports taken", registry=registry)
        self.latency = Histogram(
            "port_pipeline_latency_seconds",
            "From the observation, by the gateway's clock, to this stage",
            ["stage"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0),
            registry=registry,
        )
