"""What the live picture holds of a target, a sensor and a gateway."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cloud_api.accounting.models import GatewayStanding
from cloud_api.live.intervals import GATEWAY_ONLINE_S, SENSOR_STALE_S, expire_after_s, stale_after_s
from cloud_api.live.partial_states import FieldTimes
from cloud_api.live.wire import TargetRow
from contracts.health import GatewayStatus
from contracts.payloads import (
    AisStation,
    BerthSample,
    CraneSample,
    Depth,
    GnssFix,
    Transducer,
    WaterLevel,
    WaterSpeed,
    Weather,
    Wind,
)
from contracts.radar import RadarDisplay
from contracts.records import Clock

NS_PER_S = 1_000_000_000
LONG_RANGE_HOLD_NS = 180 * NS_PER_S
"""A long-range position (type 27, 185 m coarse) waits until the last precise one is older than this."""

SensorPayload = (
    Wind | Weather | WaterLevel | Depth | GnssFix | CraneSample | BerthSample | WaterSpeed | Transducer | RadarDisplay
)

STATIC_FIELDS = (
    "name",
    "callsign",
    "imo",
    "ship_type",
    "to_bow_m",
    "to_stern_m",
    "to_port_m",
    "to_starboard_m",
    "draught_m",
    "destination",
    "mothership_mmsi",
)
StaticValue = int | float | str


class Order(NamedTuple):
    """Total order of observations: time observed, then place in the stream, then the stream."""

    observed_at_ns: int
    seq: int
    stream_id: str


class Origin(NamedTuple):
    """Where an observation came from."""

    site: str
    gateway: str
    source: str


@dataclass(frozen=True, slots=True)
class Position:
    """One position report; units as ``contracts.payloads.Ais``."""

    order: Order
    origin: Origin
    msg_type: int
    lon_deg: float
    lat_deg: float
    sog_kn: float | None
    cog_deg: float | None
    heading_deg: int | None
    nav_status: int | None


@dataclass(slots=True)
class Target:
    """The latest of one MMSI.

    Attributes:
        precise: newest position of any type but 27.
        coarse: newest position of type 27.
        static: latest known value of each static field, with the order of the message that said it.
        station: kind of sender; ``station_order`` of the message that said it, with a rank before it.
        heard: newest message of any kind, and ``heard_from`` its origin.
        row: what the columns of the live wire carry, while there is a position.
        position_tick: tick of the last change of the row.
        static_tick: tick of the last change of the static data.
        expires_at_ns: UTC ns at which it leaves the picture, if it is not heard again.
        static_json: the static data as the live wire carries them, made when first asked for.
    """

    mmsi: int
    precise: Position | None = None
    coarse: Position | None = None
    static: dict[str, tuple[Order, StaticValue]] = field(default_factory=dict)
    station: AisStation = AisStation.UNKNOWN
    station_order: tuple[int, Order] | None = None
    heard: Order | None = None
    heard_from: Origin | None = None
    row: TargetRow | None = None
    position_tick: int = 0
    static_tick: int = 0
    expires_at_ns: int = 0
    static_json: bytes | None = None

    @property
    def position(self) -> Position | None:
        """The position to show: the precise one until a long-range one is three minutes newer."""
        if self.precise is None or self.coarse is None:
            return self.precise or self.coarse
        newer_ns = self.coarse.order.observed_at_ns - self.precise.order.observed_at_ns
        return self.coarse if newer_ns > LONG_RANGE_HOLD_NS else self.precise

    @property
    def observed_at_ns(self) -> int:
        """UTC ns of the position; without one, of the newest message."""
        order = self.position.order if self.position else self.heard
        return order.observed_at_ns if order else 0

    @property
    def origin(self) -> Origin:
        """Where the position came from; without one, the newest message."""
        origin = self.position.origin if self.position else self.heard_from
        return origin or Origin("", "", "")

    def static_values(self) -> dict[str, StaticValue]:
        """Return the static fields that are known."""
        return {name: value for name, (_, value) in self.static.items()}

    def stale_after_s(self) -> float:
        """Return the age at which this target's last word is stale, s."""
        at = self.position
        if at is None:
            return stale_after_s(self.station, None, None)
        return stale_after_s(self.station, at.sog_kn, at.nav_status, at.msg_type)

    def expire_after_s(self) -> float:
        """Return the age at which this target leaves the picture, s."""
        at = self.position
        if at is None:
            return expire_after_s(self.station, 0.0, None)
        return expire_after_s(self.station, at.sog_kn, at.nav_status)


@dataclass(slots=True)
class SensorState:
    """The latest of one fixed sensor."""

    id: str
    kind: str
    order: Order
    origin: Origin
    place: str | None
    clock: Clock
    payload: SensorPayload
    was_stale: bool = False
    field_times: FieldTimes = field(default_factory=FieldTimes, compare=False)

    def is_stale(self, now_ns: int) -> bool:
        """Tell whether its value is too old to be believed."""
        return now_ns - self.order.observed_at_ns > SENSOR_STALE_S[self.kind] * NS_PER_S


@dataclass(slots=True)
class GatewayState:
    """The latest report of one gateway.

    Attributes:
        id: ``{site}/{gateway}``.
        status: the report.
        seen_at_ns: UTC ns of this server when it arrived.
        clock_offset_ms: its clock less ours, ms; None is unknown.
        standing: the balance of what it produced, as readers know it; None before it was judged.
        next_standing: a newer one that travels with the next report.
    """

    id: str
    status: GatewayStatus
    seen_at_ns: int
    clock_offset_ms: float | None = None
    was_online: bool = True
    standing: GatewayStanding | None = None
    next_standing: GatewayStanding | None = None

    def is_online(self, now_ns: int) -> bool:
        """Tell whether a report arrived in the last 10 s."""
        return now_ns - self.seen_at_ns <= GATEWAY_ONLINE_S * NS_PER_S


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reader has to be told to stand at ``tick``; a snapshot replaces everything it knew."""

    tick: int
    is_snapshot: bool
    rows: Sequence[TargetRow]
    statics: Sequence[Target]
    gone: Sequence[int]
    sensors: Sequence[SensorState]
    gone_sensors: Sequence[str]
    gateways: Sequence[GatewayState]
