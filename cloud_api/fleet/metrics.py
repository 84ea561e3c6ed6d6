"""Metrics of the fleet registry."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class FleetMetrics:
    """Metrics of the fleet registry, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.last_seen_s = Gauge(
            "gateway_last_seen_timestamp_seconds", "When a gateway was last heard", ["gateway", "site"],
            registry=registry,
        )  # fmt: skip
        self.clock_offset_s = Gauge(
            "gateway_clock_offset_seconds", "Gateway's clock minus ours", ["gateway", "site"], registry=registry
        )
        self.rejected = Counter("fleet_status_rejected_total", "Reports refused", ["reason"], registry=registry)
        self.write_errors = Counter("fleet_write_errors_total", "Writes that failed", ["reason"], registry=registry)
