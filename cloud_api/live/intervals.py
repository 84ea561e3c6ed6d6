"""How often a station should be heard, when its last word is stale, and when it leaves the picture. Pure policy.

*Source:* ITU-R M.1371-5, annex 1, clause 4.2.1, tables 1 and 2 (reporting intervals); IEC 61097-14 (AIS-SART: a burst
each minute). Intervals while turning (3 1/3 s, 2 s) are not used: the longer one of the speed band decides, so that a
ship that ends its turn is not called stale.
"""

from contracts.payloads import AisStation

AT_ANCHOR = 1
MOORED = 5
AGROUND = 6
LONG_RANGE_TYPE = 27

REST_KN = 3.0
"""Class A at anchor, moored or aground reports every 3 min up to this speed, then as under way."""
CLASS_B_SLOW_KN = 2.0
"""Class B reports every 3 min up to this speed."""
CLASS_A_BANDS: tuple[tuple[float, float], ...] = ((23.0, 2.0), (14.0, 6.0), (-1.0, 10.0))
"""Class A under way: above this speed, kn, a report every so many seconds."""

STALE_INTERVALS = 3
"""Reports that may be lost in a row before a value is called stale: one lost slot is daily life on the VDL."""
MIN_STALE_S = 60.0
"""Shortest age called stale: a receiver that hands over in bursts must not make ships blink."""

EXPIRE_MOVING_S = 20 * 60.0
"""A moving ship's last position after 20 min is up to 7 NM wrong at 20 kn: it misleads more than it helps."""
EXPIRE_RESTING_S = 60 * 60.0
"""Moored or at anchor: 20 reports of 3 min missed in a row; the ship itself is most likely still there."""
EXPIRE_SURVIVAL_S = 6 * 60 * 60.0
"""A survival craft's last known position is where a search begins: kept for six hours."""

SENSOR_STALE_S: dict[str, float] = {
    "wind": 15.0,
    "depth": 15.0,
    "gnss_fix": 15.0,
    "crane_sample": 10.0,
    "berth_sample": 20.0,
    "water_level": 900.0,
    "weather": 900.0,
    "water_speed": 15.0,
    "transducer": 300.0,
    "radar_display": 60.0,
}
"""Age at which a sensor's value is stale, s. Instruments that talk each second: 15 missed. Cranes repeat an unchanged
sample after 1 s and berths after 5 s, whatever happens. Tide gauges and weather stations report every 1 to 5 min."""

EXPIRE_SENSOR_S = 24 * 60 * 60.0
"""A sensor silent for a day was taken down or renamed; until then its absence has to be seen."""
EXPIRE_GATEWAY_S = 7 * 24 * 60 * 60.0
"""A gateway silent for a week is for the fleet's inventory to remember, not for the live picture."""
GATEWAY_ONLINE_S = 10.0
"""docs/http_api.md: a gateway is online while a status came in the last 10 s (it sends one every 2 s)."""


def nominal_interval_s(
    station: AisStation, sog_kn: float | None, nav_status: int | None, msg_type: int | None = None
) -> float:
    """Return how often a station in this state reports its position, s.

    Args:
        station: kind of sender.
        sog_kn: speed over ground, kn; None is not available.
        nav_status: navigational status 0 to 14; None is not available.
        msg_type: AIS message type of the last position; 27 comes from ships out of range of the others.
    """
    if msg_type == LONG_RANGE_TYPE:
        return 180.0
    if station is AisStation.CLASS_A:
        return _class_a_interval_s(sog_kn or 0.0, nav_status)
    if station is AisStation.CLASS_B:
        return 180.0 if sog_kn is not None and sog_kn <= CLASS_B_SLOW_KN else 30.0
    if station in (AisStation.BASE, AisStation.SAR_AIRCRAFT):
        return 10.0
    if station is AisStation.SURVIVAL:
        return 60.0
    return 180.0


def stale_after_s(
    station: AisStation, sog_kn: float | None, nav_status: int | None, msg_type: int | None = None
) -> float:
    """Return the age at which the last position is stale, s. Arguments as ``nominal_interval_s``."""
    return max(MIN_STALE_S, STALE_INTERVALS * nominal_interval_s(station, sog_kn, nav_status, msg_type))


def expire_after_s(station: AisStation, sog_kn: float | None, nav_status: int | None) -> float:
    """Return the age at which a target leaves the picture, s. Arguments as ``nominal_interval_s``."""
    if station is AisStation.SURVIVAL:
        return EXPIRE_SURVIVAL_S
    if station in (AisStation.BASE, AisStation.SAR_AIRCRAFT):
        return EXPIRE_MOVING_S
    is_slow = sog_kn is not None and sog_kn <= CLASS_B_SLOW_KN
    if is_slow or station is AisStation.ATON or _is_at_rest(sog_kn or 0.0, nav_status):
        return EXPIRE_RESTING_S
    return EXPIRE_MOVING_S


def _class_a_interval_s(sog_kn: float, nav_status: int | None) -> float:
    if _is_at_rest(sog_kn, nav_status):
        return 180.0
    return next(interval_s for above_kn, interval_s in CLASS_A_BANDS if sog_kn > above_kn)


def _is_at_rest(sog_kn: float, nav_status: int | None) -> bool:
    return nav_status in (AT_ANCHOR, MOORED, AGROUND) and sog_kn <= REST_KN
