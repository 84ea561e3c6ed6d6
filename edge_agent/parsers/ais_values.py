"""Raw numbers of AIS fields → values: every code that stands for "not available" becomes None, here and nowhere else.

Each reader takes the number as it stands in the message and returns the value in the unit of ``contracts.payloads``.
What the standard reserves or leaves unused where a quantity is measured is None as well: it is no measurement.

*Source:* ITU-R M.1371-5 annex 8, tables 46 to 79; each reader names its codes.
"""

from collections.abc import Callable

from contracts.mmsi import MmsiClass, mmsi_class
from contracts.payloads import AisStation, FieldValue

Reader = Callable[[int], FieldValue]

_COG_END = 3600
_HEADING_END = 360
_SECONDS = 60
_IMO_FIRST, _IMO_LAST = 1_000_000, 9_999_999
_POSITION_MODES = {61: "manual", 62: "dead_reckoning", 63: "inoperative"}
_TURN_SIDES = {127: "right", -127: "left"}
_TURN_CODE = 127
SOG_TENTHS_END = 1023
SHIP_TYPES = 100
LAST_YEAR = 9999

RATES_OF_TURN: tuple[float | None, ...] = tuple(
    None if abs(raw) >= _TURN_CODE else float(round((raw / 4.733) ** 2)) * (1 if raw >= 0 else -1) + 0.0
    for raw in (*range(128), *range(-128, 0))
)
"""Degrees a minute of each raw byte. -128 is not available, ±127 says the side of a turn and no rate (table 48)."""

_SHIP_STATIONS = frozenset({AisStation.CLASS_A, AisStation.CLASS_B})
_STATION_OF_TYPE: dict[int, AisStation] = (
    dict.fromkeys((1, 2, 3, 5), AisStation.CLASS_A)
    | dict.fromkeys((18, 19, 24), AisStation.CLASS_B)
    | dict.fromkeys((4, 16, 17, 20, 22, 23), AisStation.BASE)
    | dict.fromkeys((21, 28), AisStation.ATON)
    | {9: AisStation.SAR_AIRCRAFT}
)
_STATION_OF_CLASS = {
    MmsiClass.COAST: AisStation.BASE,
    MmsiClass.SAR_AIRCRAFT: AisStation.SAR_AIRCRAFT,
    MmsiClass.ATON: AisStation.ATON,
    MmsiClass.SART: AisStation.SURVIVAL,
    MmsiClass.MOB: AisStation.SURVIVAL,
    MmsiClass.EPIRB: AisStation.SURVIVAL,
}


def degrees(steps_a_degree: int, limit_deg: int) -> Callable[[int], float | None]:
    """Return the reader of a longitude or latitude in steps of 1/``steps_a_degree``; beyond the limit it is None.

    181 and 91 degrees are not available (tables 48, 67, 79); the circulars on application messages use them as well, or
    the highest number of the field, which is beyond the limit too.
    """
    last = limit_deg * steps_a_degree

    def read(raw: int) -> float | None:
        return round(raw / steps_a_degree, 6) if -last <= raw <= last else None

    return read


def between(low: int, high: int) -> Callable[[int], int | None]:
    """Return the reader of a number that counts only from ``low`` to ``high``."""
    return lambda raw: raw if low <= raw <= high else None


def scaled(low: int, high: int, divisor: int, offset: int = 0) -> Callable[[int], float | None]:
    """Return the reader of (raw + ``offset``) / ``divisor`` for raw numbers from ``low`` to ``high``, else None."""
    return lambda raw: (raw + offset) / divisor if low <= raw <= high else None


def flag(raw: int) -> bool:
    """One bit."""
    return raw == 1


def not_zero(raw: int) -> int | None:
    """Return a number, code or MMSI whose zero stands for "not available" or "there is none"."""
    return raw or None


sog_tenths = scaled(0, SOG_TENTHS_END - 1, 10)
"""Speed, kn; 1,023 is not available (1,022: 102.2 or more)."""
cog_tenths = scaled(0, _COG_END - 1, 10)
"""Course, degrees; 3,600 is not available, above it is not used."""
heading = between(0, _HEADING_END - 1)
"""Heading, degrees; 511 is not available, 360 and above is not used."""
utc_second = between(0, _SECONDS - 1)
"""Second of the position; 60 to 63 say why there is none."""
nav_status = between(0, 14)
"""Navigational status; 15 is not defined."""
hour = between(0, 23)
minute = between(0, 59)
month = between(1, 12)
day = between(1, 31)
draught = scaled(1, 255, 10)
"""Draught, m; 0 is not available (25.5: that or more)."""
ship_type = between(1, SHIP_TYPES - 1)
"""Type of ship and cargo 1 to 99; 0 is not available, 100 to 255 are reserved."""
imo_number = between(_IMO_FIRST, _IMO_LAST)
"""IMO number, seven digits; else it is 0 (not available), unused, or a flag state's own number."""


def flag_state_number(raw: int) -> int | None:
    """Official number of the flag state, transmitted in place of an IMO number (10,000,000 and above)."""
    return raw if raw > _IMO_LAST else None


def position_mode(raw: int) -> str | None:
    """Tell how the position was found, where the second says it: 61 manual, 62 dead reckoning, 63 inoperative."""
    return _POSITION_MODES.get(raw)


def rate_of_turn(raw: int) -> float | None:
    """Rate of turn, degrees a minute, of a raw number -128 to 127."""
    return RATES_OF_TURN[raw]


def turning(raw: int) -> str | None:
    """Side of a turn of over 5 degrees in 30 s that no turn indicator measured (±127)."""
    return _TURN_SIDES.get(raw)


def dimensions(bow: int | None, stern: int | None, port: int | None, starboard: int | None) -> dict[str, int]:
    """Return what is known of a ship's outline, by names of ``Ais`` and ``length_m``, ``beam_m``.

    All zero is not available. Bow and port zero with stern and starboard set: the reference point is not known, stern
    and starboard are the whole length and beam (M.1371-5 figure 41). One pair zero: that pair is not available.
    """
    if not bow and not port and stern and starboard:
        return {"length_m": stern, "beam_m": starboard}
    known: dict[str, int] = {}
    if bow is not None and stern is not None and bow + stern > 0:
        known |= {"to_bow_m": bow, "to_stern_m": stern}
    if port is not None and starboard is not None and port + starboard > 0:
        known |= {"to_port_m": port, "to_starboard_m": starboard}
    return known


def sender(msg_type: int, mmsi: int) -> tuple[AisStation, str | None]:
    """Return the kind of sender, and the form of its MMSI if that is not a ship's.

    The message type decides where only one kind of station may send it, the form of the MMSI otherwise. Only a ship's
    MMSI makes a ship: class A or B messages of another form are of the station that the form names, or unknown where it
    names none (handheld radio, auxiliary craft, group, illegal), and of a coast station's form too, for no base station
    sends them.

    *Source:* ITU-R M.585-9 annexes 1 and 2.
    """
    form = mmsi_class(mmsi)
    known = _STATION_OF_TYPE.get(msg_type)
    if form is MmsiClass.SHIP:
        return known or AisStation.UNKNOWN, None
    if known is None:
        return _STATION_OF_CLASS.get(form, AisStation.UNKNOWN), form.value
    if known in _SHIP_STATIONS:
        known = AisStation.UNKNOWN if form is MmsiClass.COAST else _STATION_OF_CLASS.get(form, AisStation.UNKNOWN)
    return known, form.value
