"""Values of AIS fields: every code that stands for "not available" becomes None, here and nowhere else.

*Source:* ITU-R M.1371-5 annex 8, tables 46 to 75; each function names its codes.
"""

from enum import Enum

from contracts.payloads import AisStation, FieldValue

_MINUTES_LON_MAX = 180.0
_MINUTES_LAT_MAX = 90.0
_SOG_MAX_KN = 102.25
_AIRCRAFT_SOG_MAX_KN = 1022
_LONG_RANGE_SOG_MAX_KN = 62
_COG_END_DEG = 360.0
_SECONDS = 60
_STATUS_NOT_DEFINED = 15
_IMO_FIRST, _IMO_LAST = 1_000_000, 9_999_999
_SIDES = {127: "right", -127: "left"}
_POSITION_MODES = {61: "manual", 62: "dead_reckoning", 63: "inoperative"}

_SURVIVAL_FORMS = frozenset({970, 972, 974})
_MID_DIGITS = 1_000_000
_COAST_STATION_END = 10_000_000
_SAR_AIRCRAFT_FORM = 111
_ATON_FORM = 99
_STATION_OF_TYPE: dict[int, AisStation] = (
    dict.fromkeys((1, 2, 3, 5), AisStation.CLASS_A)
    | dict.fromkeys((18, 19, 24), AisStation.CLASS_B)
    | dict.fromkeys((4, 16, 17, 20, 22, 23), AisStation.BASE)
    | dict.fromkeys((21, 28), AisStation.ATON)
    | {9: AisStation.SAR_AIRCRAFT}
)


def position(lon_deg: float | None, lat_deg: float | None) -> tuple[float | None, float | None]:
    """Return (longitude, latitude), both None if either is not available (181, 91) or impossible."""
    if lon_deg is None or lat_deg is None:
        return None, None
    if -_MINUTES_LON_MAX <= lon_deg <= _MINUTES_LON_MAX and -_MINUTES_LAT_MAX <= lat_deg <= _MINUTES_LAT_MAX:
        return lon_deg, lat_deg
    return None, None


def speed(sog_kn: float | None) -> float | None:
    """Speed over ground, kn; 102.3 is not available (102.2: that or more)."""
    return sog_kn if sog_kn is not None and sog_kn < _SOG_MAX_KN else None


def aircraft_speed(sog_kn: float | None) -> float | None:
    """Speed of a search-and-rescue aircraft, kn; 1,023 is not available."""
    return sog_kn if sog_kn is not None and sog_kn <= _AIRCRAFT_SOG_MAX_KN else None


def long_range_speed(sog_kn: float | None) -> float | None:
    """Speed in a type 27, kn; 63 is not available."""
    return sog_kn if sog_kn is not None and sog_kn <= _LONG_RANGE_SOG_MAX_KN else None


def course(cog_deg: float | None) -> float | None:
    """Course over ground, degrees; 360 is not available, above it (511 in a type 27) is not used."""
    return cog_deg if cog_deg is not None and cog_deg < _COG_END_DEG else None


def heading(heading_deg: int | None) -> int | None:
    """True heading, degrees; 511 is not available, 360 and above is not used."""
    return heading_deg if heading_deg is not None and heading_deg < _COG_END_DEG else None


def utc_second(second: int | None) -> int | None:
    """Second of the position; 60 to 63 say why there is none."""
    return second if second is not None and second < _SECONDS else None


def position_mode(second: int | None) -> str | None:
    """Tell how the position was found, where the second says it: 61 manual, 62 dead reckoning, 63 inoperative."""
    return _POSITION_MODES.get(second) if second is not None else None


def rate_of_turn(turn: float | None) -> float | None:
    """Rate of turn, degrees a minute; -128 is not available, ±127 a side without a rate (both are enum members)."""
    return None if turn is None or isinstance(turn, Enum) else turn


def turning(turn: float | None) -> str | None:
    """Side of a turn of over 5 degrees in 30 s that no turn indicator measured (±127)."""
    return _SIDES.get(int(turn)) if isinstance(turn, Enum) else None


def nav_status(status: int | None) -> int | None:
    """Navigational status 0 to 14; 15 is not defined."""
    return int(status) if status is not None and status != _STATUS_NOT_DEFINED else None


def text(value: str | None) -> str | None:
    """Six-bit text up to its first ``@``, which ends it; empty is not available."""
    if value is None:
        return None
    return value.partition("@")[0].rstrip() or None


def above_zero(value: float | None) -> float | None:
    """Return a value whose zero stands for "not available"."""
    return value or None


def below(value: int | None, end: int) -> int | None:
    """Return a value whose codes from ``end`` up stand for "not available"."""
    return value if value is not None and value < end else None


def ship_type(code: int | None) -> int | None:
    """Type of ship and cargo 1 to 99; 0 is not available, 100 to 255 are reserved."""
    return code if code is not None and 1 <= code <= 99 else None  # noqa: PLR2004 - the range itself


def imo_number(number: int | None) -> int | None:
    """IMO number, seven digits; what is not one is 0 (not available), unused, or a flag state's own number."""
    return number if number is not None and _IMO_FIRST <= number <= _IMO_LAST else None


def flag_state_number(number: int | None) -> int | None:
    """Official number of the flag state, transmitted in place of an IMO number (10,000,000 and above)."""
    return number if number is not None and number > _IMO_LAST else None


def dimensions(bow: int | None, stern: int | None, port: int | None, starboard: int | None) -> dict[str, FieldValue]:
    """Return what is known of a ship's outline, by names of ``Ais`` and ``length_m``, ``beam_m``.

    All zero is not available. Bow and port zero with stern and starboard set: the reference point is not known, stern
    and starboard are the whole length and beam (M.1371-5 figure 41). One pair zero: that pair is not available.
    """
    if not bow and not port and stern and starboard:
        return {"length_m": stern, "beam_m": starboard}
    known: dict[str, FieldValue] = {}
    if bow is not None and stern is not None and bow + stern > 0:
        known |= {"to_bow_m": bow, "to_stern_m": stern}
    if port is not None and starboard is not None and port + starboard > 0:
        known |= {"to_port_m": port, "to_starboard_m": starboard}
    return known


def station(msg_type: int, mmsi: int) -> AisStation:
    """Return the kind of sender.

    The message type decides where only one kind of station may send it; otherwise the form of the MMSI. Position
    reports of search-and-rescue transmitters are class A reports (970, 972, 974). Illegal MMSI forms are common among
    class B sets, so that a form never overrules a class B message, but for aids to navigation that send type 24.

    *Source:* ITU-R M.585-9 annexes 1 and 2.
    """
    form = mmsi // _MID_DIGITS
    if form in _SURVIVAL_FORMS:
        return AisStation.SURVIVAL
    if form // 10 == _ATON_FORM and msg_type == 24:  # noqa: PLR2004 - the type
        return AisStation.ATON
    known = _STATION_OF_TYPE.get(msg_type)
    return known if known is not None else _station_of_form(mmsi, form)


def _station_of_form(mmsi: int, form: int) -> AisStation:
    if 0 < mmsi < _COAST_STATION_END:
        return AisStation.BASE
    if form == _SAR_AIRCRAFT_FORM:
        return AisStation.SAR_AIRCRAFT
    if form // 10 == _ATON_FORM:
        return AisStation.ATON
    return AisStation.UNKNOWN


def plain(value: object) -> FieldValue:
    """Return a decoded value as a JSON scalar: enum members as numbers, bytes as hexadecimal, empty text as None."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bytes):
        return value.hex() or None
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
