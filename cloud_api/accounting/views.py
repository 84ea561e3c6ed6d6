"""The balance of gateways and streams as the API and the live wire show it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud_api.accounting.models import GatewayStanding, StreamStanding
from cloud_api.timestamps import format_utc
from cloud_api.web.parameters import Parameters, Whole

MAX_STREAMS = 200
"""Streams shown a gateway, those with an alarm first: five, and five more for each store that it has lost."""
MAX_REASONS = 32
"""Reasons shown; there are ten, and a newer gateway may know some more. The sum is always of all."""
VERDICTS = "unknown, whole, buffered, went_back, vanished or missing, the worst last; the last three are alarms"


class Balance(BaseModel):
    """What a gateway produced, and where it is: see docs/accounting.md."""

    model_config = ConfigDict(frozen=True)

    verdict: str = Field(description=VERDICTS)
    since: str | None = Field(description="UTC time since when an alarm stands")
    produced: int = Field(description="records produced, as far as known")
    received: int = Field(description="records stored here")
    buffered: int = Field(description="records that the gateway still holds, or that are on their way")
    declared: dict[str, int] = Field(description="records declared lost, by reason")
    kept_elsewhere: int = Field(description="records that came under another stream instead: no loss")
    declared_at: str | None = Field(description="UTC time at which declared losses were last seen to grow")
    missing: int = Field(description="records of an alarm: nobody has them")


class NumberRange(BaseModel):
    """Sequence numbers, both included."""

    first_seq: int
    last_seq: int


class StreamBalance(BaseModel):
    """The balance of one stream."""

    stream_id: str
    record_class: str
    verdict: str = Field(description=VERDICTS)
    since: str | None = Field(description="UTC time since when an alarm stands")
    produced: int
    received: int
    buffered: int
    declared: dict[str, int]
    kept_elsewhere: int
    unexplained: int = Field(description="numbers that nobody has, under suspicion or of an alarm")
    ranges: list[NumberRange] = Field(description="the lowest of them, at most 20")
    lag_records: int = Field(description="numbers that are not here: buffered and unexplained")
    reported_at: str | None = Field(description="UTC time of the report that it is judged by")


class GatewayAccount(Balance):
    """The balance of one gateway with its streams."""

    id: str = Field(description="{site}/{gateway}")
    site: str
    gateway: str
    streams: list[StreamBalance] = Field(description="at most 200, those with an alarm first")
    streams_left_out: int


class Accounting(BaseModel):
    """Gateways by id, one page."""

    items: list[GatewayAccount]
    next: str | None = Field(description="give it as `after` for the next page; null where there is none")
    looked_at: str | None = Field(description="UTC time of the judgement; null before the first")


class AccountingQuery(Parameters):
    """Which gateways."""

    limit: Whole = Field(default=100, ge=1, le=500, description="gateways a page")
    after: str | None = Field(default=None, max_length=81, description="id of the last gateway of the page before")
    gateway: str | None = Field(default=None, max_length=81, description="only this one, {site}/{gateway}")
    alarms: Literal["true", "false"] = Field(default="false", description="true shows only gateways with an alarm")


def describe_balance(standing: GatewayStanding) -> Balance:
    """Return the balance of a gateway without its streams."""
    return Balance(**_balance(standing))


def describe_account(standing: GatewayStanding) -> GatewayAccount:
    """Return the balance of a gateway with its streams."""
    site, gateway = standing.id.split("/", 1)
    streams = sorted(standing.streams, key=lambda one: (not one.verdict.is_alarm, one.stream_id))
    return GatewayAccount(
        **_balance(standing),
        id=standing.id,
        site=site,
        gateway=gateway,
        streams=[_stream(one) for one in streams[:MAX_STREAMS]],
        streams_left_out=max(0, len(streams) - MAX_STREAMS),
    )


def _balance(standing: GatewayStanding) -> dict[str, object]:
    return {
        "verdict": standing.verdict.value,
        "since": _time(standing.since_ns),
        "produced": standing.produced,
        "received": standing.received,
        "buffered": standing.buffered,
        "declared": dict(sorted(standing.declared.items())[:MAX_REASONS]),
        "kept_elsewhere": standing.kept_elsewhere,
        "declared_at": _time(standing.declared_at_ns),
        "missing": standing.missing,
    }


def _stream(one: StreamStanding) -> StreamBalance:
    return StreamBalance(
        stream_id=one.stream_id,
        record_class=one.stream_id.rsplit(".", 1)[-1],
        verdict=one.verdict.value,
        since=_time(one.since_ns),
        produced=one.produced,
        received=one.received,
        buffered=one.buffered,
        declared=dict(sorted(one.declared.items())[:MAX_REASONS]),
        kept_elsewhere=one.kept_elsewhere,
        unexplained=one.unexplained,
        ranges=[NumberRange(first_seq=item.first_seq, last_seq=item.last_seq) for item in one.ranges],
        lag_records=one.buffered + one.unexplained,
        reported_at=_time(one.heard_ns),
    )


def _time(ns: int | None) -> str | None:
    return None if ns is None else format_utc(ns)
