"""Sentences of IEC 61162-1 as the demonstration's instruments send them. Sans-io.

*Source:* NMEA 0183 4.10, sentences MWV, MWD, MDA, XDR, MTW, DPT; the checksum is the exclusive or of what is between
``$`` and ``*``.
"""

from edge_agent.simulation.geometry import KNOT_MPS

VARIATION_DEG = 1.0
"""Magnetic variation off Sagunto in 2026, east positive (World Magnetic Model, rounded)."""
DEPTH_RANGE_M = 100.0
INHG_HPA = 33.8638866667


def framed(body: str) -> str:
    """Return a sentence of its body (``WIMWV,…``), with checksum and line end."""
    checksum = 0
    for character in body.encode("ascii"):
        checksum ^= character
    return f"${body}*{checksum:02X}\r\n"


def mwv(direction_deg: float, speed_mps: float) -> str:
    """Return wind speed and angle: true, from true north at a fixed mast, m/s."""
    return framed(f"WIMWV,{direction_deg % 360:.1f},T,{speed_mps:.1f},M,A")


def mwd(direction_deg: float, speed_mps: float) -> str:
    """Return wind direction and speed: degrees true and magnetic, kn and m/s."""
    magnetic = (direction_deg - VARIATION_DEG) % 360
    return framed(f"WIMWD,{direction_deg % 360:.1f},T,{magnetic:.1f},M,{speed_mps / KNOT_MPS:.1f},N,{speed_mps:.1f},M")


def dpt(below_transducer_m: float, offset_m: float) -> str:
    """Return depth below the transducer and its offset to the waterline, m."""
    return framed(f"SDDPT,{below_transducer_m:.2f},{offset_m:.1f},{DEPTH_RANGE_M:.0f}")


def mtw(water_c: float) -> str:
    """Return the water's temperature, °C."""
    return framed(f"YXMTW,{water_c:.1f},C")


def mda(air: tuple[float, float, float, float], direction_deg: float, speed_mps: float) -> str:
    """Return the mast's whole weather.

    Args:
        air: temperature °C, relative humidity %, pressure hPa, dew point °C.
        direction_deg: of the wind, degrees true.
        speed_mps: of the wind.
    """
    air_c, humidity_pct, hpa, dew_c = air
    magnetic = (direction_deg - VARIATION_DEG) % 360
    wind = f"{direction_deg % 360:.1f},T,{magnetic:.1f},M,{speed_mps / KNOT_MPS:.1f},N,{speed_mps:.1f},M"
    pressure = f"{hpa / INHG_HPA:.2f},I,{hpa / 1000:.4f},B"
    return framed(f"WIMDA,{pressure},{air_c:.1f},C,,,{humidity_pct:.1f},,{dew_c:.1f},C,{wind}")


def xdr(*quadruples: tuple[str, float, str, str]) -> str:
    """Return transducers: type, value, unit and name of each."""
    return framed("WIXDR," + ",".join(f"{kind},{value:.4g},{unit},{name}" for kind, value, unit, name in quadruples))
