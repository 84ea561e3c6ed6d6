"""Figures of the accounting. Labels are bounded: gateways are the fleet, reasons are a closed set and ``other``."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud_api.accounting.models import GatewayStanding

REASONS = frozenset({
    "thinned", "capacity", "age", "disk_space", "damaged", "refused", "too_large", "ring_overflow", "ring_lost",
    "written_off",
})  # fmt: skip
"""Why numbers are declared lost; what another version says is ``other``."""
GATEWAY = ["gateway", "site"]


class AccountingMetrics:
    """Figures of the accounting, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.unexplained = Gauge(
            "accounting_unexplained_records",
            "Numbers that nobody has and that are an alarm",
            GATEWAY,
            registry=registry,
        )
        self.holes = Gauge("accounting_holes", "Streams with an alarm", GATEWAY, registry=registry)
        self.buffered = Gauge(
            "accounting_buffered_records", "Numbers that the gateway holds and the cloud has not", GATEWAY,
            registry=registry,
        )  # fmt: skip
        self.declared = Gauge(
            "accounting_declared_lost_records", "Numbers declared lost and not received after all",
            [*GATEWAY, "reason"], registry=registry,
        )  # fmt: skip
        self.kept_elsewhere = Gauge(
            "accounting_kept_elsewhere_records", "Numbers whose records came under another stream: no loss", GATEWAY,
            registry=registry,
        )  # fmt: skip
        self.looked_s = Gauge(
            "accounting_last_look_timestamp_seconds", "When all streams were last judged", registry=registry
        )
        self._shown: dict[str, set[str]] = {}
        self.errors = Counter("accounting_errors_total", "Looks that failed", ["reason"], registry=registry)

    def show(self, standings: Iterable[GatewayStanding]) -> None:
        """Set the figures of these gateways and of no others: each site's are told by one process."""
        for gauge in (self.unexplained, self.holes, self.buffered, self.declared, self.kept_elsewhere):
            gauge.clear()
        for one in standings:
            site, gateway = one.id.split("/", 1)
            labels = (gateway, site)
            self.unexplained.labels(*labels).set(one.missing)
            self.holes.labels(*labels).set(sum(stream.verdict.is_alarm for stream in one.streams))
            self.buffered.labels(*labels).set(one.buffered)
            self.kept_elsewhere.labels(*labels).set(one.kept_elsewhere)
            sums = Tally[str]()
            for reason, numbers in one.declared.items():
                sums[reason if reason in REASONS else "other"] += numbers
            # a reason whose numbers all came after all falls to nothing, and is not left standing
            shown = self._shown.setdefault(one.id, set())
            shown.update(sums)
            for reason in shown:
                self.declared.labels(*labels, reason).set(sums[reason])
