"""Water: temperature (MTW) and speed through it (VHW).

*Source:* IEC 61162-1:2016 clauses 8.3.60 (MTW), 8.3.105 (VHW).
"""

from contracts.payloads import WaterSpeed, Weather
from edge_agent.parsers.fields import checked, read_choice, read_decimal, refuse

MIN_WATER_C, MAX_WATER_C = -5.0, 45.0
"""Sea water freezes at -2 °C; the Persian Gulf has 37 °C at its shores."""
MAX_SPEED_KN = 100.0

_KMH_KN = 1 / 1.852
_THOUSANDTHS = 3


def parse_mtw(fields: list[bytes]) -> Weather:
    """Read ``--MTW,temperature,C``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    water = read_decimal(fields, 1)
    if water is None:
        raise refuse(fields, "no temperature", "no_value")
    read_choice(fields, 2, {b"C": 1.0})
    return Weather(water_temperature_c=checked(water, MIN_WATER_C, MAX_WATER_C, fields))


def parse_vhw(fields: list[bytes]) -> WaterSpeed:
    """Read ``--VHW,heading,T,heading,M,speed,N,speed,K``.

    A magnetic heading alone gives none: the variation is not in the sentence. Knots are preferred to km/h.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    heading = checked(read_decimal(fields, 1), 0.0, 360.0, fields)
    if heading is not None:
        read_choice(fields, 2, {b"T": 1.0})
    speed = None
    for index, letter, knots in ((5, b"N", 1.0), (7, b"K", _KMH_KN)):
        value = read_decimal(fields, index)
        if value is not None:
            speed = round(value * read_choice(fields, index + 1, {letter: knots}), _THOUSANDTHS)
            break
    checked(speed, -MAX_SPEED_KN, MAX_SPEED_KN, fields)
    if heading is None and speed is None:
        raise refuse(fields, "neither heading nor speed", "no_value")
    return WaterSpeed(speed_kn=speed, heading_deg=None if heading is None else heading % 360.0)
