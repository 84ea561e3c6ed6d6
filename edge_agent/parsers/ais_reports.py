"""Layouts of the messages that ships send: types 1 to 3, 5, 18, 19, 24 and 27.

*Source:* ITU-R M.1371-5 annex 8; each layout names its table.
"""

from edge_agent.parsers import ais_values as read
from edge_agent.parsers.ais_layout import Field, Layout, Values, again, bit, characters, signed, spare

MINUTES_LON = read.degrees(600_000, 180)
MINUTES_LAT = read.degrees(600_000, 90)
"""Steps of 1/10,000 minute."""
COARSE_LON = read.degrees(600, 180)
COARSE_LAT = read.degrees(600, 90)
"""Steps of 1/10 minute."""

SECOND = (Field("utc_second", 6, read.utc_second), again("position_mode", read.position_mode))
POSITION = (signed("lon_deg", 28, MINUTES_LON), signed("lat_deg", 27, MINUTES_LAT))
COARSE_POSITION = (signed("lon_deg", 18, COARSE_LON), signed("lat_deg", 17, COARSE_LAT))
OUTLINE = (Field("to_bow_m", 9), Field("to_stern_m", 9), Field("to_port_m", 6), Field("to_starboard_m", 6))
SHIP_TYPE = Field("ship_type", 8, read.ship_type)
EPFD = Field("epfd", 4, read.not_zero)


def join_position(values: Values, _value: int, _size_bits: int) -> None:
    """Half of a position is none."""
    if values["lon_deg"] is None or values["lat_deg"] is None:
        values["lon_deg"] = values["lat_deg"] = None


def join_outline(values: Values, _value: int, _size_bits: int) -> None:
    """Bow, stern, port and starboard tell only together what is known."""
    bow, stern, port, starboard = (values.pop(field.name) for field in OUTLINE)
    values |= read.dimensions(bow, stern, port, starboard)


CLASS_A_POSITION = Layout(
    Field("nav_status", 4, read.nav_status),
    signed("rot_deg_min", 8, read.rate_of_turn),
    again("turning", read.turning),
    Field("sog_kn", 10, read.sog_tenths),
    bit("is_position_accurate"),
    *POSITION,
    Field("cog_deg", 12, read.cog_tenths),
    Field("heading_deg", 9, read.heading),
    *SECOND,
    Field("maneuver", 2, read.not_zero),
    spare(3),
    bit("raim"),
    Field("radio", 19),
    after=(join_position,),
)
"""Types 1, 2, 3: table 48."""

CLASS_A_STATIC = Layout(
    Field("ais_version", 2),
    Field("imo", 30, read.imo_number),
    again("flag_state_number", read.flag_state_number),
    characters("callsign", 42),
    characters("name", 120),
    SHIP_TYPE,
    *OUTLINE,
    EPFD,
    Field("eta_month", 4, read.month),
    Field("eta_day", 5, read.day),
    Field("eta_hour", 5, read.hour),
    Field("eta_minute", 6, read.minute),
    Field("draught_m", 8, read.draught),
    characters("destination", 120),
    bit("dte"),
    after=(join_outline,),
)
"""Type 5: table 52."""

CLASS_B_POSITION = Layout(
    spare(8),
    Field("sog_kn", 10, read.sog_tenths),
    bit("is_position_accurate"),
    *POSITION,
    Field("cog_deg", 12, read.cog_tenths),
    Field("heading_deg", 9, read.heading),
    *SECOND,
    spare(2),
    bit("cs"),
    bit("display"),
    bit("dsc"),
    bit("band"),
    bit("msg22"),
    bit("assigned"),
    bit("raim"),
    Field("radio", 20),
    after=(join_position,),
)
"""Type 18: table 69; ``radio`` begins with the flag that tells SOTDMA from ITDMA."""

CLASS_B_EXTENDED = Layout(
    spare(8),
    Field("sog_kn", 10, read.sog_tenths),
    bit("is_position_accurate"),
    *POSITION,
    Field("cog_deg", 12, read.cog_tenths),
    Field("heading_deg", 9, read.heading),
    *SECOND,
    spare(4),
    characters("name", 120),
    SHIP_TYPE,
    *OUTLINE,
    EPFD,
    bit("raim"),
    bit("dte"),
    bit("assigned"),
    after=(join_position, join_outline),
)
"""Type 19: table 70."""

_PART = Field("partno", 2)
_EQUIPMENT = (
    _PART,
    SHIP_TYPE,
    characters("vendorid", 18),
    Field("model", 4),
    Field("serial", 20),
    characters("callsign", 42),
)

STATIC_PART_A = Layout(_PART, characters("name", 120))
"""Type 24 part A: table 75. Each part is a message by itself; who shows them joins them."""

STATIC_PART_B = Layout(*_EQUIPMENT, *OUTLINE, EPFD, after=(join_outline,))
"""Type 24 part B: table 76."""

STATIC_PART_B_CRAFT = Layout(*_EQUIPMENT, Field("mothership_mmsi", 30, read.not_zero), EPFD)
"""Type 24 part B of an auxiliary craft (98…): its mother ship stands where others have their outline (table 76)."""

LONG_RANGE = Layout(
    bit("is_position_accurate"),
    bit("raim"),
    Field("nav_status", 4, read.nav_status),
    *COARSE_POSITION,
    Field("sog_kn", 6, read.scaled(0, 62, 1)),
    Field("cog_deg", 9, read.scaled(0, 359, 1)),
    bit("gnss"),
    after=(join_position,),
)
"""Type 27: table 79. A position rounded to 0.1 minute, never to replace a finer one; speed 63, course 511: none."""
