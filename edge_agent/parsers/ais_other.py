"""Layouts of what stations, aircraft and aids to navigation send, and of what only manages the radio link.

Link management has no attributes of its own in ``Ais``: its fields go to ``other`` by the names of gpsd and pyais.

*Source:* ITU-R M.1371-5 annex 8; each layout names its table.
"""

from edge_agent.parsers import ais_values as read
from edge_agent.parsers.ais_layout import REST, After, Field, Layout, Values, bit, characters, data, last, signed, spare
from edge_agent.parsers.ais_reports import (
    COARSE_LAT,
    COARSE_LON,
    COARSE_POSITION,
    EPFD,
    OUTLINE,
    POSITION,
    SECOND,
    join_outline,
    join_position,
)

_FULL_NAME_CHARS = 20
_NAME_END_BIT = 163


def none_without(lead: str, *names: str) -> After:
    """Return what takes the values of ``names`` away where ``lead`` says that there is nothing."""

    def join(values: Values, _value: int, _size_bits: int) -> None:
        if values[lead] is None:
            values.update(dict.fromkeys(names))

    return join


def _join_corners(values: Values, _value: int, _size_bits: int) -> None:
    for corner in ("ne", "sw"):
        if values[f"{corner}_lon"] is None or values[f"{corner}_lat"] is None:
            values[f"{corner}_lon"] = values[f"{corner}_lat"] = None


def _join_name(values: Values, value: int, size_bits: int) -> None:
    """Join a name of 20 characters (the last may be a space) with its extension; what follows a shorter one is fill."""
    name, more = values["name"], values.pop("name_ext")
    if name is None or more is None or len(name) < _FULL_NAME_CHARS - 1:
        return
    if value >> (size_bits - _NAME_END_BIT) & 0x3F:
        values["name"] = f"{name.ljust(_FULL_NAME_CHARS)}{more}"


def _join_off_position(values: Values, _value: int, _size_bits: int) -> None:
    """The flag counts only with a second of 0 to 59 (table 72)."""
    if values["utc_second"] is None:
        values["off_position"] = None


CORNERS = (
    signed("ne_lon", 18, COARSE_LON),
    signed("ne_lat", 17, COARSE_LAT),
    signed("sw_lon", 18, COARSE_LON),
    signed("sw_lat", 17, COARSE_LAT),
)

BASE_REPORT = Layout(
    Field("year", 14, read.between(1, read.LAST_YEAR)),
    Field("month", 4, read.month),
    Field("day", 5, read.day),
    Field("hour", 5, read.hour),
    Field("minute", 6, read.minute),
    Field("utc_second", 6, read.utc_second),
    bit("is_position_accurate"),
    *POSITION,
    EPFD,
    spare(10),
    bit("raim"),
    Field("radio", 19),
    after=(join_position,),
)
"""Types 4 and 11: table 51."""

ACKNOWLEDGE = Layout(
    spare(2),
    *(
        field
        for number in "1234"
        for field in (Field(f"mmsi{number}", 30, read.not_zero), Field(f"mmsiseq{number}", 2))
    ),
    after=tuple(none_without(f"mmsi{number}", f"mmsiseq{number}") for number in "1234"),
)
"""Types 7 and 13: table 55; one to four stations."""

AIRCRAFT_POSITION = Layout(
    Field("alt", 12, read.between(0, 4094)),
    Field("sog_kn", 10, read.scaled(0, 1022, 1)),
    bit("is_position_accurate"),
    *POSITION,
    Field("cog_deg", 12, read.cog_tenths),
    *SECOND,
    spare(8),
    bit("dte"),
    spare(3),
    bit("assigned"),
    bit("raim"),
    Field("radio", 20),
    after=(join_position,),
)
"""Type 9: table 56; ``alt`` in metres, 4,094 is that or higher, 4,095 is none; speed in kn, 1,023 is none."""

INQUIRY = Layout(spare(2), Field("dest_mmsi", 30, read.not_zero))
"""Type 10: table 58."""

ADDRESSED_TEXT = Layout(
    Field("seqno", 2), Field("dest_mmsi", 30, read.not_zero), bit("retransmit"), spare(1), characters("text", REST)
)
"""Type 12: table 59."""

BROADCAST_TEXT = Layout(spare(2), characters("text", REST))
"""Type 14: table 61."""

INTERROGATION = Layout(
    spare(2),
    Field("mmsi1", 30, read.not_zero),
    Field("type1_1", 6, read.not_zero),
    Field("offset1_1", 12),
    spare(2),
    Field("type1_2", 6, read.not_zero),
    Field("offset1_2", 12),
    spare(2),
    Field("mmsi2", 30, read.not_zero),
    Field("type2_1", 6, read.not_zero),
    Field("offset2_1", 12),
    after=(
        none_without("type1_1", "offset1_1"),
        none_without("type1_2", "offset1_2"),
        none_without("mmsi2", "type2_1"),
        none_without("type2_1", "offset2_1"),
    ),
)
"""Type 15: table 62; a second message or station that is zero is not there."""

ASSIGNMENT = Layout(
    spare(2),
    Field("mmsi1", 30, read.not_zero),
    Field("offset1", 12),
    Field("increment1", 10),
    Field("mmsi2", 30, read.not_zero),
    Field("offset2", 12),
    Field("increment2", 10),
    after=(none_without("mmsi1", "offset1", "increment1"), none_without("mmsi2", "offset2", "increment2")),
)
"""Type 16: table 63; for one station it ends after 96 bits."""

CORRECTIONS = Layout(spare(2), *COARSE_POSITION, spare(5), data("data"), after=(join_position,))
"""Type 17: table 67."""

LINK_MANAGEMENT = Layout(
    spare(2),
    *(
        field
        for number in "1234"
        for field in (
            Field(f"offset{number}", 12, read.not_zero),
            Field(f"number{number}", 4),
            Field(f"timeout{number}", 3),
            Field(f"increment{number}", 11),
        )
    ),
    after=tuple(
        none_without(f"offset{number}", f"number{number}", f"timeout{number}", f"increment{number}")
        for number in "1234"
    ),
)
"""Type 20: table 71; a reservation with offset 0 is not there."""

AID_TO_NAVIGATION = Layout(
    Field("aid_type", 5, read.not_zero),
    characters("name", 120),
    bit("is_position_accurate"),
    *POSITION,
    *OUTLINE,
    EPFD,
    *SECOND,
    bit("off_position"),
    Field("aton_status", 8, read.not_zero),
    bit("raim"),
    bit("virtual_aid"),
    bit("assigned"),
    spare(1),
    characters("name_ext", REST),
    after=(join_position, join_outline, _join_off_position, _join_name),
)
"""Type 21: table 72."""

_CHANNELS = (spare(2), Field("channel_a", 12), Field("channel_b", 12), Field("txrx", 4), bit("power"))
_BANDS = (bit("addressed"), bit("band_a"), bit("band_b"), Field("zonesize", 3))

CHANNELS_OF_AN_AREA = Layout(*_CHANNELS, *CORNERS, *_BANDS, after=(_join_corners,))
"""Type 22 to all ships in an area: table 73; corners in degrees."""

CHANNELS_OF_STATIONS = Layout(
    *_CHANNELS,
    Field("dest1", 30, read.not_zero),
    spare(5),
    Field("dest2", 30, read.not_zero),
    spare(5),
    *_BANDS,
)
"""Type 22 to one or two stations: table 73."""

GROUP_ASSIGNMENT = Layout(
    spare(2),
    *CORNERS,
    Field("station_type", 4),
    Field("shiptype", 8),
    spare(22),
    Field("txrx", 2),
    Field("interval", 4),
    Field("quiet", 4),
    after=(_join_corners,),
)
"""Type 23: table 74; a ship type of 0 means all types here."""

AID_TO_NAVIGATION_DRAFT = Layout(
    *SECOND,
    *POSITION,
    Field("restricted", 2),
    Field("station_type", 3),
    Field("aid_type", 7, read.not_zero),
    Field("iala_mrn", 17, read.not_zero),
    Field("dimension", 4),
    Field("dimensions_a", 9),
    Field("dimensions_b", 11),
    Field("dimension_additional_data", 1),
    Field("charted_status", 1),
    Field("station_status", 4),
    Field("status_bits", 8),
    spare(1),
    Field("auth", 1),
    after=(join_position,),
)
"""Type 28, in one slot what type 21 says in two: draft of ITU-R M.1371-6."""

_STRUCTURE = (bit("addressed"), bit("structured"))
_TO = Field("dest_mmsi", 30, read.not_zero)
_APPLICATION = Field("app_id", 16)
_RADIO_BITS = 20

SINGLE_SLOT: dict[tuple[bool, bool], Layout] = {
    (False, False): Layout(*_STRUCTURE, data("data")),
    (False, True): Layout(*_STRUCTURE, _APPLICATION, data("data")),
    (True, False): Layout(*_STRUCTURE, _TO, data("data")),
    (True, True): Layout(*_STRUCTURE, _TO, _APPLICATION, data("data")),
}
"""Type 25 by (addressed, structured): table 77."""

MULTIPLE_SLOTS: dict[tuple[bool, bool], Layout] = {
    key: Layout(*_STRUCTURE, *fields, data("data", tail=_RADIO_BITS), last("radio", _RADIO_BITS))
    for key, fields in {
        (False, False): (),
        (False, True): (_APPLICATION,),
        (True, False): (_TO,),
        (True, True): (_TO, _APPLICATION),
    }.items()
}
"""Type 26 by (addressed, structured): table 78; the communication state is its last 20 bits."""
