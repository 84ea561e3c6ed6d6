"""What is known of a gateway."""

from dataclasses import dataclass

from contracts.health import GatewayStatus


@dataclass(frozen=True)
class GatewayEntry:
    """One gateway of the registry.

    Attributes:
        status: its newest report.
        first_seen_ns: UTC ns by the cloud's clock when it was first heard.
        last_seen_ns: UTC ns by the cloud's clock when it was last heard.
        clock_offset_ms: its clock minus ours, ms, the smallest transit of the last minute taken as none; null before
            the first live report.
    """

    status: GatewayStatus
    first_seen_ns: int
    last_seen_ns: int
    clock_offset_ms: float | None

    def key(self) -> tuple[str, str]:
        """Return (site, gateway)."""
        return self.status.site, self.status.gateway
