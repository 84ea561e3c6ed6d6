"""A ship-to-shore crane that discharges and loads containers, one cycle after the other. Sans-io, seeded.

    PICK_TRAVERSE -> PICK_LOWER -> LOCK -> LIFT -> CARRY -> SET_LOWER -> UNLOCK -> RISE -> PICK_TRAVERSE …

A cycle takes 90 to 120 s, as a crane that makes 30 to 40 moves an hour. Axes move with a speed and an acceleration
limit. The load cell shows what hangs under the head block: nothing but noise and the spreader's dynamics when empty,
the container when it hangs.

*Source:* ranges of crane data sheets (hoist 90 m/min with load, 180 without, trolley 240); ISO 668 (gross weights).
"""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

SAFE_HEIGHT_M = 22.0
QUAY_HEIGHT_M = 1.5
LANE_M = -14.0
"""Where trucks stand: landward of the waterside rail."""
LOCK_S, LANDED_S = 2.0, 1.0
RAMP_T_S = 9.0
"""Load that a hoist takes up a second while the ropes tighten, t/s."""
BACK_REACH_M = -34.0
"""Where hatch covers are laid down: behind the landside rail."""
HATCH_DECK_M = 12.0
TWIN_SHARE, BIN_SHARE = 0.15, 0.04
MOVES_A_BAY = 12
BAY_M = 13.0
CELL_NOISE_T = 0.06
DYNAMICS_T = 0.35
"""Swing of the reading while an axis accelerates: the spreader's mass times the acceleration."""


class Step(StrEnum):
    """Where the cycle is."""

    PICK_TRAVERSE = "pick_traverse"
    PICK_LOWER = "pick_lower"
    LOCK = "lock"
    LIFT = "lift"
    CARRY = "carry"
    SET_LOWER = "set_lower"
    UNLOCK = "unlock"
    RISE = "rise"


_AFTER = dict(zip(Step, [*list(Step)[1:], Step.PICK_TRAVERSE], strict=True))


@dataclass
class Axis:
    """One drive: position m, speed m/s, limits m/s and m/s²."""

    position_m: float
    limit_mps: float
    limit_mps2: float
    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0

    def step(self, target_m: float, step_s: float, share: float = 1.0) -> bool:
        """Move towards a target; returns whether it is reached. ``share``: of the speed limit, 0 to 1."""
        away = target_m - self.position_m
        wanted = min(self.limit_mps * share, math.sqrt(2 * self.limit_mps2 * 0.8 * abs(away)), abs(away) / step_s)
        wanted = math.copysign(wanted, away)
        change = max(-self.limit_mps2 * step_s, min(self.limit_mps2 * step_s, wanted - self.speed_mps))
        self.acceleration_mps2 = change / step_s
        self.speed_mps += change
        self.position_m += self.speed_mps * step_s
        is_there = abs(target_m - self.position_m) < 0.05 and abs(self.speed_mps) < 0.25  # noqa: PLR2004 - brake closes
        if is_there:
            self.position_m, self.speed_mps = target_m, 0.0
        return is_there


class Crane:
    """One crane.

    Attributes:
        kind: what is lifted now or next: container, twin, hatch_cover or bin.
        gross_t: its weight, t.
        direction: discharge or load.

    Args:
        crane: id; with the seed it makes the crane's own sequence of containers.
        seed: of the run.
        parked_at_m: chainage where it begins to work.
        wind_stop_mps: wind at which it begins no new cycle.
    """

    def __init__(self, crane: str, seed: int, parked_at_m: float, wind_stop_mps: float) -> None:
        self._random = random.Random(f"{seed}-{crane}")
        self._home_m = parked_at_m
        self._wind_stop_mps = wind_stop_mps
        self.hoist = Axis(SAFE_HEIGHT_M, 2.2, 0.6)
        self.trolley = Axis(LANE_M, 3.6, 0.5)
        self.gantry = Axis(parked_at_m, 0.7, 0.1)
        self.moves = 0
        self.step_of_cycle = Step.PICK_TRAVERSE
        self.load_t = 0.0
        self.wind_mps = 0.0
        self.is_locked = False
        self.is_landed = False
        self._reading_error_t = 0.0
        self._timer_s = 0.0
        self._plan()
        # cranes of one quay do not start in step
        self._timer_s = -self._random.uniform(0, 12)

    def step(self, step_s: float, wind_mps: float) -> None:
        """Work for one step.

        Args:
            step_s: 0 to 1 s.
            wind_mps: at the mast; the boom, higher up, sees 15 % more.
        """
        self.wind_mps = wind_mps * 1.15
        self._timer_s += step_s
        if self._work(step_s):
            self._advance()
        self._weigh(step_s)

    def values(self) -> dict[str, float | bool]:
        """Return what the PLC shows, by field of the crane sample."""
        return {
            "hoist_load_t": self.load_t + self._reading_error_t,
            "is_spreader_locked": self.is_locked,
            "is_spreader_landed": self.is_landed,
            "trolley_m": self.trolley.position_m,
            "hoist_m": self.hoist.position_m,
            "gantry_m": self.gantry.position_m,
            "wind_mps": max(0.0, self.wind_mps),
            "is_twin": self.kind == "twin",
        }

    def _plan(self) -> None:
        """Draw the next container: from ship to truck in even bays, from truck to ship in odd ones."""
        bay = self.moves // MOVES_A_BAY
        row_m = self._random.uniform(8, 42)
        tier_m = self._random.uniform(-6, 14)
        self.gross_t = round(self._random.triangular(4, 32, 24), 1)
        self._gantry_m = self._home_m + BAY_M * (bay % 4)
        is_discharge = bay % 2 == 0
        ship, quay = (row_m, tier_m), (LANE_M, QUAY_HEIGHT_M)
        self.kind = "container"
        share = self._random.random()
        if self.moves % MOVES_A_BAY == (0 if is_discharge else MOVES_A_BAY - 1):
            # the cover comes off before the hold is worked, and goes on after it
            self.kind, self.gross_t = "hatch_cover", round(self._random.uniform(15, 28), 1)
            ship, quay = (row_m, HATCH_DECK_M), (BACK_REACH_M, QUAY_HEIGHT_M)
        elif share < TWIN_SHARE:
            self.kind, self.gross_t = "twin", round(self._random.triangular(12, 48, 36), 1)
        elif share < TWIN_SHARE + BIN_SHARE:
            self.kind, self.gross_t = "bin", round(self._random.uniform(1.5, 1.9), 2)
        self.direction = "discharge" if is_discharge else "load"
        self._pick, self._set = (ship, quay) if is_discharge else (quay, ship)

    def _work(self, step_s: float) -> bool:
        """Carry out the present step; returns whether it is done."""
        share = 0.6 if self.is_locked else 1.0
        match self.step_of_cycle:
            case Step.PICK_TRAVERSE:
                is_done = self._traverse(step_s)
            case Step.PICK_LOWER:
                is_done = self.hoist.step(self._pick[1], step_s, self._creep(self._pick[1]))
            case Step.SET_LOWER:
                is_done = self.hoist.step(self._set[1], step_s, min(share, self._creep(self._set[1])))
            case Step.LIFT | Step.RISE:
                is_done = self.hoist.step(SAFE_HEIGHT_M, step_s, share)
            case Step.CARRY:
                is_done = self.trolley.step(self._set[0], step_s)
            case Step.LOCK | Step.UNLOCK:
                is_done = self._timer_s >= LANDED_S + LOCK_S
        return is_done

    def _traverse(self, step_s: float) -> bool:
        if self._timer_s < 0 or self.wind_mps >= self._wind_stop_mps:
            return False
        is_over = self.trolley.step(self._pick[0], step_s)
        return self.gantry.step(self._gantry_m, step_s) and is_over

    def _creep(self, target_m: float) -> float:
        """Return the share of speed for lowering: slow over the last metres, the operator looks for the corners."""
        return 0.18 if self.hoist.position_m - target_m < 4 else 1.0  # noqa: PLR2004 - metres of final approach

    def _advance(self) -> None:
        if self.step_of_cycle is Step.LOCK:
            self.is_locked = True
        elif self.step_of_cycle is Step.UNLOCK:
            self.is_locked = False
        elif self.step_of_cycle is Step.RISE:
            self.moves += 1
            self._plan()
        self.step_of_cycle = _AFTER[self.step_of_cycle]
        self.is_landed = self.step_of_cycle in (Step.LOCK, Step.UNLOCK)
        self._timer_s = 0.0

    def _weigh(self, step_s: float) -> None:
        is_hanging = self.is_locked and not self.is_landed
        target = self.gross_t if is_hanging else 0.0
        change = RAMP_T_S * step_s
        self.load_t += max(-change, min(change, target - self.load_t))
        dynamics = DYNAMICS_T * (self.hoist.acceleration_mps2 / self.hoist.limit_mps2)
        self._reading_error_t = dynamics + self._random.gauss(0, CELL_NOISE_T)
