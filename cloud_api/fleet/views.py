"""A gateway as the API and the live wire show it, from its last report."""

from pydantic import BaseModel, ConfigDict, Field

from cloud_api.accounting.views import Balance, describe_balance
from cloud_api.live.models import NS_PER_S, GatewayState
from cloud_api.sensors.models import ClockQuality
from cloud_api.timestamps import format_utc


class GatewaySource(BaseModel):
    """One driver of a gateway."""

    model_config = ConfigDict(frozen=True)

    source: str
    kind: str
    place: str | None
    state: str = Field(description="starting, running, backoff or stopped")
    last_record_at: str | None = Field(description="UTC, by the gateway's clock; null before the first record")
    records: int = Field(description="records since the gateway started")
    restarts: int = Field(description="restarts since the gateway started")
    rejected: dict[str, int] = Field(description="rejected input by reason")
    last_error: str


class Gateway(BaseModel):
    """One gateway."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="{site}/{gateway}")
    site: str
    gateway: str
    is_online: bool = Field(description="a status came in the last 10 s")
    last_seen_at: str = Field(description="UTC, by this server's clock")
    age_s: float = Field(description="age of the last status, s")
    software: str
    started_at: str = Field(description="UTC, by the gateway's clock")
    clock: ClockQuality
    clock_offset_ms: float | None = Field(description="gateway's clock less this server's, ms, travel included")
    buffered_records: int = Field(description="records on the gateway's disk without a receipt")
    buffered_bytes: int
    oldest_unacknowledged_s: float | None = Field(description="age of the oldest of them when it was reported, s")
    quarantined_batches: int
    headroom_s: float | None = Field(description="until its store is full at the present rate, s; null if not known")
    is_volatile: bool = Field(description="keeps new records in memory only, because its disk does not take them")
    sources: list[GatewaySource]
    balance: Balance | None = Field(description="what it produced and where that is; null before it was judged")


class GatewayList(BaseModel):
    """All gateways."""

    items: list[Gateway]
    at: str = Field(description="UTC time of the answer")


def describe_gateway(state: GatewayState, now_ns: int) -> Gateway:
    """Return a gateway as the API and the live wire show it.

    Args:
        state: from the live picture.
        now_ns: UTC ns that its age is computed at.
    """
    status = state.status
    return Gateway(
        id=state.id,
        site=status.site,
        gateway=status.gateway,
        is_online=state.is_online(now_ns),
        last_seen_at=format_utc(state.seen_at_ns),
        age_s=round(max(0, now_ns - state.seen_at_ns) / NS_PER_S, 3),
        software=status.software,
        started_at=format_utc(status.started_at_ns),
        clock=ClockQuality(state=status.clock.state.value, error_ms=status.clock.error_ms),
        clock_offset_ms=None if state.clock_offset_ms is None else round(state.clock_offset_ms, 3),
        buffered_records=sum(stream.buffered_records for stream in status.streams),
        buffered_bytes=sum(stream.buffered_bytes for stream in status.streams),
        oldest_unacknowledged_s=status.oldest_unacknowledged_s,
        quarantined_batches=status.quarantined_batches,
        headroom_s=status.headroom_s,
        is_volatile=status.is_volatile,
        sources=[
            GatewaySource(
                source=source.source,
                kind=source.kind,
                place=source.place,
                state=source.state,
                last_record_at=None if source.last_record_at_ns is None else format_utc(source.last_record_at_ns),
                records=source.records,
                restarts=source.restarts,
                rejected=source.rejected,
                last_error=source.last_error,
            )
            for source in status.sources
        ],
        balance=None if state.standing is None else describe_balance(state.standing),
    )
