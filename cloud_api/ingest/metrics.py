"""Counters of the store role. Labels are bounded: reasons are a closed set, sources are the fleet."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

COMMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LATENCY_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


class IngestMetrics:
    """Counters of the store role, registered once in ``registry``.

    Args:
        registry: where.
        latency_s: the histogram of all stages, where another role of the process has registered it already.
    """

    def __init__(self, registry: CollectorRegistry, latency_s: Histogram | None = None) -> None:
        self.messages = Counter("ingest_messages_total", "Batches taken", ["source"], registry=registry)
        self.records = Counter(
            "ingest_records_total", "Records of batches stored as they came", ["source"], registry=registry
        )
        self.duplicates = Counter(
            "ingest_duplicate_batches_total", "Batches seen before, acknowledged again", registry=registry
        )
        self.merged = Counter(
            "ingest_merged_batches_total", "Batches in another cut, or for declared gaps, of which the new was stored",
            registry=registry,
        )  # fmt: skip
        self.rejected = Counter("ingest_rejected_total", "Batches refused", ["reason"], registry=registry)
        self.gaps = Counter("ingest_sequence_gaps_total", "Gaps that gateways declared", registry=registry)
        self.lost_records = Counter(
            "ingest_declared_lost_records_total",
            "Records inside declared gaps, but those kept elsewhere",
            registry=registry,
        )
        self.kept_elsewhere = Counter(
            "ingest_kept_elsewhere_records_total", "Numbers whose records come under another stream: no loss",
            registry=registry,
        )  # fmt: skip
        self.queue = Gauge("ingest_queue_batches", "Batches waiting for a commit", registry=registry)
        self.receipt_errors = Counter("ingest_receipt_errors_total", "Receipts not sent", ["reason"], registry=registry)
        self.poison_dropped = Counter(
            "ingest_poison_dropped_total", "Refused payloads not kept or no longer kept", ["reason"], registry=registry
        )
        self.commit_s = Histogram(
            "tsdb_write_duration_seconds", "Duration of a commit", buckets=COMMIT_BUCKETS_S, registry=registry
        )
        self.commit_errors = Counter("tsdb_write_errors_total", "Commits that failed", ["reason"], registry=registry)
        self.latency_s = latency_s or Histogram(
            "port_pipeline_latency_seconds",
            "From the observation, by the gateway's clock, to this stage",
            ["stage"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
