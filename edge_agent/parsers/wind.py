"""Wind of a fixed mast: MWV and MWD.

At a mast that does not move, relative and true wind (reference ``R`` and ``T`` of MWV) are the same, and its zero mark
is set to true north when it is mounted: the angle is the direction the wind blows from. A mast on something that moves
does not belong here.

*Source:* IEC 61162-1:2016 clauses 8.3.62 (MWD), 8.3.63 (MWV).
"""

from contracts.payloads import Wind
from edge_agent.parsers.fields import checked, read_choice, read_decimal, refuse

MAX_SPEED_MPS = 100.0
"""Range of the payload; the strongest gust ever measured near the sea was 113 m/s, no quay mast survives it."""

_MPS_OF = {b"M": 1.0, b"N": 1852 / 3600, b"K": 1 / 3.6, b"S": 0.44704}
_REFERENCES = {b"R": 0.0, b"T": 1.0}
_ANGLE, _REFERENCE, _SPEED, _UNIT, _STATUS = range(1, 6)
_TRUE, _KNOTS, _MPS = 1, 5, 7
_MILLIMETRES = 3


def parse_mwv(fields: list[bytes]) -> Wind:
    """Read ``--MWV,angle,R|T,speed,K|M|N|S,A|V``.

    Returns:
        Direction in degrees 0 to below 360, speed in m/s to the millimetre.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range``, ``invalid_status`` (the sensor says V) or ``no_value``.
    """
    status = fields[_STATUS].strip() if len(fields) > _STATUS else b""
    if status == b"V":
        raise refuse(fields, "status V", "invalid_status")
    if status != b"A":
        raise refuse(fields, f"status {status[:8]!r}", "bad_field")
    read_choice(fields, _REFERENCE, _REFERENCES)
    speed = read_decimal(fields, _SPEED)
    if speed is not None:
        speed *= read_choice(fields, _UNIT, _MPS_OF)
    return _wind(read_decimal(fields, _ANGLE), speed, fields)


def parse_mwd(fields: list[bytes]) -> Wind:
    """Read ``--MWD,true,T,magnetic,M,knots,N,metres a second,M``.

    A magnetic direction alone gives none: the variation is not in the sentence. Metres a second are preferred to knots.

    Returns:
        As ``parse_mwv``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    speed = read_decimal(fields, _MPS)
    if speed is not None:
        read_choice(fields, _MPS + 1, {b"M": 1.0})
    else:
        speed = read_decimal(fields, _KNOTS)
        if speed is not None:
            speed *= read_choice(fields, _KNOTS + 1, {b"N": 1.0}) * _MPS_OF[b"N"]
    direction = read_decimal(fields, _TRUE)
    if direction is not None:
        read_choice(fields, _TRUE + 1, {b"T": 1.0})
    return _wind(direction, speed, fields)


def _wind(direction_deg: float | None, speed_mps: float | None, fields: list[bytes]) -> Wind:
    checked(direction_deg, 0.0, 360.0, fields)
    checked(speed_mps, 0.0, MAX_SPEED_MPS, fields)
    if direction_deg is None and speed_mps is None:
        raise refuse(fields, "neither speed nor direction", "no_value")
    return Wind(
        speed_mps=None if speed_mps is None else round(speed_mps, _MILLIMETRES),
        direction_deg=None if direction_deg is None else direction_deg % 360.0,
    )
