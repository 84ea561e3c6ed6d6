"""Reports of a gateway, for tests of what receives them."""

from contracts.health import GatewayStatus
from contracts.records import Clock, ClockState


def status(
    gateway: str = "gw-1", at_ns: int = 1_790_000_000_000_000_000, software: str = "0.1.0", site: str = "puerto-demo"
) -> GatewayStatus:
    return GatewayStatus(
        site=site,
        gateway=gateway,
        at_ns=at_ns,
        boot_id="boot-1",
        started_at_ns=at_ns - 1_000_000_000,
        software=software,
        clock=Clock(state=ClockState.NTP, error_ms=4.0),
    )
