"""When each AIS station reports. Sans-io.

At the start, and whenever a reader attaches to the receiver, every station is heard once within the first seconds: a
demonstration cannot wait six minutes for a name.

*Source:* ITU-R M.1371-5, tables 1 and 2 (reporting intervals).
"""

import random
from dataclasses import dataclass

STATIC_S = 360.0
BASE_S = 10.0
AID_S = 180.0
POSITIONS_WITHIN_S = 10.0
STATICS_WITHIN_S = 20.0
TURNING_DEG_S = 0.15
"""A rate of turn that counts as changing course."""
MOORED_KN, CLASS_B_SLOW_KN = 3.0, 2.0
FAST_KN, FASTER_KN = 14.0, 23.0


def class_a_interval_s(sog_kn: float, turn_deg_s: float, *, is_fast: bool) -> float:
    """Return the reporting interval of a class A station.

    Args:
        sog_kn: speed over ground.
        turn_deg_s: rate of turn.
        is_fast: at anchor or moored, by its navigational status.
    """
    if is_fast and sog_kn <= MOORED_KN:
        return 180.0
    is_turning = abs(turn_deg_s) >= TURNING_DEG_S
    if sog_kn <= FAST_KN:
        return 10 / 3 if is_turning else 10.0
    if sog_kn <= FASTER_KN:
        return 2.0 if is_turning else 6.0
    return 2.0


def class_b_interval_s(sog_kn: float) -> float:
    """Return the reporting interval of a class B carrier-sense station."""
    return 180.0 if sog_kn <= CLASS_B_SLOW_KN else 30.0


@dataclass
class Timer:
    """One station's clock: when it last reported its position, and when its static data are due."""

    position_s: float
    static_s: float

    def is_position_due(self, now_s: float, interval_s: float) -> bool:
        """Tell whether the position is due, and if so, note that it is sent.

        The interval is the present one: a ship that puts to sea is not silent for the rest of its three minutes.
        """
        if now_s - self.position_s < interval_s:
            return False
        # keep the phase, unless the interval has just become shorter
        on_time = self.position_s + interval_s
        self.position_s = on_time if now_s - on_time < interval_s else now_s
        return True

    def is_static_due(self, now_s: float) -> bool:
        """Tell whether the static data are due, and if so, note that they are sent."""
        if now_s < self.static_s:
            return False
        self.static_s = max(now_s, self.static_s) + STATIC_S
        return True


class Schedule:
    """Timers of all stations, by MMSI."""

    def __init__(self, stations: list[int], seed: int) -> None:
        self._random = random.Random(f"{seed}-reporting")
        self._first_s: dict[int, float] = {}
        self._timers = {mmsi: Timer(0.0, 0.0) for mmsi in stations}
        self.announce(0.0)

    def announce(self, now_s: float) -> None:
        """Let every station be heard within ``POSITIONS_WITHIN_S``, its static data within ``STATICS_WITHIN_S``."""
        for mmsi, timer in self._timers.items():
            self._first_s[mmsi] = now_s + self._random.uniform(0, POSITIONS_WITHIN_S)
            timer.static_s = now_s + self._random.uniform(POSITIONS_WITHIN_S / 2, STATICS_WITHIN_S)

    def is_position_due(self, mmsi: int, now_s: float, interval_s: float) -> bool:
        """Tell whether a station's position is due; see ``Timer.is_position_due``."""
        first_s = self._first_s.get(mmsi)
        if first_s is None:
            return self._timers[mmsi].is_position_due(now_s, interval_s)
        if now_s < first_s:
            return False
        del self._first_s[mmsi]
        self._timers[mmsi].position_s = now_s
        return True

    def is_static_due(self, mmsi: int, now_s: float) -> bool:
        """Tell whether a station's static data are due."""
        return self._timers[mmsi].is_static_due(now_s)
