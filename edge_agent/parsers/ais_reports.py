"""The messages that ships send: types 1 to 3, 5, 18, 19 and 24.

Written out field by field: these are nine of ten messages, and a table would cost a third of the decoder's speed.
"""

from typing import Any

from contracts.payloads import Ais, FieldValue
from edge_agent.parsers import ais_values as values
from edge_agent.parsers.ais_assembly import AisMessage

_ETA_HOURS = 24
_ETA_MINUTES = 60
_LAST_PLAIN_SECOND = 60


def class_a_position(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - pyais builds its classes at run time
    """Types 1, 2, 3. *Source:* M.1371-5 table 48."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    second = msg.second
    other: dict[str, FieldValue] = {
        "repeat": msg.repeat,
        "maneuver": int(msg.maneuver or 0) or None,
        "raim": msg.raim,
        "radio": msg.radio,
    }
    if second is not None and second > _LAST_PLAIN_SECOND:
        other["position_mode"] = values.position_mode(second)
    side = values.turning(msg.turn)
    if side is not None:
        other["turning"] = side
    return Ais(
        msg_type=msg.msg_type,
        mmsi=msg.mmsi,
        station=values.station(msg.msg_type, msg.mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=values.speed(msg.speed),
        cog_deg=values.course(msg.course),
        heading_deg=values.heading(msg.heading),
        rot_deg_min=values.rate_of_turn(msg.turn),
        nav_status=values.nav_status(msg.status),
        utc_second=values.utc_second(second),
        is_position_accurate=msg.accuracy,
        other=other,
    )


def class_b_position(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 18. *Source:* M.1371-5 table 69."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    other: dict[str, FieldValue] = {
        "repeat": msg.repeat,
        "cs": msg.cs,
        "display": msg.display,
        "dsc": msg.dsc,
        "band": msg.band,
        "msg22": msg.msg22,
        "assigned": msg.assigned,
        "raim": msg.raim,
        "radio": msg.radio,
    }
    if msg.second is not None and msg.second > _LAST_PLAIN_SECOND:
        other["position_mode"] = values.position_mode(msg.second)
    return Ais(
        msg_type=18,
        mmsi=msg.mmsi,
        station=values.station(18, msg.mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=values.speed(msg.speed),
        cog_deg=values.course(msg.course),
        heading_deg=values.heading(msg.heading),
        utc_second=values.utc_second(msg.second),
        is_position_accurate=msg.accuracy,
        other=other,
    )


def class_b_extended(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 19. *Source:* M.1371-5 table 70."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    other: dict[str, FieldValue] = {
        "repeat": msg.repeat,
        "epfd": msg.epfd or None,
        "dte": msg.dte,
        "assigned": msg.assigned,
        "raim": msg.raim,
    }
    if msg.second is not None and msg.second > _LAST_PLAIN_SECOND:
        other["position_mode"] = values.position_mode(msg.second)
    outline = _outline(msg, other)
    return Ais(
        msg_type=19,
        mmsi=msg.mmsi,
        station=values.station(19, msg.mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=values.speed(msg.speed),
        cog_deg=values.course(msg.course),
        heading_deg=values.heading(msg.heading),
        utc_second=values.utc_second(msg.second),
        is_position_accurate=msg.accuracy,
        name=values.text(msg.shipname),
        ship_type=values.ship_type(msg.ship_type),
        other=other,
        **outline,
    )


def class_a_static(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 5. *Source:* M.1371-5 table 52."""
    other: dict[str, FieldValue] = {
        "repeat": msg.repeat,
        "ais_version": msg.ais_version,
        "epfd": msg.epfd or None,
        "dte": msg.dte,
    }
    flag_state_number = values.flag_state_number(msg.imo)
    if flag_state_number is not None:
        other["flag_state_number"] = flag_state_number
    outline = _outline(msg, other)
    return Ais(
        msg_type=5,
        mmsi=msg.mmsi,
        station=values.station(5, msg.mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        name=values.text(msg.shipname),
        callsign=values.text(msg.callsign),
        imo=values.imo_number(msg.imo),
        ship_type=values.ship_type(msg.ship_type),
        draught_m=values.above_zero(msg.draught),
        destination=values.text(msg.destination),
        eta_month=_one_to(msg.month, 12),
        eta_day=_one_to(msg.day, 31),
        eta_hour=values.below(msg.hour, _ETA_HOURS),
        eta_minute=values.below(msg.minute, _ETA_MINUTES),
        other=other,
        **outline,
    )


def class_b_static(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 24, each part a message by itself. *Source:* M.1371-5 tables 74, 75."""
    other: dict[str, FieldValue] = {"repeat": msg.repeat, "partno": msg.partno}
    head: dict[str, Any] = {
        "msg_type": 24,
        "mmsi": msg.mmsi,
        "station": values.station(24, msg.mmsi),
        "talker": message.talker,
        "is_own": message.is_own,
        "channel": message.channel,
        "other": other,
    }
    if not hasattr(msg, "vendorid"):  # part A, or cut before the part number
        return Ais(**head, name=values.text(msg.shipname))
    other |= {"vendorid": values.text(msg.vendorid), "model": msg.model, "serial": msg.serial}
    if hasattr(msg, "mothership_mmsi"):
        other["mothership_mmsi"] = msg.mothership_mmsi or None
        outline: dict[str, Any] = {}
    else:
        outline = _outline(msg, other)
    return Ais(**head, callsign=values.text(msg.callsign), ship_type=values.ship_type(msg.ship_type), **outline)


def _outline(msg: Any, other: dict[str, FieldValue]) -> dict[str, Any]:  # noqa: ANN401 - see above
    known: dict[str, Any] = values.dimensions(msg.to_bow, msg.to_stern, msg.to_port, msg.to_starboard)
    if "length_m" in known:
        other |= known
        return {}
    return known


def _one_to(value: int | None, last: int) -> int | None:
    return value if value is not None and 1 <= value <= last else None
