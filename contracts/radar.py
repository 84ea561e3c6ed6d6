"""Payloads of a radar: its tracked targets, the labels of its operator, its display."""

from contracts.payload_base import PayloadBase


class RadarTarget(PayloadBase, frozen=True, tag="radar_target"):
    """One tracked radar target (IEC 61162-1 TTM, TLL, TTD), relative to the radar where it has no position.

    Attributes:
        target_no: number that the radar gave it, 0 to 9,999.
        status: "tracking", "query" (being acquired), "lost" or "not_tracking"; null where the radar does not say.
        distance_m: from the radar, m.
        bearing_deg: from the radar, degrees; what from, ``is_bearing_true`` says.
        lon_deg: longitude WGS 84; likewise latitude.
        sog_kn: speed, kn; over ground where ``is_course_true``, else relative to the radar.
        cog_deg: course, degrees; what from, ``is_course_true`` says.
        cpa_m: distance at the closest point of approach, m.
        tcpa_s: time to it, s; negative once it is past.
        name: name that an operator gave it.
        is_bearing_true: from true north; false: from the heading line; null: the radar does not say.
        is_course_true: likewise of the course.
        is_reference: a fixed object that the radar measures its own speed by.
        acquisition: "automatic", "manual" or "reported" (by another, for example AIS).
        utc_of_day_s: when it was measured, s since midnight UTC.
        heading_deg: its heading as AIS reports it, degrees true.
        is_cpa_alarm: the radar's own CPA/TCPA limits are passed.
        is_test: the radar simulates it.
        is_over_ground: ``sog_kn`` is over ground; false: through water.
        correlation_no: number that joins it to the same object seen by another sensor.
    """

    target_no: int
    status: str | None
    distance_m: float | None = None
    bearing_deg: float | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    sog_kn: float | None = None
    cog_deg: float | None = None
    cpa_m: float | None = None
    tcpa_s: float | None = None
    name: str | None = None
    is_bearing_true: bool | None = None
    is_course_true: bool | None = None
    is_reference: bool | None = None
    acquisition: str | None = None
    utc_of_day_s: float | None = None
    heading_deg: float | None = None
    is_cpa_alarm: bool | None = None
    is_test: bool | None = None
    is_over_ground: bool | None = None
    correlation_no: int | None = None


class RadarLabel(PayloadBase, frozen=True, tag="radar_label"):
    """Name that a radar operator gave to a target (IEC 61162-1 TLB); an empty label takes the name away."""

    target_no: int
    label: str


class RadarDisplay(PayloadBase, frozen=True, tag="radar_display"):
    """State of the radar itself (IEC 61162-1 OSD, RSD).

    Attributes:
        heading_deg: heading, degrees true; of a shore radar the orientation of its picture.
        course_deg: course, degrees true.
        speed_kn: speed, kn.
        range_m: range scale in use, m.
        orientation: "course_up", "head_up" or "north_up".
        cursor_distance_m: distance of the cursor, m.
        cursor_bearing_deg: bearing of the cursor, degrees from the heading line or true as the display is set.
        set_deg: direction that the current sets to, degrees true; its drift kn.
    """

    heading_deg: float | None = None
    course_deg: float | None = None
    speed_kn: float | None = None
    range_m: float | None = None
    orientation: str | None = None
    cursor_distance_m: float | None = None
    cursor_bearing_deg: float | None = None
    set_deg: float | None = None
    drift_kn: float | None = None
