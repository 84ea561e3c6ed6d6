"""A radar's tracked targets and its display: TTM, TLL, TLB, OSD, RSD. TTD is in ``radar_tracks``.

Real radars pad fields with spaces, leave out what the standard demands (true or relative, units of what is empty), end
sentences early and number targets far beyond 99. All that is read; a value whose unit is missing is not.

*Source:* IEC 61162-1:2016 clauses 8.3.70 (OSD), 8.3.80 (RSD), 8.3.92 (TLB), 8.3.93 (TLL), 8.3.98 (TTM).
"""

from functools import partial

from contracts.radar import RadarDisplay, RadarLabel, RadarTarget
from edge_agent.parsers.fields import checked, read_choice, read_decimal, read_text, read_whole, read_word, refuse
from edge_agent.parsers.places import read_position, read_time_of_day_s
from edge_agent.parsers.readings import Readings, read_each

MAX_TARGET_NO = 9_999
"""TTD has ten bits for it; radars in use write up to 999."""
MAX_DISTANCE_M = 250_000.0
"""The longest range scale of a ship's radar is 96 NM, of a coastal one 120 NM."""
MAX_SPEED_KN = 1_000.0
MAX_TCPA_MIN = 10_000.0
MAX_LABEL = 64

METRES_OF = {b"K": 1_000.0, b"N": 1_852.0, b"S": 1_609.344}
KNOTS_OF = {b"K": 1 / 1.852, b"N": 1.0, b"S": 1_609.344 / 1_852.0}
"""Of a kilometre, a nautical mile and a statute mile; and of each an hour."""
STATUS_OF = {b"L": "lost", b"Q": "query", b"T": "tracking"}
ACQUISITION_OF = {b"A": "automatic", b"M": "manual", b"R": "reported"}
ORIENTATION_OF = {b"C": "course_up", b"H": "head_up", b"N": "north_up"}
_TRUE_OR_RELATIVE = {b"T": "true", b"R": "relative"}
_REFERENCE = {b"R": "reference"}
_ROUND = 3


def parse_ttm(fields: list[bytes]) -> RadarTarget:
    """Read ``--TTM,no,distance,bearing,T|R,speed,course,T|R,cpa,tcpa,K|N|S,name,L|Q|T,R,time,A|M|R``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value`` (no number, or nothing but a number).
    """
    status = read_word(fields, 12, STATUS_OF)
    bearing_reference = read_word(fields, 4, _TRUE_OR_RELATIVE)
    course_reference = read_word(fields, 7, _TRUE_OR_RELATIVE)
    tcpa_min = checked(read_decimal(fields, 9), -MAX_TCPA_MIN, MAX_TCPA_MIN, fields)
    target = RadarTarget(
        target_no=_number(fields),
        status=status,
        distance_m=_scaled(fields, 2, METRES_OF, MAX_DISTANCE_M),
        bearing_deg=_angle(fields, 3),
        sog_kn=_scaled(fields, 5, KNOTS_OF, MAX_SPEED_KN),
        cog_deg=_angle(fields, 6),
        cpa_m=_scaled(fields, 8, METRES_OF, MAX_DISTANCE_M),
        tcpa_s=None if tcpa_min is None else round(tcpa_min * 60, _ROUND),
        name=_name(fields, 11),
        is_bearing_true=None if bearing_reference is None else bearing_reference == "true",
        is_course_true=None if course_reference is None else course_reference == "true",
        is_reference=True if read_word(fields, 13, _REFERENCE) else None,
        utc_of_day_s=read_time_of_day_s(fields, 14),
        acquisition=read_word(fields, 15, ACQUISITION_OF),
    )
    if status is None and target.distance_m is None and target.bearing_deg is None and target.sog_kn is None:
        raise refuse(fields, "nothing but a number", "no_value")
    return target


def parse_tll(fields: list[bytes]) -> RadarTarget:
    """Read ``--TLL,no,lat,N,lon,E,name,time,L|Q|T,R``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    place = read_position(fields, 2)
    status = read_word(fields, 8, STATUS_OF)
    if place is None and status is None:
        raise refuse(fields, "neither position nor status", "no_value")
    return RadarTarget(
        target_no=_number(fields),
        status=status,
        lon_deg=place[0] if place else None,
        lat_deg=place[1] if place else None,
        name=_name(fields, 6),
        is_reference=True if read_word(fields, 9, _REFERENCE) else None,
        utc_of_day_s=read_time_of_day_s(fields, 7),
    )


def parse_tlb(fields: list[bytes]) -> Readings:
    """Read ``--TLB,no,label`` and more such pairs; an empty label takes the label of its target away."""
    return read_each([partial(_label, fields, index) for index in range(1, max(2, len(fields)), 2)])


def _label(fields: list[bytes], index: int) -> RadarLabel:
    number = read_whole(fields, index, MAX_TARGET_NO)
    if number is None or index + 1 >= len(fields):
        raise refuse(fields, "half a pair of number and label", "bad_field")
    return RadarLabel(target_no=number, label=(read_text(fields, index + 1) or "")[:MAX_LABEL])


def parse_osd(fields: list[bytes]) -> RadarDisplay:
    """Read ``--OSD,heading,A|V,course,reference,speed,reference,set,drift,K|N|S``. Status V takes the heading away.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    is_valid = read_word(fields, 2, {b"A": "valid", b"V": "invalid"}) == "valid"
    heading = _angle(fields, 1)
    return _said(
        fields,
        RadarDisplay(
            heading_deg=heading if is_valid else None,
            course_deg=_angle(fields, 3),
            speed_kn=_scaled(fields, 5, KNOTS_OF, MAX_SPEED_KN, unit=9),
            set_deg=_angle(fields, 7),
            drift_kn=_scaled(fields, 8, KNOTS_OF, MAX_SPEED_KN, unit=9),
        ),
    )


def parse_rsd(fields: list[bytes]) -> RadarDisplay:
    """Read ``--RSD``, of it the cursor (fields 9, 10), the range scale (11) with its unit (12), the orientation (13).

    Fields 1 to 8 are the operator's drawing aids (range rings, bearing lines); they say nothing of the traffic.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    return _said(
        fields,
        RadarDisplay(
            range_m=_scaled(fields, 11, METRES_OF, MAX_DISTANCE_M, unit=12),
            orientation=read_word(fields, 13, ORIENTATION_OF),
            cursor_distance_m=_scaled(fields, 9, METRES_OF, MAX_DISTANCE_M, unit=12),
            cursor_bearing_deg=_angle(fields, 10),
        ),
    )


def _said(fields: list[bytes], display: RadarDisplay) -> RadarDisplay:
    if display == RadarDisplay():
        raise refuse(fields, "no value", "no_value")
    return display


def _number(fields: list[bytes]) -> int:
    number = read_whole(fields, 1, MAX_TARGET_NO)
    if number is None:
        raise refuse(fields, "no target number", "no_value")
    return number


def _name(fields: list[bytes], index: int) -> str | None:
    text = read_text(fields, index)
    return None if text is None else text[:MAX_LABEL]


def _angle(fields: list[bytes], index: int) -> float | None:
    value = checked(read_decimal(fields, index), 0.0, 360.0, fields)
    return None if value is None else value % 360.0


def _scaled(fields: list[bytes], index: int, units: dict[bytes, float], maximum: float, unit: int = 10) -> float | None:
    value = read_decimal(fields, index)
    if value is None:
        return None
    value = round(value * read_choice(fields, unit, units), _ROUND)
    return checked(value, 0.0, maximum, fields)
