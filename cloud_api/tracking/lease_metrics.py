"""Figures of the leases. Labels are bounded by the cap of sites."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud_api.tracking.lease_policy import Change


class LeaseMetrics:
    """Figures of the leases, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.held = Gauge("track_lease_held", "1 while this process judges the site", ["site"], registry=registry)
        self.epoch = Gauge("track_lease_epoch", "Epoch of the lease last held here", ["site"], registry=registry)
        self.changes = Counter(
            "track_lease_changes_total", "Leases that came or went", ["site", "reason"], registry=registry
        )
        self.errors = Counter(
            "track_lease_errors_total", "Questions that were not answered", ["reason"], registry=registry
        )
        self.refused = Gauge(
            "track_sites_refused", "Messages of sites beyond those that one process can judge", registry=registry
        )

    def show(self, change: Change) -> None:
        """Set the figures of a lease that came or went."""
        self.held.labels(change.site).set(1 if change.is_held else 0)
        self.epoch.labels(change.site).set(change.epoch)
        self.changes.labels(change.site, change.reason.value).inc()
