"""A GNSS receiver: GGA, RMC, ZDA, GST. A fix that the receiver calls invalid is none.

*Source:* IEC 61162-1:2016 clauses 8.3.40 (GGA), 8.3.46 (GST), 8.3.77 (RMC), 8.3.117 (ZDA).
"""

from contracts.payloads import GnssFix
from edge_agent.parsers.fields import checked, read_choice, read_decimal, read_text, read_whole, refuse
from edge_agent.parsers.places import read_position, read_time_of_day_s, utc_ns

MAX_ALTITUDE_M = 20_000.0
MAX_HDOP = 99.0
"""Receivers without a fix write 99.9 or 99.99: not a dilution, but "none"."""
MAX_SPEED_KN = 1_000.0
MAX_ERROR_M = 100_000.0

_QUALITY_OF_MODE = {b"A": 1, b"D": 2, b"P": 3, b"R": 4, b"F": 5, b"E": 6, b"M": 7, b"S": 8}
_INVALID_MODE = b"N"
_DATE_DIGITS = 6
_MAX_QUALITY, _MAX_SATELLITES = 8, 99


def parse_gga(fields: list[bytes]) -> GnssFix:
    """Read ``--GGA,time,lat,N,lon,E,quality,satellites,hdop,altitude,M,…``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range``, ``invalid_status`` (quality 0) or ``no_value``.
    """
    quality = read_whole(fields, 6, _MAX_QUALITY)
    if quality == 0:
        raise refuse(fields, "quality 0", "invalid_status")
    place = read_position(fields, 2)
    if place is None or quality is None:
        raise refuse(fields, "no position, or not how it was found", "no_value")
    altitude = checked(read_decimal(fields, 9), -MAX_ALTITUDE_M, MAX_ALTITUDE_M, fields)
    if altitude is not None:
        read_choice(fields, 10, {b"M": 1.0})
    hdop = read_decimal(fields, 8)
    return GnssFix(
        lon_deg=place[0],
        lat_deg=place[1],
        altitude_m=altitude,
        quality=quality,
        satellites=read_whole(fields, 7, _MAX_SATELLITES),
        hdop=checked(hdop, 0.0, MAX_HDOP, fields) if hdop is not None and hdop <= MAX_HDOP else None,
        utc_of_day_s=read_time_of_day_s(fields, 1),
    )


def parse_rmc(fields: list[bytes]) -> GnssFix:
    """Read ``--RMC,time,A|V,lat,N,lon,E,speed kn,course,ddmmyy,variation,E[,mode[,navigational status]]``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range``, ``invalid_status`` (V, or mode N) or ``no_value``.
    """
    status = fields[2].strip() if len(fields) > 2 else b""  # noqa: PLR2004 - field of the status
    mode = fields[12].strip() if len(fields) > 12 else b""  # noqa: PLR2004 - field of the mode
    if status == b"V" or mode == _INVALID_MODE:
        raise refuse(fields, f"status {status!r}, mode {mode!r}", "invalid_status")
    if status != b"A" or (mode and mode not in _QUALITY_OF_MODE):
        raise refuse(fields, f"status {status[:8]!r}, mode {mode[:8]!r}", "bad_field")
    place = read_position(fields, 3)
    if place is None:
        raise refuse(fields, "no position", "no_value")
    time_of_day_s = read_time_of_day_s(fields, 1)
    day, month, year = _date(fields)
    course = checked(read_decimal(fields, 8), 0.0, 360.0, fields)
    return GnssFix(
        lon_deg=place[0],
        lat_deg=place[1],
        quality=_QUALITY_OF_MODE.get(mode),
        sog_kn=checked(read_decimal(fields, 7), 0.0, MAX_SPEED_KN, fields),
        cog_deg=None if course is None else course % 360.0,
        utc_of_day_s=time_of_day_s,
        utc_ns=utc_ns(year, month, day, time_of_day_s, fields) if time_of_day_s is not None and day else None,
    )


def parse_zda(fields: list[bytes]) -> GnssFix:
    """Read ``--ZDA,time,day,month,year,zone hours,zone minutes``; the time is UTC, the zone is not applied to it.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    time_of_day_s = read_time_of_day_s(fields, 1)
    day, month, year = (read_whole(fields, index, 9999) for index in (2, 3, 4))
    if time_of_day_s is None or day is None or month is None or year is None:
        raise refuse(fields, "no date or no time", "no_value")
    return GnssFix(utc_of_day_s=time_of_day_s, utc_ns=utc_ns(year, month, day, time_of_day_s, fields))


def parse_gst(fields: list[bytes]) -> GnssFix:
    """Read ``--GST,time,rms,major,minor,orientation,latitude,longitude,altitude``: standard deviations, m.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    lat, lon, altitude = (checked(read_decimal(fields, index), 0.0, MAX_ERROR_M, fields) for index in (6, 7, 8))
    if lat is None and lon is None and altitude is None:
        raise refuse(fields, "no deviation", "no_value")
    return GnssFix(
        lat_error_m=lat, lon_error_m=lon, altitude_error_m=altitude, utc_of_day_s=read_time_of_day_s(fields, 1)
    )


def _date(fields: list[bytes]) -> tuple[int, int, int]:
    """Return day, month and year of RMC; zeros if it has no date."""
    text = read_text(fields, 9)
    if text is None:
        return 0, 0, 0
    if len(text) != _DATE_DIGITS or not text.isdecimal():
        raise refuse(fields, f"{text[:20]!r} is no date", "bad_field")
    return int(text[:2]), int(text[2:4]), 2000 + int(text[4:])
