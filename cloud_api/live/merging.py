"""How one AIS message changes what is known of its sender. Sans-io.

Each position kind, each static field and the station is a register that keeps the newest value by ``Order``; so the
order of arrival never matters. A value that is not available never replaces a known static one; a position report
replaces the older one whole, so that no old heading is shown beside a new position.

*Source:* ITU-R M.1371-5, annex 8: position in types 1-4, 9, 11, 18, 19, 21, 27; static data in 5, 19, 21, 24A, 24B.
"""

from cloud_api.live.intervals import LONG_RANGE_TYPE
from cloud_api.live.models import STATIC_FIELDS, Order, Origin, Position, Target
from cloud_api.live.wire import pack_target
from contracts.payloads import Ais, AisStation

POSITION_TYPES = frozenset({1, 2, 3, 4, 9, 11, 18, 19, 21, 27})
"""Types whose position is the sender's own. Others (17, 22, 23) carry positions of something else."""
MAX_MMSI = 999_999_999
"""Nine digits: what claims more names no ship."""

STATIC_TYPES = frozenset({5, 19, 21, 24})


def merge(target: Target, ais: Ais, order: Order, origin: Origin, tick: int) -> bool:
    """Merge one message into its sender's target.

    Args:
        target: of the same MMSI; changed in place.
        ais: the message.
        order: its place among all observations.
        origin: where it came from.
        tick: the tick that changes belong to.

    Returns:
        whether anything that a reader can see has changed.
    """
    if target.heard is None or order > target.heard:
        target.heard, target.heard_from = order, origin
    has_static = ais.msg_type in STATIC_TYPES and _merge_static(target, ais, order)
    has_station = _merge_station(target, ais, order)
    before = target.position
    if ais.msg_type in POSITION_TYPES and ais.lon_deg is not None and ais.lat_deg is not None:
        _merge_position(target, Position(
            order, origin, ais.msg_type, ais.lon_deg, ais.lat_deg,
            ais.sog_kn, ais.cog_deg, ais.heading_deg, ais.nav_status,
        ))  # fmt: skip
    has_moved = target.position is not before
    if has_moved or (has_station and target.position is not None):
        _pack(target)
        target.position_tick = tick
    if has_static:
        target.static_tick = tick
        target.static_json = None
    return has_static or has_station or has_moved


def _merge_position(target: Target, position: Position) -> None:
    if position.msg_type == LONG_RANGE_TYPE:
        if target.coarse is None or position.order > target.coarse.order:
            target.coarse = position
    elif target.precise is None or position.order > target.precise.order:
        target.precise = position


def _merge_static(target: Target, ais: Ais, order: Order) -> bool:
    has_changed = False
    for name in STATIC_FIELDS:
        value = _mothership(ais) if name == "mothership_mmsi" else getattr(ais, name)
        if value is None:
            continue
        known = target.static.get(name)
        if known is None or order > known[0]:
            target.static[name] = (order, value)
            has_changed = has_changed or known is None or known[1] != value
    return has_changed


def _mothership(ais: Ais) -> int | None:
    # an auxiliary craft (98…) sends its mother ship's MMSI in part B of type 24, in place of its outline
    mmsi = ais.other.get("mothership_mmsi")
    return mmsi if isinstance(mmsi, int) and 0 < mmsi <= MAX_MMSI else None


def _merge_station(target: Target, ais: Ais, order: Order) -> bool:
    if ais.station is AisStation.UNKNOWN:
        return False
    # class A and class B ships both send type 27: what it says of the station yields to every other type
    ranked = (0 if ais.msg_type == LONG_RANGE_TYPE else 1, order)
    if target.station_order is not None and ranked <= target.station_order:
        return False
    target.station_order = ranked
    has_changed = target.station is not ais.station
    target.station = ais.station
    return has_changed


def _pack(target: Target) -> None:
    at = target.position
    if at is not None:
        target.row = pack_target(
            target.mmsi,
            at.lon_deg,
            at.lat_deg,
            at.order.observed_at_ns,
            sog_kn=at.sog_kn,
            cog_deg=at.cog_deg,
            heading_deg=at.heading_deg,
            nav_status=at.nav_status,
            station=target.station,
        )
