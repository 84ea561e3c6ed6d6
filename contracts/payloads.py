"""The payload of a record, one type a kind of observation, told apart on the wire by ``type``.

One file because the union is the published language's vocabulary: it is read, compared and versioned as a whole.
"""

from enum import StrEnum

import msgspec

FieldValue = int | float | str | bool | None


class _Payload(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Common wire options of all payloads."""


class AisStation(StrEnum):
    """What kind of station sent an AIS message (from its message type and the form of its MMSI, ITU-R M.585)."""

    CLASS_A = "class_a"
    CLASS_B = "class_b"
    BASE = "base"
    ATON = "aton"
    SAR_AIRCRAFT = "sar_aircraft"
    SURVIVAL = "survival"
    UNKNOWN = "unknown"


class Ais(_Payload, frozen=True, tag="ais"):
    """One AIS message (ITU-R M.1371-5), not-available values null.

    Attributes:
        msg_type: 1 to 27 (28: draft).
        mmsi: 9 digits of the sender, as transmitted.
        station: kind of sender.
        mmsi_class: form of the MMSI where it is not a ship's (``contracts.mmsi.MmsiClass``: "handheld", "auxiliary_craft",
            "mob", "illegal", …); a sender of another form is never class A or B.
        talker: NMEA talker id of the receiver ("AI", "BS", …).
        is_own: the sentence was VDO, the receiver's own transponder.
        channel: VHF channel "A" or "B".
        lon_deg: longitude WGS 84, -180 to 180, east positive.
        lat_deg: latitude WGS 84, -90 to 90, north positive.
        sog_kn: speed over ground, 0 to 102.2 kn (aircraft: 0 to 1,022 kn).
        cog_deg: course over ground, degrees true, 0 to 359.9.
        heading_deg: true heading, 0 to 359.
        rot_deg_min: rate of turn, degrees a minute, starboard positive.
        nav_status: navigational status 0 to 14 (15 is "not defined": null).
        utc_second: second of the minute that the position was taken, 0 to 59.
        is_position_accurate: accuracy flag, true is better than 10 m.
        name: ship or station name, padding removed.
        callsign: call sign.
        imo: IMO number.
        ship_type: ship and cargo type 1 to 99.
        to_bow_m: reference point to bow, m; likewise stern, port and starboard.
        draught_m: present static draught, 0.1 to 25.5 m.
        destination: destination as typed by the crew.
        eta_month: month of the estimated time of arrival, 1 to 12; likewise day, hour and minute, UTC.
        mothership_mmsi: ship that an auxiliary craft belongs to.
        other: fields of this message type that have no attribute of their own, by their M.1371 names.
    """

    msg_type: int
    mmsi: int
    station: AisStation = AisStation.UNKNOWN
    mmsi_class: str | None = None
    talker: str | None = None
    is_own: bool = False
    channel: str | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    sog_kn: float | None = None
    cog_deg: float | None = None
    heading_deg: int | None = None
    rot_deg_min: float | None = None
    nav_status: int | None = None
    utc_second: int | None = None
    is_position_accurate: bool | None = None
    name: str | None = None
    callsign: str | None = None
    imo: int | None = None
    ship_type: int | None = None
    to_bow_m: int | None = None
    to_stern_m: int | None = None
    to_port_m: int | None = None
    to_starboard_m: int | None = None
    draught_m: float | None = None
    destination: str | None = None
    eta_month: int | None = None
    eta_day: int | None = None
    eta_hour: int | None = None
    eta_minute: int | None = None
    mothership_mmsi: int | None = None
    other: dict[str, FieldValue] = msgspec.field(default_factory=dict)


class RadarTarget(_Payload, frozen=True, tag="radar_target"):
    """One tracked radar target (IEC 61162-1 TTM, TLL), relative to the radar where it has no position."""

    target_no: int
    status: str
    distance_m: float | None = None
    bearing_deg: float | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    sog_kn: float | None = None
    cog_deg: float | None = None
    cpa_m: float | None = None
    tcpa_s: float | None = None
    name: str | None = None


class GnssFix(_Payload, frozen=True, tag="gnss_fix"):
    """Position of the gateway's own antenna: WGS 84 degrees, altitude above mean sea level m, HDOP."""

    lon_deg: float | None = None
    lat_deg: float | None = None
    altitude_m: float | None = None
    quality: int | None = None
    satellites: int | None = None
    hdop: float | None = None


class Wind(_Payload, frozen=True, tag="wind"):
    """Wind at a fixed mast: speed m/s 0 to 100, direction it blows from, degrees true; 3-second gust m/s."""

    speed_mps: float | None = None
    direction_deg: float | None = None
    gust_3s_mps: float | None = None


class Weather(_Payload, frozen=True, tag="weather"):
    """Air: temperature °C, relative humidity % 0 to 100, pressure hPa; water temperature °C; visibility m."""

    air_temperature_c: float | None = None
    humidity_pct: float | None = None
    pressure_hpa: float | None = None
    water_temperature_c: float | None = None
    visibility_m: float | None = None


class WaterLevel(_Payload, frozen=True, tag="water_level"):
    """Tide gauge: height of the water above the site's chart datum, m."""

    level_m: float | None = None


class Depth(_Payload, frozen=True, tag="depth"):
    """Depth of water below the transducer, m; offset of the transducer, m (positive: to the waterline)."""

    below_transducer_m: float | None = None
    offset_m: float | None = None


class CraneSample(_Payload, frozen=True, tag="crane_sample"):
    """State of a ship-to-shore crane.

    Attributes:
        hoist_load_t: load under the spreader, t.
        is_spreader_locked: twist-locks closed on a unit.
        is_spreader_landed: spreader rests on a unit.
        trolley_m: trolley position from the waterside rail, m, seaward positive.
        hoist_m: height of the spreader above the quay, m.
        gantry_m: position of the crane along the quay, m of chainage.
        wind_mps: wind at the boom, m/s.
        is_twin: the spreader is set to two 20-foot units.
        cycle_no: lifts that the PLC has counted since its counter began.
        plc_boot_no: how often the PLC has started, as it counts itself.
    """

    hoist_load_t: float | None = None
    is_spreader_locked: bool | None = None
    is_spreader_landed: bool | None = None
    trolley_m: float | None = None
    hoist_m: float | None = None
    gantry_m: float | None = None
    wind_mps: float | None = None
    is_twin: bool | None = None
    cycle_no: int | None = None
    plc_boot_no: int | None = None


class CraneCycle(_Payload, frozen=True, tag="crane_cycle"):
    """One lift of a crane, from locked to unlocked; (plc_boot_id, cycle_no) identifies it.

    Attributes:
        plc_boot_id: epoch that the number counts in: a start of the PLC, or of the count where the PLC keeps none.
        cycle_no: number of the lift in that epoch.
        locked_at_ns: UTC ns when the twist-locks closed; of a lift that was first seen under way, when it was seen.
        unlocked_at_ns: UTC ns when they opened.
        gross_t: what hung under the spreader, t.
        direction: "load", "discharge", "restow" (ship to ship) or "shift" (quay to quay).
        kind: "container", "twin", "hatch_cover" or "bin".
        is_lock_seen: false for a lift that was under way when the driver began to look.
    """

    plc_boot_id: str
    cycle_no: int
    locked_at_ns: int
    unlocked_at_ns: int
    gross_t: float | None = None
    direction: str | None = None
    kind: str | None = None
    is_lock_seen: bool | None = None


class BerthSample(_Payload, frozen=True, tag="berth_sample"):
    """A berth's mooring hooks and docking lasers.

    Attributes:
        hook_tension_kn: tension of each hook, kN, in hook order.
        distance_m: fender line to hull, m; with several lasers the nearest.
        approach_speed_mps: speed towards the quay, m/s; with several lasers the highest.
        hook_load_pct: tension in % of the breaking load of the line, in hook order.
        laser_distance_m: distance of each docking laser, m, in laser order.
        laser_approach_mps: speed of approach at each laser, m/s, in laser order.
    """

    hook_tension_kn: list[float | None] = msgspec.field(default_factory=list)
    distance_m: float | None = None
    approach_speed_mps: float | None = None
    hook_load_pct: list[float | None] | None = None
    laser_distance_m: list[float | None] | None = None
    laser_approach_mps: list[float | None] | None = None


class RadarLabel(_Payload, frozen=True, tag="radar_label"):
    """Name that a radar operator gave to a target (IEC 61162-1 TLB); an empty label takes the name away."""

    target_no: int
    label: str


class RadarDisplay(_Payload, frozen=True, tag="radar_display"):
    """State of the radar itself (IEC 61162-1 OSD, RSD).

    Attributes:
        heading_deg: heading, degrees true; of a shore radar the orientation of its picture.
        course_deg: course, degrees true.
        speed_kn: speed, kn.
        range_m: range scale in use, m.
        orientation: "course_up", "head_up" or "north_up".
        cursor_distance_m: distance of the cursor, m.
        cursor_bearing_deg: bearing of the cursor, degrees from the heading line or true as the display is set.
    """

    heading_deg: float | None = None
    course_deg: float | None = None
    speed_kn: float | None = None
    range_m: float | None = None
    orientation: str | None = None
    cursor_distance_m: float | None = None
    cursor_bearing_deg: float | None = None


class WaterSpeed(_Payload, frozen=True, tag="water_speed"):
    """Speed through water, kn, and heading, degrees true (IEC 61162-1 VHW)."""

    speed_kn: float | None = None
    heading_deg: float | None = None


class Transducer(_Payload, frozen=True, tag="transducer"):
    """One measurement of a transducer that has no payload of its own (IEC 61162-1 XDR).

    Attributes:
        name: transducer id as its maker wrote it.
        quantity: what it measures ("angle", "temperature", "pressure", "humidity", "linear", "force", …).
        value: the measurement, in ``unit``.
        unit: "deg", "°C", "hPa", "%", "m", "N", "V", "A", "m³", "Hz", "g/m³", …; one a quantity.
    """

    name: str
    quantity: str
    value: float | None = None
    unit: str = ""


class Alarm(_Payload, frozen=True, tag="alarm"):
    """A limit of the profile was passed, or is kept again. Made at the edge, whether or not the cloud can be reached.

    Attributes:
        alarm: kind, a word of the profile ("crane_wind_stop", "mooring_tension_high", "approach_speed", …).
        severity: "warning" or "alarm".
        is_active: raised, or cleared.
        value: what was measured, in ``unit``.
        limit: limit that decided, in ``unit``.
        unit: unit of both.
        subject: part of the place that it is about (hook 3, boom), empty for the whole.
        raised_at_ns: UTC ns of the sample that raised it; the same in the record that clears it.
    """

    alarm: str
    severity: str
    is_active: bool
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    subject: str = ""
    raised_at_ns: int = 0


class Log(_Payload, frozen=True, tag="log"):
    """A log event of the gateway or of a driver."""

    level: str
    event: str
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)


class HealthEvent(_Payload, frozen=True, tag="health"):
    """A change of health on the gateway: what it is about, whether it is well, and why."""

    subject: str
    is_healthy: bool
    reason: str = ""
    counters: dict[str, int] = msgspec.field(default_factory=dict)


class Gap(_Payload, frozen=True, tag="gap"):
    """Records that will never come, declared: sequence numbers ``first_seq`` to ``last_seq`` and the reason.

    A record with this payload has ``seq == first_seq`` and accounts for the whole range.
    """

    first_seq: int
    last_seq: int
    reason: str


Payload = (
    Ais
    | RadarTarget
    | GnssFix
    | Wind
    | Weather
    | WaterLevel
    | Depth
    | CraneSample
    | CraneCycle
    | BerthSample
    | RadarLabel
    | RadarDisplay
    | WaterSpeed
    | Transducer
    | Alarm
    | Log
    | HealthEvent
    | Gap
)
