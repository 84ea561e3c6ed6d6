"""A weather mast in one sentence (MDA), and the transducers of anything (XDR).

An XDR value is weather only if its type, its unit and its name say so: the temperature of an engine is a transducer's,
and the number that some masts write for a name says nothing. What is not weather is a ``Transducer`` with the quantity
and the unit that the standard gives its type.

*Source:* IEC 61162-1:2016 clauses 8.3.55 (MDA), 8.3.113 (XDR, with the table of transducer types).
"""

from typing import NamedTuple

from contracts.errors import PeerError
from contracts.payloads import Payload, Transducer, Weather
from edge_agent.parsers.fields import checked, read_choice, read_decimal, read_text, refuse
from edge_agent.parsers.readings import Readings, read_each
from edge_agent.parsers.water import MAX_WATER_C, MIN_WATER_C
from edge_agent.parsers.wind import parse_mwd

MIN_AIR_C, MAX_AIR_C = -60.0, 60.0
MIN_HPA, MAX_HPA = 850.0, 1_100.0
"""Sea-level pressure ever measured: 870 (typhoon Tip) to 1,084 hPa (Tosontsengel)."""
MAX_NAME = 40

_INHG_HPA = 33.8638866667
_BAR_HPA = 1_000.0
_ROUND = 6


class _Kind(NamedTuple):
    """What a transducer type measures in the unit that a sentence gives, and how it becomes ours."""

    quantity: str
    unit: str
    factor: float = 1.0
    offset: float = 0.0


KINDS: dict[tuple[str, str], _Kind] = {
    ("A", "D"): _Kind("angle", "deg"),
    ("B", "K"): _Kind("absolute_humidity", "g/m³", 1_000.0),
    ("C", "C"): _Kind("temperature", "°C"),
    ("C", "K"): _Kind("temperature", "°C", 1.0, -273.15),
    ("D", "M"): _Kind("linear", "m"),
    ("F", "H"): _Kind("frequency", "Hz"),
    ("G", ""): _Kind("generic", ""),
    ("H", "P"): _Kind("humidity", "%"),
    ("I", "A"): _Kind("current", "A"),
    ("L", "S"): _Kind("salinity", "ppt"),
    ("N", "N"): _Kind("force", "N"),
    ("P", "B"): _Kind("pressure", "hPa", _BAR_HPA),
    ("P", "P"): _Kind("pressure", "hPa", 0.01),
    ("R", "L"): _Kind("flow", "l/s"),
    ("S", ""): _Kind("switch", ""),
    ("T", "R"): _Kind("tachometer", "rpm"),
    ("U", "V"): _Kind("voltage", "V"),
    ("V", "M"): _Kind("volume", "m³"),
}
"""By transducer type and unit letter."""

WEATHER_NAMES: dict[tuple[str, str], str] = (
    dict.fromkeys(
        [("temperature", name) for name in ("AIRTEMP", "AIRTEMPERATURE", "TEMPAIR", "AIR", "TAIR", "ENVOUTSIDET")],
        "air_temperature_c",
    )
    | dict.fromkeys(
        [("temperature", name) for name in ("WATERTEMP", "TEMPWATER", "WATER", "SEATEMP", "ENVWATERT")],
        "water_temperature_c",
    )
    | dict.fromkeys([("temperature", name) for name in ("DEWPOINT", "TDEW", "ENVDEWPOINT")], "dew_point_c")
    | dict.fromkeys(
        [("pressure", name) for name in ("BARO", "BAROMETER", "BAROMETRIC", "AIRPRESSURE", "PAIR", "ENVATMOSP")],
        "pressure_hpa",
    )
    | dict.fromkeys(
        [("humidity", name) for name in ("HUMIDITY", "RELHUMIDITY", "RELHUM", "HUM", "RH", "ENVOUTSIDEH")],
        "humidity_pct",
    )
)
"""Payload field by quantity and name, the name in capitals without anything but letters: what masts really write."""

_RANGES = {
    "air_temperature_c": (MIN_AIR_C, MAX_AIR_C),
    "dew_point_c": (MIN_AIR_C, MAX_AIR_C),
    "water_temperature_c": (MIN_WATER_C, MAX_WATER_C),
    "pressure_hpa": (MIN_HPA, MAX_HPA),
    "humidity_pct": (0.0, 100.0),
}
_QUADRUPLE = 4


def parse_mda(fields: list[bytes]) -> Readings:
    """Read ``--MDA,inches of mercury,I,bar,B,air,C,water,C,relative humidity,absolute,dew point,C,`` and as MWD.

    Pressure in bar is preferred to inches: the same value with more digits.

    Returns:
        Weather, and wind where the sentence carries it; one that carries neither has the fault ``no_value``.
    """
    wind = fields[13:21]
    readings = read_each([lambda: _mda_weather(fields), lambda: parse_mwd([fields[0], *wind]) if any(wind) else None])
    if not readings.payloads and not readings.faults:
        readings.faults.append(refuse(fields, "no value", "no_value"))
    return readings


def _mda_weather(fields: list[bytes]) -> Weather | None:
    pressure = None
    for index, letter, hpa in ((3, b"B", _BAR_HPA), (1, b"I", _INHG_HPA)):
        value = read_decimal(fields, index)
        if value is not None:
            pressure = round(value * read_choice(fields, index + 1, {letter: hpa}), 2)
            break
    values = {
        "pressure_hpa": pressure,
        "air_temperature_c": _celsius(fields, 5),
        "water_temperature_c": _celsius(fields, 7),
        "humidity_pct": read_decimal(fields, 9),
        "dew_point_c": _celsius(fields, 11),
    }
    checked_values = {name: checked(value, *_RANGES[name], fields) for name, value in values.items()}
    return Weather(**checked_values) if any(value is not None for value in checked_values.values()) else None


def _celsius(fields: list[bytes], index: int) -> float | None:
    value = read_decimal(fields, index)
    if value is not None:
        read_choice(fields, index + 1, {b"C": 1.0})
    return value


def parse_xdr(fields: list[bytes]) -> Readings:
    """Read ``--XDR,type,value,unit,name`` and more such quadruples.

    Returns:
        One ``Weather`` of all values that are weather, in front, then one ``Transducer`` each of the others; a
        quadruple without a value has the fault ``no_value``. A second value for one field of the weather stays a
        transducer: two thermometers are never mixed.
    """
    weather: dict[str, float] = {}
    readings = Readings([], [])
    quadruples = range(1, max(2, len(fields)), _QUADRUPLE)
    for index in quadruples:
        try:
            payload = _quadruple(fields, index, weather)
        except PeerError as exc:
            readings.faults.append(exc)
        else:
            readings.payloads.extend([] if payload is None else [payload])
    first: list[Payload] = [Weather(**weather)] if weather else []
    return Readings(first + readings.payloads, readings.faults)


def _quadruple(fields: list[bytes], index: int, weather: dict[str, float]) -> Transducer | None:
    """Return the transducer of one quadruple, or add it to the weather.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    letter, unit, name = (read_text(fields, index + part) or "" for part in (0, 2, 3))
    value = read_decimal(fields, index + 1)
    if len(fields) - index < _QUADRUPLE or not letter:
        raise refuse(fields, "not four fields a transducer", "bad_field")
    kind = KINDS.get((letter, unit))
    if kind is None:
        raise refuse(fields, f"no transducer type {letter!r} in {unit!r}", "bad_field")
    if value is None:
        raise refuse(fields, f"{name} has no value", "no_value")
    value = round(value * kind.factor + kind.offset, _ROUND)
    field = WEATHER_NAMES.get((kind.quantity, "".join(filter(str.isalpha, name.upper()))))
    if field is None or field in weather:
        return Transducer(name=name[:MAX_NAME], quantity=kind.quantity, value=value, unit=kind.unit)
    checked(value, *_RANGES[field], fields)
    weather[field] = value
    return None
