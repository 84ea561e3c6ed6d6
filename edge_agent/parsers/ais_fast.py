"""The same as the layouts of types 1 to 5, 11 and 18 say, for messages of full length, written out.

These are nine of ten messages; a table costs three times as much. Values come from look-up tables made by the readers
of ``ais_values``, so that a code means the same in both; a property test compares both on any bits.

*Source:* ITU-R M.1371-5 annex 8, tables 48, 51, 52, 69 (bit positions); docs/adr/0013.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from contracts.payloads import Ais, AisStation, FieldValue
from edge_agent.parsers import ais_values as values
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_bits import six_bit_text, text


class FastReader(NamedTuple):
    """Reader of one type's messages of one length."""

    size_bits: int
    read: Callable[[int, int, AisMessage], Ais]


_FIRST_SHIP, _SHIPS_END = 201_000_000, 776_000_000
_LON_SIGN, _LON_SPAN = 0x8000000, 0x10000000
_LAT_SIGN, _LAT_SPAN = 0x4000000, 0x8000000
_LON_LAST, _LAT_LAST = 108_000_000, 54_000_000
_LAST_PLAIN_SECOND = 60
_NO_RATE = (0x7F, 0x81)

_SOG = tuple(values.sog_tenths(raw) for raw in range(1 << 10))
_COG = tuple(values.cog_tenths(raw) for raw in range(1 << 12))
_HEADING = tuple(values.heading(raw) for raw in range(1 << 9))
_SECOND = tuple(values.utc_second(raw) for raw in range(1 << 6))
_STATUS = tuple(values.nav_status(raw) for raw in range(1 << 4))
_SHIP_TYPE = tuple(values.ship_type(raw) for raw in range(1 << 8))
_DRAUGHT = tuple(values.draught(raw) for raw in range(1 << 8))
_MONTH = tuple(values.month(raw) for raw in range(1 << 4))
_DAY = tuple(values.day(raw) for raw in range(1 << 5))
_HOUR = tuple(values.hour(raw) for raw in range(1 << 5))
_MINUTE = tuple(values.minute(raw) for raw in range(1 << 6))


def class_a_position(value: int, msg_type: int, message: AisMessage) -> Ais:
    """Types 1, 2, 3 of 168 bits. *Source:* M.1371-5 table 48."""
    mmsi = value >> 130 & 0x3FFFFFFF
    station, form = AisStation.CLASS_A, None
    if not _FIRST_SHIP <= mmsi < _SHIPS_END:
        station, form = values.sender(msg_type, mmsi)
    lon_deg, lat_deg = _position(value >> 79 & 0xFFFFFFF, value >> 52 & 0x7FFFFFF)
    tail = value & 0xFFFFFFFFFF
    second, turn = tail >> 25 & 63, value >> 118 & 0xFF
    other: dict[str, FieldValue] = {
        "repeat": value >> 160 & 3,
        "maneuver": (tail >> 23 & 3) or None,
        "raim": tail >> 19 & 1 == 1,
        "radio": tail & 0x7FFFF,
    }
    if second > _LAST_PLAIN_SECOND:
        other["position_mode"] = values.position_mode(second)
    if turn in _NO_RATE:
        other["turning"] = "right" if turn == _NO_RATE[0] else "left"
    # by position: three of four messages are of this kind, and names would cost a tenth of reading one
    return Ais(
        msg_type,
        mmsi,
        station,
        form,
        message.talker,
        message.is_own,
        message.channel,
        lon_deg,
        lat_deg,
        _SOG[value >> 108 & 0x3FF],
        _COG[value >> 40 & 0xFFF],
        _HEADING[tail >> 31],
        values.RATES_OF_TURN[turn],
        _STATUS[value >> 126 & 15],
        _SECOND[second],
        value >> 107 & 1 == 1,
        other=other,
        receiver=message.receiver,
        heard_at_ns=message.heard_ns,
    )


def base_report(value: int, msg_type: int, message: AisMessage) -> Ais:
    """Types 4 and 11 of 168 bits. *Source:* M.1371-5 table 51."""
    mmsi = value >> 130 & 0x3FFFFFFF
    station, form = values.sender(msg_type, mmsi)
    lon_deg, lat_deg = _position(value >> 61 & 0xFFFFFFF, value >> 34 & 0x7FFFFFF)
    time = value >> 90 & 0xFFFFFFFFFF
    year = time >> 26
    other: dict[str, FieldValue] = {
        "repeat": value >> 160 & 3,
        "year": year if 1 <= year <= values.LAST_YEAR else None,
        "month": _MONTH[time >> 22 & 15],
        "day": _DAY[time >> 17 & 31],
        "hour": _HOUR[time >> 12 & 31],
        "minute": _MINUTE[time >> 6 & 63],
        "epfd": (value >> 30 & 15) or None,
        "raim": value >> 19 & 1 == 1,
        "radio": value & 0x7FFFF,
    }
    return Ais(
        msg_type=msg_type,
        mmsi=mmsi,
        station=station,
        mmsi_class=form,
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        receiver=message.receiver,
        heard_at_ns=message.heard_ns,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utc_second=_SECOND[time & 63],
        is_position_accurate=value >> 89 & 1 == 1,
        other=other,
    )


def class_b_position(value: int, msg_type: int, message: AisMessage) -> Ais:
    """Type 18 of 168 bits. *Source:* M.1371-5 table 69."""
    mmsi = value >> 130 & 0x3FFFFFFF
    station, form = AisStation.CLASS_B, None
    if not _FIRST_SHIP <= mmsi < _SHIPS_END:
        station, form = values.sender(msg_type, mmsi)
    lon_deg, lat_deg = _position(value >> 83 & 0xFFFFFFF, value >> 56 & 0x7FFFFFF)
    tail = value & 0xFFFFFFFFFFF
    second = tail >> 29 & 63
    other: dict[str, FieldValue] = {
        "repeat": value >> 160 & 3,
        "cs": tail >> 26 & 1 == 1,
        "display": tail >> 25 & 1 == 1,
        "dsc": tail >> 24 & 1 == 1,
        "band": tail >> 23 & 1 == 1,
        "msg22": tail >> 22 & 1 == 1,
        "assigned": tail >> 21 & 1 == 1,
        "raim": tail >> 20 & 1 == 1,
        "radio": tail & 0xFFFFF,
    }
    if second > _LAST_PLAIN_SECOND:
        other["position_mode"] = values.position_mode(second)
    return Ais(
        msg_type=msg_type,
        mmsi=mmsi,
        station=station,
        mmsi_class=form,
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        receiver=message.receiver,
        heard_at_ns=message.heard_ns,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        sog_kn=_SOG[value >> 112 & 0x3FF],
        cog_deg=_COG[value >> 44 & 0xFFF],
        heading_deg=_HEADING[tail >> 35],
        utc_second=_SECOND[second],
        is_position_accurate=value >> 111 & 1 == 1,
        other=other,
    )


def class_a_static(value: int, msg_type: int, message: AisMessage) -> Ais:
    """Type 5 of 424 bits. *Source:* M.1371-5 table 52."""
    mmsi = value >> 386 & 0x3FFFFFFF
    station, form = AisStation.CLASS_A, None
    if not _FIRST_SHIP <= mmsi < _SHIPS_END:
        station, form = values.sender(msg_type, mmsi)
    imo = value >> 354 & 0x3FFFFFFF
    names = six_bit_text(value >> 192 & ((1 << 162) - 1), 162)
    middle = value >> 122 & ((1 << 70) - 1)
    other: dict[str, FieldValue] = {
        "repeat": value >> 416 & 3,
        "ais_version": value >> 384 & 3,
        "epfd": (middle >> 28 & 15) or None,
        "dte": value >> 1 & 1 == 1,
    }
    if (number := values.flag_state_number(imo)) is not None:
        other["flag_state_number"] = number
    outline = _outline(middle >> 32, other)
    return Ais(
        msg_type=msg_type,
        mmsi=mmsi,
        station=station,
        mmsi_class=form,
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        receiver=message.receiver,
        heard_at_ns=message.heard_ns,
        name=text(names[7:]),
        callsign=text(names[:7]),
        imo=values.imo_number(imo),
        ship_type=_SHIP_TYPE[middle >> 62],
        draught_m=_DRAUGHT[middle & 0xFF],
        destination=text(six_bit_text(value >> 2 & ((1 << 120) - 1), 120)),
        eta_month=_MONTH[middle >> 24 & 15],
        eta_day=_DAY[middle >> 19 & 31],
        eta_hour=_HOUR[middle >> 14 & 31],
        eta_minute=_MINUTE[middle >> 8 & 63],
        other=other,
        **outline,
    )


def _position(lon: int, lat: int) -> tuple[float | None, float | None]:
    if lon & _LON_SIGN:
        lon -= _LON_SPAN
    if lat & _LAT_SIGN:
        lat -= _LAT_SPAN
    if -_LON_LAST <= lon <= _LON_LAST and -_LAT_LAST <= lat <= _LAT_LAST:
        # raw / 600,000 to six decimals in whole numbers: a third of the time of round(), and the same for every raw
        return ((10 * lon + 3) // 6) / 1e6, ((10 * lat + 3) // 6) / 1e6
    return None, None


def _outline(bits: int, other: dict[str, FieldValue]) -> dict[str, Any]:
    known: dict[str, Any] = values.dimensions(bits >> 21 & 0x1FF, bits >> 12 & 0x1FF, bits >> 6 & 63, bits & 63)
    if "length_m" in known:
        other.update(known)
        return {}
    return known


FAST: dict[int, FastReader] = {
    **dict.fromkeys((1, 2, 3), FastReader(168, class_a_position)),
    **dict.fromkeys((4, 11), FastReader(168, base_report)),
    5: FastReader(424, class_a_static),
    18: FastReader(168, class_b_position),
}
"""Reader of each type that has one."""
