"""A GNSS receiver on the control tower: its place with an error of metres, and UTC. Sans-io, seeded.

It speaks ``LATENCY_S`` after its fix, as receivers do. Where simulated time does not run with the real one it says by
its mode that it is a simulator, so that no driver takes the time from it.

*Source:* IEC 61162-1:2016 clauses 8.3.40 (GGA), 8.3.46 (GST), 8.3.77 (RMC), 8.3.117 (ZDA).
"""

import math
import random
from datetime import UTC, datetime

from edge_agent.simulation.geometry import Plane, Point
from edge_agent.simulation.sentences import VARIATION_DEG, framed

LATENCY_S = 0.2
ERROR_M, ERROR_MEMORY_S = 1.5, 60.0
ALTITUDE_M, GEOID_M, HDOP, SATELLITES = 31.5, 50.1, 0.8, 14
REAL, SIMULATED = (1, "A"), (8, "S")
"""Quality of GGA, mode of RMC."""


class GnssReceiver:
    """One receiver.

    Args:
        antenna: where it stands.
        plane: of the harbour.
        seed: of the run.
        is_real_time: simulated time runs with the real one.
    """

    def __init__(self, antenna: Point, plane: Plane, seed: int, *, is_real_time: bool) -> None:
        self._antenna = antenna
        self._plane = plane
        self._random = random.Random(f"{seed}-gnss")
        self._quality, self._mode = REAL if is_real_time else SIMULATED
        self._east_m = self._north_m = 0.0

    def sentences(self, utc_s: float) -> list[str]:
        """Return what it sends of a fix; to be called once a second.

        Args:
            utc_s: of the fix, seconds since 1970.
        """
        keep = math.exp(-1 / ERROR_MEMORY_S)
        spread = ERROR_M * math.sqrt(1 - keep * keep)
        self._east_m = self._east_m * keep + spread * self._random.gauss(0, 1)
        self._north_m = self._north_m * keep + spread * self._random.gauss(0, 1)
        where = Point(self._antenna.x_m + self._east_m, self._antenna.y_m + self._north_m)
        lon_deg, lat_deg = self._plane.degrees(where)
        place = f"{degrees_minutes(lat_deg, 2)},{'N' if lat_deg >= 0 else 'S'},"
        place += f"{degrees_minutes(lon_deg, 3)},{'E' if lon_deg >= 0 else 'W'}"
        now = datetime.fromtimestamp(utc_s, UTC)
        clock = f"{now:%H%M%S}.{now.microsecond // 1000:03d}"
        height = f"{ALTITUDE_M:.1f},M,{GEOID_M:.1f},M,,"
        return [
            framed(f"GPRMC,{clock},A,{place},0.0,,{now:%d%m%y},{VARIATION_DEG:.1f},E,{self._mode}"),
            framed(f"GPGGA,{clock},{place},{self._quality},{SATELLITES},{HDOP:.1f},{height}"),
            framed(f"GPZDA,{clock},{now:%d,%m,%Y},00,00"),
            framed(f"GPGST,{clock},{ERROR_M * 2:.1f},,,,{ERROR_M:.1f},{ERROR_M:.1f},{ERROR_M * 2:.1f}"),
        ]


def degrees_minutes(value_deg: float, digits: int) -> str:
    """Return an angle as degrees of ``digits`` digits and minutes of four decimals, without its sign."""
    minutes = round(abs(value_deg) * 60 * 10_000)
    return f"{minutes // 600_000:0{digits}d}{minutes % 600_000 / 10_000:07.4f}"
