"""The payload of a record, one type a kind of observation, told apart on the wire by ``type``.

One file because the union is the published language's vocabulary: it is read, compared and versioned as a whole.
"""

from enum import StrEnum

import msgspec

from contracts.payload_base import PayloadBase
from contracts.radar import RadarDisplay, RadarLabel, RadarTarget

FieldValue = int | float | str | bool | None


class AisStation(StrEnum):
    """What kind of station sent an AIS message (from its message type and the form of its MMSI, ITU-R M.585)."""

    CLASS_A = "class_a"
    CLASS_B = "class_b"
    BASE = "base"
    ATON = "aton"
    SAR_AIRCRAFT = "sar_aircraft"
    SURVIVAL = "survival"
    UNKNOWN = "unknown"


class Ais(PayloadBase, frozen=True, tag="ais"):
    """One AIS message (ITU-R M.1371-5), not-available values null.

    Attributes:
        msg_type: 1 to 27 (28: draft).
        mmsi: 9 digits of the sender, as transmitted.
        station: kind of sender.
        mmsi_class: form of the MMSI where it is not a ship's: a value of ``contracts.mmsi.MmsiClass``. Its sender is
            never class A or B.
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
        other: fields of this message type that have no attribute of their own, by their M.1371 names.
        receiver: station that heard it, as it names itself, where several are heard through one line.
        heard_at_ns: when that station heard it, UTC ns since 1970 by its own clock.
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
    other: dict[str, FieldValue] = msgspec.field(default_factory=dict)
    receiver: str | None = None
    heard_at_ns: int | None = None


class GnssFix(PayloadBase, frozen=True, tag="gnss_fix"):
    """What a GNSS receiver says of its antenna and of time, each sentence what it carries.

    Attributes:
        lon_deg: longitude WGS 84; likewise latitude.
        altitude_m: above mean sea level, m.
        quality: kind of fix, as GGA numbers them: 1 autonomous, 2 differential, 3 precise, 4 and 5 RTK, 6 estimated,
            7 manual, 8 simulated.
        satellites: in use.
        hdop: horizontal dilution of precision.
        sog_kn: speed over ground, kn.
        cog_deg: course over ground, degrees true.
        lon_error_m: standard deviation of the longitude, m; likewise of latitude and altitude.
        utc_of_day_s: of the fix, s since midnight UTC.
        utc_ns: UTC ns since 1970, where the sentence carries the date.
    """

    lon_deg: float | None = None
    lat_deg: float | None = None
    altitude_m: float | None = None
    quality: int | None = None
    satellites: int | None = None
    hdop: float | None = None
    sog_kn: float | None = None
    cog_deg: float | None = None
    lon_error_m: float | None = None
    lat_error_m: float | None = None
    altitude_error_m: float | None = None
    utc_of_day_s: float | None = None
    utc_ns: int | None = None


class Wind(PayloadBase, frozen=True, tag="wind"):
    """Wind at a fixed mast.

    Attributes:
        speed_mps: m/s, 0 to 100.
        direction_deg: it blows from, degrees true.
        gust_3s_mps: mean of the last 3 s, m/s (WMO-No. 8; what wind limits are stated by); null while samples do not
            cover 3 s.
        gust_10min_mps: highest such mean of the last 10 min, m/s: the gust that forecasts and reports mean.
    """

    speed_mps: float | None = None
    direction_deg: float | None = None
    gust_3s_mps: float | None = None
    gust_10min_mps: float | None = None


class Weather(PayloadBase, frozen=True, tag="weather"):
    """Air and water: temperatures °C, relative humidity % 0 to 100, pressure hPa; visibility m; dew point °C."""

    air_temperature_c: float | None = None
    humidity_pct: float | None = None
    pressure_hpa: float | None = None
    water_temperature_c: float | None = None
    visibility_m: float | None = None
    dew_point_c: float | None = None


class WaterLevel(PayloadBase, frozen=True, tag="water_level"):
    """Tide gauge: height of the water above the site's chart datum, m."""

    level_m: float | None = None


class Depth(PayloadBase, frozen=True, tag="depth"):
    """Depth of water below the transducer, m; offset of the transducer, m (positive: to the waterline)."""

    below_transducer_m: float | None = None
    offset_m: float | None = None


class CraneSample(PayloadBase, frozen=True, tag="crane_sample"):
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


class CraneCycle(PayloadBase, frozen=True, tag="crane_cycle"):
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


class BerthSample(PayloadBase, frozen=True, tag="berth_sample"):
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


class WaterSpeed(PayloadBase, frozen=True, tag="water_speed"):
    """Speed through water, kn, and heading, degrees true (IEC 61162-1 VHW)."""

    speed_kn: float | None = None
    heading_deg: float | None = None


class Transducer(PayloadBase, frozen=True, tag="transducer"):
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


class Alarm(PayloadBase, frozen=True, tag="alarm"):
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


class Log(PayloadBase, frozen=True, tag="log"):
    """A log event of the gateway or of a driver."""

    level: str
    event: str
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)


class HealthEvent(PayloadBase, frozen=True, tag="health"):
    """A change of health on the gateway: what it is about, whether it is well, and why."""

    subject: str
    is_healthy: bool
    reason: str = ""
    counters: dict[str, int] = msgspec.field(default_factory=dict)


class ClockSet(PayloadBase, frozen=True, tag="clock_set"):
    """The moment at which a gateway first knew the time of a boot.

    Whoever holds records of that boot that are marked unsynced and precede the moment can give them their time:
    ``utc_ns - (mono_ns - record.mono_ns)``, wrong by at most ``error_ms`` and the drift of the quartz in between.

    Attributes:
        boot_id: the boot.
        mono_ns: the moment by the monotonic clock of that boot, ns.
        utc_ns: the same moment, UTC ns since 1970.
        error_ms: bound of the error of ``utc_ns``, ms.
        source: what told the time: a value of ``contracts.records.ClockState``, never "unsynced".
        drift_ppm: how much the monotonic clock may run fast or slow, parts per million.
    """

    boot_id: str
    mono_ns: int
    utc_ns: int
    error_ms: float
    source: str
    drift_ppm: float


REASON_KEPT_ELSEWHERE = "kept_elsewhere"
"""Reason of gaps that are no loss: the same records come under another stream."""


class Gap(PayloadBase, frozen=True, tag="gap"):
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
    | ClockSet
    | Gap
)
