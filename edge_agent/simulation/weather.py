"""Wind and water level of the demonstration: gusty, seeded, repeatable. Sans-io.

Wind is a slow sea breeze with two Ornstein-Uhlenbeck processes on it: turbulence of a minute and gusts of seconds.
The tide is the Mediterranean's: a few centimetres, and a seiche. Air is warm and dry by day.

*Source:* WMO-No. 8, volume I annex 4.B (Magnus formula of the dew point); D. T. Gillespie, Exact numerical simulation
of the Ornstein-Uhlenbeck process, Phys. Rev. E 54 (1996).
"""

import math
import random
from dataclasses import dataclass

DAY_S = 86_400.0
MEAN_WIND_MPS, BREEZE_MPS = 6.5, 2.0
TURBULENCE_MPS, TURBULENCE_S = 1.1, 60.0
GUST_MPS, GUST_S = 0.9, 4.0
MEAN_FROM_DEG, VEER_DEG, VEER_S = 95.0, 9.0, 400.0
TIDE_PERIOD_S, TIDE_M = 44_714.0, 0.09
SEICHE_PERIOD_S, SEICHE_M = 1_180.0, 0.03
MEAN_LEVEL_M = 0.12
MEAN_AIR_C, AIR_C, MEAN_WATER_C, WATER_C = 19.0, 4.0, 18.2, 0.6
MEAN_HUMIDITY_PCT, HUMIDITY_PCT = 66.0, 14.0
MEAN_HPA, HPA, HPA_PERIOD_S = 1_016.0, 6.0, 4.3 * DAY_S
DEW_A, DEW_B = 17.62, 243.12


@dataclass
class _Noise:
    """An Ornstein-Uhlenbeck process around 0 with standard deviation ``spread`` and time constant ``memory_s``."""

    spread: float
    memory_s: float
    value: float = 0.0

    def step(self, source: random.Random, step_s: float) -> float:
        keep = math.exp(-step_s / self.memory_s)
        self.value = self.value * keep + self.spread * math.sqrt(1 - keep * keep) * source.gauss(0, 1)
        return self.value


class Weather:
    """Wind and water level, stepped by its owner.

    Attributes:
        speed_mps: wind speed now.
        from_deg: direction that it blows from, degrees true.
        level_m: water above chart datum.
        air_c: temperature of the air, °C; ``water_c`` of the water.
        humidity_pct: relative humidity.
        hpa: air pressure, hPa.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}-weather")
        self._phase = self._random.uniform(0, 2 * math.pi)
        self._turbulence = _Noise(TURBULENCE_MPS, TURBULENCE_S)
        self._gust = _Noise(GUST_MPS, GUST_S)
        self._veer = _Noise(VEER_DEG, VEER_S)
        self.speed_mps = MEAN_WIND_MPS
        self.from_deg = MEAN_FROM_DEG
        self.level_m = MEAN_LEVEL_M
        self.air_c, self.water_c = MEAN_AIR_C, MEAN_WATER_C
        self.humidity_pct, self.hpa = MEAN_HUMIDITY_PCT, MEAN_HPA

    def step(self, now_s: float, step_s: float) -> None:
        """Advance by one step.

        Args:
            now_s: simulated time.
            step_s: 0 to 1 s.
        """
        breeze = MEAN_WIND_MPS + BREEZE_MPS * math.sin(2 * math.pi * now_s / DAY_S + self._phase)
        noise = self._turbulence.step(self._random, step_s) + self._gust.step(self._random, step_s)
        self.speed_mps = max(0.0, breeze + noise)
        self.from_deg = (MEAN_FROM_DEG + self._veer.step(self._random, step_s)) % 360
        tide = TIDE_M * math.sin(2 * math.pi * now_s / TIDE_PERIOD_S + self._phase)
        self.level_m = MEAN_LEVEL_M + tide + SEICHE_M * math.sin(2 * math.pi * now_s / SEICHE_PERIOD_S)
        day = math.sin(2 * math.pi * now_s / DAY_S + self._phase)
        self.air_c = MEAN_AIR_C + AIR_C * day
        self.humidity_pct = MEAN_HUMIDITY_PCT - HUMIDITY_PCT * day
        self.water_c = MEAN_WATER_C + WATER_C * math.sin(2 * math.pi * now_s / DAY_S + self._phase - 0.6)
        self.hpa = MEAN_HPA + HPA * math.sin(2 * math.pi * now_s / HPA_PERIOD_S + self._phase)

    @property
    def dew_c(self) -> float:
        """Dew point, °C."""
        gamma = math.log(self.humidity_pct / 100) + DEW_A * self.air_c / (DEW_B + self.air_c)
        return DEW_B * gamma / (DEW_A - gamma)
