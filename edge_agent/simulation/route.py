"""Following a line of waypoints: line-of-sight guidance, wheel-over points, and a speed for each leg. Sans-io.

*Source:* T. I. Fossen, Handbook of Marine Craft Hydrodynamics and Motion Control, clause 12.3 (line-of-sight
guidance); the wheel-over point is a bridge team's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.simulation.geometry import (
    Point,
    along_and_across,
    bearing_deg,
    distance_m,
    moved,
    turn_deg,
)
from edge_agent.simulation.motion import Handling, Motion

LOOK_AHEAD_LAGS = 3.0
"""How far ahead of itself a ship aims, in times of its own lag in a turn: with one, it would weave about the line."""
MIN_LOOK_AHEAD_M = 60.0
ARRIVED_M = 8.0
CREEP_MPS = 0.3
MAX_LEAD_SHARE = 0.45
"""Part of a leg that may be cut off by wheeling over early, so that two turns never overlap."""


class Waypoint(NamedTuple):
    """A point and the highest speed on the leg that ends there."""

    point: Point
    speed_mps: float


class Order(NamedTuple):
    """What to steer: course degrees true, speed m/s, and whether the end of the route is reached."""

    course_deg: float
    speed_mps: float
    is_arrived: bool


@dataclass
class Route:
    """A line of waypoints, followed from ``start``.

    Attributes:
        start: where the first leg begins.
        waypoints: at least one.
        is_closed: a loop: after the last waypoint comes the first.
        stops_at_end: the ship comes to rest at the last waypoint, else it passes it.
        leg: index of the waypoint that the ship sails to.
    """

    start: Point
    waypoints: Sequence[Waypoint]
    is_closed: bool = False
    stops_at_end: bool = False
    leg: int = 0

    def order(self, motion: Motion, handling: Handling) -> Order:
        """Return what to steer now, and go over to the next leg where it is time."""
        while self._is_leg_done(motion, handling):
            self.leg = (self.leg + 1) % len(self.waypoints)
        begin, target = self._leg_ends(self.leg)
        along_m, _ = along_and_across(begin, target.point, motion.position)
        leg_m = distance_m(begin, target.point)
        ahead_m = max(MIN_LOOK_AHEAD_M, motion.sog_mps * LOOK_AHEAD_LAGS * (handling.helm_s + handling.slip_s))
        aim = moved(begin, bearing_deg(begin, target.point), along_m + ahead_m)
        remaining_m = max(0.0, leg_m - along_m)
        speed = min(target.speed_mps, _speed_before(remaining_m, self._end_speed(), handling))
        is_arrived = self._is_last() and (
            remaining_m < ARRIVED_M if self.stops_at_end else remaining_m < motion.sog_mps * handling.helm_s
        )
        return Order(bearing_deg(motion.position, aim), speed, is_arrived)

    def remaining_m(self, motion: Motion) -> float:
        """Return how far it is to the end of the route (of this lap, for a loop)."""
        total = distance_m(motion.position, self.waypoints[self.leg].point)
        for index in range(self.leg + 1, len(self.waypoints)):
            total += distance_m(self.waypoints[index - 1].point, self.waypoints[index].point)
        return total

    def _leg_ends(self, leg: int) -> tuple[Point, Waypoint]:
        if leg > 0:
            return self.waypoints[leg - 1].point, self.waypoints[leg]
        return (self.waypoints[-1].point if self.is_closed else self.start), self.waypoints[0]

    def _is_last(self) -> bool:
        return not self.is_closed and self.leg == len(self.waypoints) - 1

    def _end_speed(self) -> float:
        if self._is_last():
            return 0.0 if self.stops_at_end else self.waypoints[-1].speed_mps
        return self.waypoints[(self.leg + 1) % len(self.waypoints)].speed_mps

    def _is_leg_done(self, motion: Motion, handling: Handling) -> bool:
        if self._is_last():
            return False
        begin, target = self._leg_ends(self.leg)
        _, following = self._leg_ends((self.leg + 1) % len(self.waypoints))
        leg_m = distance_m(begin, target.point)
        next_m = distance_m(target.point, following.point)
        change = abs(turn_deg(bearing_deg(begin, target.point), bearing_deg(target.point, following.point)))
        radius_m = motion.sog_mps / math.radians(handling.turn_deg_s)
        lag_m = motion.sog_mps * (handling.helm_s / 2 + handling.slip_s)
        lead_m = radius_m * math.tan(math.radians(min(change, 150)) / 2) + lag_m
        lead_m = min(lead_m, MAX_LEAD_SHARE * leg_m, MAX_LEAD_SHARE * next_m)
        along_m, _ = along_and_across(begin, target.point, motion.position)
        return leg_m - along_m <= lead_m


def _speed_before(distance: float, end_mps: float, handling: Handling) -> float:
    """Return the highest speed from which the ship still reaches ``end_mps`` within ``distance`` m.

    Two thirds of the brakes are counted on, and ``CREEP_MPS`` is always allowed, so that it arrives.
    """
    return max(CREEP_MPS, math.sqrt(end_mps**2 + 2 * handling.brake_mps2 * 0.67 * distance))
