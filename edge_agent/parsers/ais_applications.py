"""Layouts of the application messages that a port reads: weather and water, clearance to enter, inland ships.

Wind and current in kn, heights and lengths in m, temperatures in °C, pressure in hPa, visibility in nautical miles,
directions in degrees true, salinity in ‰: as sent. Each range is what the circular defines; its "not available" code
and what it reserves lie outside.

*Source:* IMO SN.1/Circ.236 annex 2 (1/11), SN.1/Circ.289 annex (1/18, 1/31); CCNR/UNECE inland AIS standard (VTT 1.2)
tables 2.6 (200/10) and 2.13 (200/55).
"""

from edge_agent.parsers import ais_values as read
from edge_agent.parsers.ais_layout import Field, Layout, Values, bit, characters, signed, spare

_LON = read.degrees(60_000, 180)
_LAT = read.degrees(60_000, 90)
"""Steps of 1/1,000 minute."""

_DIRECTION = read.between(0, 359)
_TENTHS_TO_25 = read.scaled(0, 251, 10)
"""251 is 25.1 or more in Circ.289; 255 is not available."""
_OLD_TENTHS_TO_25 = read.scaled(0, 250, 10)
_TREND = read.between(0, 2)
_PRECIPITATION = read.between(1, 5)
_ICE = read.between(0, 1)
_SALINITY = read.scaled(0, 501, 10)
_OLD_SALINITY = read.scaled(0, 500, 10)


def _join_position(values: Values, _value: int, _size_bits: int) -> None:
    if values["lon"] is None or values["lat"] is None:
        values["lon"] = values["lat"] = None
        if "accuracy" in values:
            values["accuracy"] = None


def _join_visibility(values: Values, _value: int, _size_bits: int) -> None:
    if values["visibility"] is None:
        values["visgreater"] = None


METEO_OLD = Layout(
    signed("lat", 24, _LAT),
    signed("lon", 25, _LON),
    Field("day", 5, read.day),
    Field("hour", 5, read.hour),
    Field("minute", 6, read.minute),
    Field("wspeed", 7, read.between(0, 120)),
    Field("wgust", 7, read.between(0, 120)),
    Field("wdir", 9, _DIRECTION),
    Field("wgustdir", 9, _DIRECTION),
    Field("airtemp", 11, read.scaled(0, 1200, 10, -600)),
    Field("humidity", 7, read.between(0, 100)),
    Field("dewpoint", 10, read.scaled(0, 700, 10, -200)),
    Field("pressure", 9, read.scaled(0, 400, 1, 800)),
    Field("pressuretend", 2, _TREND),
    Field("visibility", 8, _OLD_TENTHS_TO_25),
    Field("waterlevel", 9, read.scaled(0, 400, 10, -100)),
    Field("leveltrend", 2, _TREND),
    Field("cspeed", 8, _OLD_TENTHS_TO_25),
    Field("cdir", 9, _DIRECTION),
    Field("cspeed2", 8, _OLD_TENTHS_TO_25),
    Field("cdir2", 9, _DIRECTION),
    Field("cdepth2", 5, read.between(0, 30)),
    Field("cspeed3", 8, _OLD_TENTHS_TO_25),
    Field("cdir3", 9, _DIRECTION),
    Field("cdepth3", 5, read.between(0, 30)),
    Field("waveheight", 8, _OLD_TENTHS_TO_25),
    Field("waveperiod", 6, read.between(0, 60)),
    Field("wavedir", 9, _DIRECTION),
    Field("swellheight", 8, _OLD_TENTHS_TO_25),
    Field("swellperiod", 6, read.between(0, 60)),
    Field("swelldir", 9, _DIRECTION),
    Field("seastate", 4, read.between(0, 12)),
    Field("watertemp", 10, read.scaled(0, 600, 10, -100)),
    Field("preciptype", 3, _PRECIPITATION),
    Field("salinity", 9, _OLD_SALINITY),
    Field("ice", 2, _ICE),
    start=56,
    after=(_join_position,),
)
"""1/11 of Circ.236, revoked in 2013 and still sent. Not available is the highest number of each field."""

METEO = Layout(
    signed("lon", 25, _LON),
    signed("lat", 24, _LAT),
    bit("accuracy"),
    Field("day", 5, read.day),
    Field("hour", 5, read.hour),
    Field("minute", 6, read.minute),
    Field("wspeed", 7, read.between(0, 126)),
    Field("wgust", 7, read.between(0, 126)),
    Field("wdir", 9, _DIRECTION),
    Field("wgustdir", 9, _DIRECTION),
    signed("airtemp", 11, read.scaled(-600, 600, 10)),
    Field("humidity", 7, read.between(0, 100)),
    signed("dewpoint", 10, read.scaled(-200, 500, 10)),
    Field("pressure", 9, read.scaled(0, 402, 1, 799)),
    Field("pressuretend", 2, _TREND),
    bit("visgreater"),
    Field("visibility", 7, read.scaled(0, 126, 10)),
    Field("waterlevel", 12, read.scaled(0, 4000, 100, -1000)),
    Field("leveltrend", 2, _TREND),
    Field("cspeed", 8, _TENTHS_TO_25),
    Field("cdir", 9, _DIRECTION),
    Field("cspeed2", 8, _TENTHS_TO_25),
    Field("cdir2", 9, _DIRECTION),
    Field("cdepth2", 5, read.between(0, 30)),
    Field("cspeed3", 8, _TENTHS_TO_25),
    Field("cdir3", 9, _DIRECTION),
    Field("cdepth3", 5, read.between(0, 30)),
    Field("waveheight", 8, _TENTHS_TO_25),
    Field("waveperiod", 6, read.between(0, 60)),
    Field("wavedir", 9, _DIRECTION),
    Field("swellheight", 8, _TENTHS_TO_25),
    Field("swellperiod", 6, read.between(0, 60)),
    Field("swelldir", 9, _DIRECTION),
    Field("seastate", 4, read.between(0, 12)),
    signed("watertemp", 10, read.scaled(-100, 500, 10)),
    Field("preciptype", 3, _PRECIPITATION),
    Field("salinity", 9, _SALINITY),
    Field("ice", 2, _ICE),
    start=56,
    after=(_join_position, _join_visibility),
)
"""1/31 of Circ.289. Not available: 101 % humidity, 50.1 °C dew point and water, 30.01 m of water, 13 for the sea state,
360 degrees, hour 24, minute 60, -102.4 °C; else the highest number (salinity: 510, 511)."""

CLEARANCE = Layout(
    Field("linkage", 10, read.not_zero),
    Field("month", 4, read.month),
    Field("day", 5, read.day),
    Field("hour", 5, read.hour),
    Field("minute", 6, read.minute),
    characters("port_name", 120),
    characters("destination_locode", 30),
    signed("lon", 25, _LON),
    signed("lat", 24, _LAT),
    spare(43),
    start=88,
    after=(_join_position,),
)
"""1/18, clearance time to enter port, sent to one ship: when (UTC), at which port and berth, UN/LOCODE, position."""

INLAND_SHIP = Layout(
    characters("vin", 48),
    Field("length", 13, read.scaled(1, 8000, 10)),
    Field("beam", 10, read.scaled(1, 1000, 10)),
    Field("shiptype", 14, read.not_zero),
    Field("hazard", 3, read.between(0, 4)),
    Field("draught", 11, read.scaled(1, 2000, 100)),
    Field("loaded", 2, read.between(1, 2)),
    bit("speed_q"),
    bit("course_q"),
    bit("heading_q"),
    spare(8),
    start=56,
)
"""200/10: ``hazard`` is blue cones (4: B flag, 5: unknown), ``loaded`` 1 unloaded, 2 loaded; zero is not available."""

_PERSONS = (
    Field("crew", 8, read.between(0, 254)),
    Field("passengers", 13, read.between(0, 8190)),
    Field("yet", 8, read.between(0, 254)),
)

PERSONS_ADDRESSED = Layout(*_PERSONS, spare(51), start=88)
PERSONS_BROADCAST = Layout(*_PERSONS, spare(51), start=56)
"""200/55: crew, passengers and shipboard personnel (``yet``, as gpsd calls it); 255 and 8,191 are not available."""

APPLICATIONS: dict[tuple[int, int, int], Layout] = {
    (8, 1, 11): METEO_OLD,
    (8, 1, 31): METEO,
    (6, 1, 18): CLEARANCE,
    (8, 200, 10): INLAND_SHIP,
    (6, 200, 55): PERSONS_ADDRESSED,
    (8, 200, 55): PERSONS_BROADCAST,
}
"""Layout by message type, designated area code and function identifier."""
