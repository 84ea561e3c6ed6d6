"""An instrumented berth: tension of six mooring hooks and a docking laser. Sans-io, seeded.

Lines are made fast over some minutes; tension then follows the wind off the quay, the long waves in the basin and the
swell. Without a ship the hooks show nothing and the laser nothing within its range.

*Source:* order of magnitude of PIANC MarCom report 24 (moored ships); hooks of 1,250 kN.
"""

import math
import random

HOOKS = 6
FAST_S = 240.0
"""From the first line to the last."""
PRETENSION_KN = (95.0, 110.0, 70.0, 65.0, 105.0, 90.0)
"""Head, head, spring, spring, stern, stern."""
WIND_KN = 0.9
"""Added for each (m/s)² of wind."""
SURGE_PERIOD_S, SWELL_PERIOD_S = 42.0, 8.5
LASER_RANGE_M = 300.0
NO_TARGET_MM = 0xFFFFFFFF / 1000
"""What the laser shows without a target, m: full scale."""

NO_TARGET_CM = 0xFFFF / 100
"""The same of a laser that counts centimetres in one register, m."""
STERN_OFF_M = 0.15


class Mooring:
    """One berth, stepped by its owner.

    Attributes:
        tension_kn: of each hook.
        distance_m: fender line to hull, None without a target.
        approach_mps: speed towards the quay.
    """

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(f"{seed}-mooring")
        self._phase = self._random.uniform(0, 2 * math.pi)
        self._fast_for_s = FAST_S
        self.tension_kn = [0.0] * HOOKS
        self.distance_m: float | None = None
        self.approach_mps = 0.0

    def step(self, now_s: float, step_s: float, wind_mps: float, distance_m: float | None, *, is_fast: bool) -> None:
        """Advance by one step.

        Args:
            now_s: simulated time.
            step_s: 0 to 1 s.
            wind_mps: at the mast.
            distance_m: fender line to the nearest hull abreast of the laser, None if there is none.
            is_fast: a ship lies alongside with its lines out.
        """
        before = self.distance_m
        self.distance_m = distance_m if distance_m is not None and distance_m <= LASER_RANGE_M else None
        is_measured = before is not None and self.distance_m is not None
        self.approach_mps = ((before or 0.0) - (self.distance_m or 0.0)) / step_s if is_measured else 0.0
        self._fast_for_s = min(FAST_S, self._fast_for_s + step_s) if is_fast else 0.0
        surge = 14 * math.sin(2 * math.pi * now_s / SURGE_PERIOD_S + self._phase)
        swell = 5 * math.sin(2 * math.pi * now_s / SWELL_PERIOD_S)
        for hook, pretension in enumerate(PRETENSION_KN):
            # hooks are loaded one after the other
            share = max(0.0, min(1.0, self._fast_for_s / FAST_S * HOOKS - hook))
            sign = 1 if hook % 2 else -1
            tension = pretension + WIND_KN * wind_mps**2 + sign * surge + swell + self._random.gauss(0, 0.8)
            self.tension_kn[hook] = max(0.0, share * tension)

    def values(self) -> dict[str, float | bool]:
        """Return what the cabinet shows, by field of the berth sample."""
        shown: dict[str, float | bool] = {f"hook_tension_kn[{i}]": value for i, value in enumerate(self.tension_kn)}
        shown["distance_m"] = NO_TARGET_MM if self.distance_m is None else self.distance_m
        shown["approach_speed_mps"] = max(-2.0, min(2.0, self.approach_mps))
        for laser, distance_m in enumerate(self.laser_distances_m()):
            shown[f"laser_distance_m[{laser}]"] = NO_TARGET_CM if distance_m is None else distance_m
            shown[f"laser_approach_mps[{laser}]"] = shown["approach_speed_mps"]
        return shown

    def laser_distances_m(self) -> list[float | None]:
        """Return the distances of two lasers, bow and stern: a ship never lies quite parallel to the quay."""
        if self.distance_m is None:
            return [None, None]
        return [self.distance_m, self.distance_m + STERN_OFF_M]
