"""Has a fixed antenna moved? Fixes in, an alarm when it has and when it is back. Sans-io.

A single fix wanders by metres and a reflection by tens; the median of ``WINDOW_FIXES`` fixes does not. It must be away
by more than the limit of the profile, or five times the receiver's own error if that is more, for ``HOLD_NS``, and is
back once it has stayed within half of that for as long.

What moves an antenna: a truck against the mast, a storm, a technician, a thief; and spoofing, which moves it on paper.
"""

import math
from collections import deque
from statistics import median
from typing import NamedTuple

from contracts.payloads import Alarm, GnssFix

ALARM = "antenna_moved"
WINDOW_FIXES = 15
MIN_STEP_NS = 500_000_000
"""Fixes closer together are passed over (GGA and RMC of one epoch, receivers of 10 Hz): the window is at least 7 s."""
HOLD_NS = 30_000_000_000
ERRORS = 5.0
"""Multiples of the standard deviation: one false alarm in millions of medians."""
UERE_M = 5.0
"""User equivalent range error, m: times HDOP where the receiver gives no deviation (GST)."""
ERROR_AGE_NS = 30_000_000_000
MAX_REAL_FIX = 5

_M_PER_LAT_DEG = 111_195.0
"""On a sphere of the Earth's mean radius; a limit of tens of metres does not ask for an ellipsoid."""


class _Place(NamedTuple):
    lon_deg: float
    lat_deg: float


class AntennaPolicy:
    """See the module.

    Args:
        lon_deg: where the antenna stands, degrees WGS 84; None: where its first ``WINDOW_FIXES`` fixes say.
        lat_deg: likewise.
        limit_m: m.
    """

    def __init__(self, lon_deg: float | None, lat_deg: float | None, limit_m: float) -> None:
        self._home = None if lon_deg is None or lat_deg is None else _Place(lon_deg, lat_deg)
        self._limit_m = limit_m
        self._fixes: deque[_Place] = deque(maxlen=WINDOW_FIXES)
        self._fixed_at_ns: int | None = None
        self._error_m = 0.0
        self._error_at_ns: int | None = None
        self._since: tuple[int, int] | None = None
        self._raised_at_ns: int | None = None

    def observe(self, fix: GnssFix, wall_ns: int, mono_ns: int) -> Alarm | None:
        """Take one sentence; return the alarm that it raises or clears.

        Args:
            fix: what it says.
            wall_ns: UTC ns, when it was read.
            mono_ns: monotonic ns, when it was read, never falling.
        """
        self._note_error(fix, mono_ns)
        if fix.lon_deg is None or fix.lat_deg is None or (fix.quality or 0) > MAX_REAL_FIX:
            return None
        if self._fixed_at_ns is not None and mono_ns - self._fixed_at_ns < MIN_STEP_NS:
            return None
        if self._fixed_at_ns is not None and mono_ns - self._fixed_at_ns > HOLD_NS:
            self._fixes.clear()
            self._since = None
        self._fixed_at_ns = mono_ns
        self._fixes.append(_Place(fix.lon_deg, fix.lat_deg))
        if len(self._fixes) < WINDOW_FIXES:
            return None
        place = _Place(median(item.lon_deg for item in self._fixes), median(item.lat_deg for item in self._fixes))
        if self._home is None:
            self._home = place
        return self._judge(_distance_m(self._home, place), wall_ns, mono_ns)

    def _judge(self, away_m: float, wall_ns: int, mono_ns: int) -> Alarm | None:
        limit_m = max(self._limit_m, ERRORS * self._error_m)
        is_active = self._raised_at_ns is not None
        is_other = away_m <= limit_m / 2 if is_active else away_m > limit_m
        if not is_other:
            self._since = None
            return None
        self._since = self._since or (mono_ns, wall_ns)
        if mono_ns - self._since[0] < HOLD_NS:
            return None
        raised_at_ns = self._raised_at_ns or wall_ns
        self._raised_at_ns = None if is_active else wall_ns
        self._since = None
        return Alarm(
            alarm=ALARM,
            severity="warning",
            is_active=not is_active,
            value=round(away_m, 1),
            limit=round(limit_m, 1),
            unit="m",
            subject="antenna",
            raised_at_ns=raised_at_ns,
        )

    def _note_error(self, fix: GnssFix, mono_ns: int) -> None:
        if fix.lon_error_m is not None and fix.lat_error_m is not None:
            self._error_m, self._error_at_ns = math.hypot(fix.lon_error_m, fix.lat_error_m), mono_ns
        elif fix.hdop is not None and (self._error_at_ns is None or mono_ns - self._error_at_ns > ERROR_AGE_NS):
            self._error_m = fix.hdop * UERE_M


def _distance_m(start: _Place, end: _Place) -> float:
    north = (end.lat_deg - start.lat_deg) * _M_PER_LAT_DEG
    # the shorter way round, for an antenna at the date line
    east_deg = (end.lon_deg - start.lon_deg + 180) % 360 - 180
    return math.hypot(north, east_deg * _M_PER_LAT_DEG * math.cos(math.radians(start.lat_deg)))
