"""Position and time of day as IEC 61162-1 sentences write them: ``ddmm.mmm,N,dddmm.mmm,E`` and ``hhmmss.ss``. Sans-io.

*Source:* IEC 61162-1:2016 clause 7.2.3.4 (field types).
"""

import re
from datetime import date

from edge_agent.parsers.fields import refuse

MAX_LAT_DEG, MAX_LON_DEG = 90, 180
DAY_S = 86_400
FIRST_YEAR, LAST_YEAR = 2000, 2079
"""Years that two digits stand for: 80 is 1980, what a receiver says that has not found its date yet."""

_LAT = re.compile(rb"(\d{2})(\d{2}(?:\.\d{0,9})?)\Z")
_LON = re.compile(rb"(\d{3})(\d{2}(?:\.\d{0,9})?)\Z")
_TIME = re.compile(rb"(\d{2})(\d{2})(\d{2})(\.\d{0,9})?\Z")
_SIGNS = {b"N": 1.0, b"S": -1.0, b"E": 1.0, b"W": -1.0}
_EPOCH = date(1970, 1, 1).toordinal()
_NS = 1_000_000_000
_DECIMALS = 9
"""A tenth of a millimetre of latitude; the fourth decimal of a minute is 18 cm."""


def read_position(fields: list[bytes], index: int) -> tuple[float, float] | None:
    """Return longitude and latitude, degrees WGS 84, of the four fields from ``index``; None if all are empty.

    Raises:
        PeerError: reason ``bad_field`` (half a position, or not one) or ``out_of_range``.
    """
    lat, north, lon, east = ((*fields[index : index + 4], b"", b"", b"", b"")[part].strip() for part in range(4))
    if not (lat or north or lon or east):
        return None
    lat_deg = _degrees(_LAT.match(lat), north, b"NS", MAX_LAT_DEG, fields)
    lon_deg = _degrees(_LON.match(lon), east, b"EW", MAX_LON_DEG, fields)
    return lon_deg, lat_deg


def _degrees(
    found: "re.Match[bytes] | None", letter: bytes, letters: bytes, maximum: int, fields: list[bytes]
) -> float:
    if found is None or letter not in _SIGNS or letter not in letters:
        raise refuse(fields, "not a position", "bad_field")
    minutes = float(found[2])
    value = int(found[1]) + minutes / 60
    if minutes >= 60 or value > maximum:  # noqa: PLR2004 - an hour of arc
        raise refuse(fields, f"{value} degrees", "out_of_range")
    return round(value * _SIGNS[letter], _DECIMALS)


def read_time_of_day_s(fields: list[bytes], index: int) -> float | None:
    """Return a UTC time of day, s since midnight, below 86,401 (a leap second); None if the field is empty or missing.

    Raises:
        PeerError: reason ``bad_field`` or ``out_of_range``.
    """
    text = fields[index].strip() if index < len(fields) else b""
    if not text:
        return None
    found = _TIME.match(text)
    if found is None:
        raise refuse(fields, f"{text[:20]!r} is no time", "bad_field")
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004 - a clock's face, and its leap second
        raise refuse(fields, f"{text[:20]!r} is no time", "out_of_range")
    fraction = found[4] or b""
    return hours * 3600 + minutes * 60 + seconds + (float(fraction) if len(fraction) > 1 else 0.0)


def utc_ns(year: int, month: int, day: int, time_of_day_s: float, fields: list[bytes]) -> int:
    """Return UTC ns since 1970.

    Args:
        year: ``FIRST_YEAR`` to ``LAST_YEAR``.
        month: 1 to 12.
        day: 1 to 31.
        time_of_day_s: as ``read_time_of_day_s`` gives it.
        fields: the sentence, for the error.

    Raises:
        PeerError: reason ``out_of_range``.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise refuse(fields, f"year {year}", "out_of_range")
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError as exc:
        raise refuse(fields, str(exc), "out_of_range") from exc
    # microseconds: no receiver writes more, and a float of a day keeps them
    return days * DAY_S * _NS + round(time_of_day_s * 1_000_000) * 1000
