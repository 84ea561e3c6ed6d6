"""A radar on the control tower that tracks the ships of the same world. Sans-io, seeded.

What it says is wrong by as much as the performance standard lets a radar be: range by 50 m or 1 %, bearing by 2
degrees. It acquires a target in five scans, numbers targets from ``FIRST_NO`` (real ones do not stop at 99), and tells
once that it has lost one. There is no clutter, no shadow of a quay or a hull, no swap of tracks.

*Source:* IMO MSC.192(79) clauses 5.3.2 (accuracy), 5.25 (tracking); IEC 61162-1:2016 clauses 8.3.70 (OSD), 8.3.80
(RSD), 8.3.92 (TLB), 8.3.93 (TLL), 8.3.98 (TTM).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_agent.simulation.geometry import KNOT_MPS, Plane, Point, bearing_deg, distance_m, moved
from edge_agent.simulation.gnss import degrees_minutes
from edge_agent.simulation.sentences import framed
from edge_agent.simulation.traffic import Ship

SCAN_S = 3.0
"""20 turns a minute, as a radar of a VTS."""
NM_M = 1852.0
RANGE_NM = 12.0
RANGE_ERROR_M, RANGE_ERROR_SHARE, BEARING_ERROR_DEG = 50.0, 0.01, 2.0
"""Largest errors; half of each is the standard deviation, what is beyond is cut."""
SPEED_ERROR_KN, COURSE_ERROR_DEG = 0.5, 2.0
FIRST_NO = 95
SCANS_TO_TRACK = 5
POSITIONS_EVERY, LABELS_EVERY, STATE_EVERY = 4, 20, 10
"""Scans between two TLL of a target, two TLB and two reports of the radar's own state."""
LABELS_A_SENTENCE = 4
CREEP_MPS = 0.05


@dataclass
class _Track:
    number: int
    scans: int = 0


class Radar:
    """One radar.

    Args:
        place: where its antenna stands.
        plane: of the harbour.
        seed: of the run.
    """

    def __init__(self, place: Point, plane: Plane, seed: int) -> None:
        self._place = place
        self._plane = plane
        self._random = random.Random(f"{seed}-radar")
        self._tracks: dict[int, _Track] = {}
        self._next_no = FIRST_NO
        self._scans = 0

    def scan(self, ships: Sequence[Ship], utc_s: float) -> list[str]:
        """Return the sentences of one turn of the antenna.

        Args:
            ships: all there are.
            utc_s: seconds since 1970.
        """
        self._scans += 1
        lines = []
        for ship in ships:
            if distance_m(self._place, ship.motion.position) <= RANGE_NM * NM_M:
                track = self._tracks.get(ship.spec.mmsi) or self._acquire(ship.spec.mmsi)
                track.scans += 1
                lines += self._target(ship, track, utc_s)
            elif ship.spec.mmsi in self._tracks:
                lost = self._tracks.pop(ship.spec.mmsi)
                lines.append(framed(f"RATTM,{lost.number:02d},,,,,,,,,N,,L,,{_clock(utc_s)},A"))
        if self._scans % LABELS_EVERY == 0:
            lines += self._labels(ships)
        if self._scans % STATE_EVERY == 1:
            lines.append(framed("RAOSD,0.0,A,,,,,,,N"))
            lines.append(framed(f"RARSD,,,,,,,,,,,{RANGE_NM:.0f},N,N"))
        return lines

    def _acquire(self, mmsi: int) -> _Track:
        track = self._tracks[mmsi] = _Track(self._next_no)
        # numbers are given again after 999, as in TTD's ten bits
        self._next_no = self._next_no + 1 if self._next_no < 999 else 1  # noqa: PLR2004 - three digits
        return track

    def _target(self, ship: Ship, track: _Track, utc_s: float) -> list[str]:
        motion = ship.motion
        away_m, towards_deg = distance_m(self._place, motion.position), bearing_deg(self._place, motion.position)
        away_m = max(0.0, away_m + self._error(max(RANGE_ERROR_M, RANGE_ERROR_SHARE * away_m)))
        towards_deg = (towards_deg + self._error(BEARING_ERROR_DEG)) % 360
        speed_kn = max(0.0, motion.sog_kn + self._error(SPEED_ERROR_KN))
        course_deg = (motion.cog_deg + self._error(COURSE_ERROR_DEG)) % 360
        cpa_m, tcpa_s = closest_approach(away_m, towards_deg, speed_kn * KNOT_MPS, course_deg)
        status = "T" if track.scans >= SCANS_TO_TRACK else "Q"
        movement = f"{speed_kn:.1f},{course_deg % 360:.1f},T,{cpa_m / NM_M:.2f},{tcpa_s / 60:.1f}"
        target = f"{track.number:02d},{away_m / NM_M:.3f},{towards_deg:.1f},T,{movement},N"
        lines = [framed(f"RATTM,{target},,{status},,{_clock(utc_s)},A")]
        if (self._scans + track.number) % POSITIONS_EVERY == 0:
            lon_deg, lat_deg = self._plane.degrees(moved(self._place, towards_deg, away_m))
            place = f"{degrees_minutes(lat_deg, 2)},{'N' if lat_deg >= 0 else 'S'},"
            place += f"{degrees_minutes(lon_deg, 3)},{'E' if lon_deg >= 0 else 'W'}"
            lines.append(framed(f"RATLL,{track.number:02d},{place},,{_clock(utc_s)},{status},"))
        return lines

    def _labels(self, ships: Sequence[Ship]) -> list[str]:
        names = {ship.spec.mmsi: ship.spec.name for ship in ships}
        pairs = [f"{track.number},{names[mmsi]}" for mmsi, track in self._tracks.items()]
        return [
            framed("RATLB," + ",".join(pairs[start : start + LABELS_A_SENTENCE]))
            for start in range(0, len(pairs), LABELS_A_SENTENCE)
        ]

    def _error(self, limit: float) -> float:
        return max(-limit, min(limit, self._random.gauss(0, limit / 2)))


def closest_approach(away_m: float, towards_deg: float, speed_mps: float, course_deg: float) -> tuple[float, float]:
    """Return the distance of the closest approach to a radar that stands still, m, and the time to it, s.

    Args:
        away_m: distance of the target.
        towards_deg: its bearing.
        speed_mps: its speed; one that hardly moves is nearest now.
        course_deg: its course.
    """
    if speed_mps < CREEP_MPS:
        return away_m, 0.0
    angle = math.radians(course_deg - towards_deg)
    return abs(away_m * math.sin(angle)), -away_m * math.cos(angle) / speed_mps


def _clock(utc_s: float) -> str:
    return f"{datetime.fromtimestamp(utc_s, UTC):%H%M%S}"
