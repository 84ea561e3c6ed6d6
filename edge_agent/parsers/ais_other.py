"""The messages that stations, aircraft and aids to navigation send, and those that only manage the radio link.

Link management has no attributes of its own in ``Ais``: its fields go to ``other`` by their names in pyais (and gpsd).
"""

from typing import Any

from contracts.payloads import Ais, FieldValue
from edge_agent.parsers import ais_values as values
from edge_agent.parsers.ais_assembly import AisMessage

_ALTITUDE_NOT_AVAILABLE = 4095
_SECONDS = 60
_FULL_NAME_CHARS = 20
_NONE_WHEN_ZERO = frozenset({"mmsi2", "mmsi3", "mmsi4", "type1_2", "type2_1"})
"""Optional second to fourth stations and requests; zero: there is none (M.1371-5 tables 53, 60, 62)."""

_HEAD = frozenset({"msg_type", "mmsi"})
_NAMES: dict[type, list[str]] = {}


def base_report(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - pyais builds its classes at run time
    """Types 4 and 11; the UTC date and time are in ``other``. *Source:* M.1371-5 table 51."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    return _ais(
        msg,
        message,
        {
            "repeat": msg.repeat,
            "year": msg.year or None,
            "month": msg.month or None,
            "day": msg.day or None,
            "hour": values.below(msg.hour, 24),
            "minute": values.below(msg.minute, 60),
            "epfd": msg.epfd or None,
            "raim": msg.raim,
            "radio": msg.radio,
        },
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utc_second=values.utc_second(msg.second),
        is_position_accurate=msg.accuracy,
    )


def aircraft_position(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 9; ``alt`` in metres, 4,094 is that or higher. *Source:* M.1371-5 table 56."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    return _ais(
        msg,
        message,
        {
            "repeat": msg.repeat,
            "alt": values.below(msg.alt, _ALTITUDE_NOT_AVAILABLE),
            "dte": msg.dte,
            "assigned": msg.assigned,
            "raim": msg.raim,
            "radio": msg.radio,
            "position_mode": values.position_mode(msg.second),
        },
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=values.aircraft_speed(msg.speed),
        cog_deg=values.course(msg.course),
        utc_second=values.utc_second(msg.second),
        is_position_accurate=msg.accuracy,
    )


def corrections(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 17; position in tenths of minutes, ``data`` as hexadecimal. *Source:* M.1371-5 table 67."""
    lon_deg, lat_deg = _coarse_position(msg.lon, msg.lat)
    other: dict[str, FieldValue] = {"repeat": msg.repeat, "data": values.plain(msg.data)}
    return _ais(msg, message, other, lon_deg=lon_deg, lat_deg=lat_deg)


def long_range_position(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 27: a position rounded to 0.1 minute, never to replace a finer one. *Source:* M.1371-5 table 79."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    return _ais(
        msg,
        message,
        {"repeat": msg.repeat, "raim": msg.raim, "gnss": msg.gnss},
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=values.long_range_speed(msg.speed),
        cog_deg=values.course(msg.course),
        nav_status=values.nav_status(msg.status),
        is_position_accurate=msg.accuracy,
    )


def aid_to_navigation(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 21; ``off_position`` counts only with a second of 0 to 59. *Source:* M.1371-5 table 72."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    is_timed = msg.second is not None and msg.second < _SECONDS
    outline: dict[str, Any] = values.dimensions(msg.to_bow, msg.to_stern, msg.to_port, msg.to_starboard)
    other: dict[str, FieldValue] = {
        "repeat": msg.repeat,
        "aid_type": msg.aid_type or None,
        "epfd": msg.epfd or None,
        "off_position": msg.off_position if is_timed else None,
        "raim": msg.raim,
        "virtual_aid": msg.virtual_aid,
        "assigned": msg.assigned,
        "position_mode": values.position_mode(msg.second),
    }
    if "length_m" in outline:
        other |= outline
        outline = {}
    return _ais(
        msg,
        message,
        other,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utc_second=values.utc_second(msg.second),
        is_position_accurate=msg.accuracy,
        name=_extended_name(msg.name, msg.name_ext),
        **outline,
    )


def _extended_name(name: str | None, extension: str | None) -> str | None:
    """Join a name of 20 characters (the last may be a space) with its extension; a shorter one has none."""
    if name is None or not extension or len(name) < _FULL_NAME_CHARS - 1:
        return values.text(name)
    return values.text(name.ljust(_FULL_NAME_CHARS) + extension)


def aid_to_navigation_draft(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 28, a draft: its position and time are read, the rest is passed on. *Source:* IALA G1175."""
    lon_deg, lat_deg = values.position(msg.lon, msg.lat)
    other = {name: value for name, value in _fields(msg).items() if name not in ("lon", "lat", "second")}
    return _ais(msg, message, other, lon_deg=lon_deg, lat_deg=lat_deg, utc_second=values.utc_second(msg.second))


def area_command(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Types 22 and 23; corners of the area in degrees. *Source:* M.1371-5 tables 73, 74."""
    other = {name: value for name, value in _fields(msg).items() if not name.startswith("empty")}
    if hasattr(msg, "ne_lon"):
        other["ne_lon"], other["ne_lat"] = _coarse_position(msg.ne_lon, msg.ne_lat)
        other["sw_lon"], other["sw_lat"] = _coarse_position(msg.sw_lon, msg.sw_lat)
    return _ais(msg, message, other)


def link_management(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Type 20; a reservation with offset 0 is not there. *Source:* M.1371-5 table 71."""
    other = _fields(msg)
    for index in "1234":
        if not other[f"offset{index}"]:
            other |= dict.fromkeys((f"{name}{index}" for name in ("offset", "number", "timeout", "increment")), None)
    return _ais(msg, message, other)


def anything(msg: Any, message: AisMessage) -> Ais:  # noqa: ANN401 - see above
    """Acknowledgements, inquiries, assignments, texts and free binary data: all fields in ``other``."""
    other = _fields(msg)
    for name in _NONE_WHEN_ZERO & other.keys():
        other[name] = other[name] or None
    return _ais(msg, message, other)


def _ais(msg: Any, message: AisMessage, other: dict[str, FieldValue], **known: Any) -> Ais:  # noqa: ANN401 - see above
    return Ais(
        msg_type=msg.msg_type,
        mmsi=msg.mmsi,
        station=values.station(msg.msg_type, msg.mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        other=other,
        **known,
    )


def _fields(msg: Any) -> dict[str, FieldValue]:  # noqa: ANN401 - see above
    kind = type(msg)
    names = _NAMES.get(kind)
    if names is None:
        names = [
            field.name for field in kind.fields() if not field.metadata["is_spare"] and field.name not in _HEAD
        ]  # fmt: skip
        _NAMES[kind] = names
    return {name: values.plain(getattr(msg, name)) for name in names}


def _coarse_position(lon_min: float | None, lat_min: float | None) -> tuple[float | None, float | None]:
    if lon_min is None or lat_min is None:
        return None, None
    return values.position(round(lon_min / 60, 6), round(lat_min / 60, 6))
