"""Balances of gateways, for tests of what shows them."""

from typing import Any

from cloud_api.accounting.models import GatewayStanding, StreamStanding, Verdict
from cloud_api.history.models import SeqRange


def standing(gateway: str = "demo/gw-1", verdict: Verdict = Verdict.WHOLE, **changes: Any) -> GatewayStanding:
    """Return the standing of a gateway with one stream of a hundred numbers."""
    site, name = gateway.split("/")
    missing = 12 if verdict.is_alarm else 0
    since_ns = 1_795_489_000_000_000_000 if verdict.is_alarm else None
    stream = StreamStanding(
        stream_id=f"{site}.{name}.abcdefgh.track",
        verdict=verdict,
        since_ns=since_ns,
        produced=100,
        received=90 - missing,
        declared={"thinned": 10},
        buffered=0,
        unexplained=missing,
        ranges=(SeqRange(51, 62),) if missing else (),
        heard_ns=1_795_489_100_000_000_000,
    )
    values: dict[str, Any] = {
        "produced": 100, "received": 90 - missing, "declared": {"thinned": 10}, "declared_at_ns": None,
        "buffered": 0, "missing": missing, "since_ns": since_ns, "streams": (stream,),
    }  # fmt: skip
    return GatewayStanding(id=gateway, verdict=verdict, **(values | changes))
