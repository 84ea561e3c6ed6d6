"""How a hull moves: under way by rudder and engine, or held and pushed by tugs and lines. Sans-io.

Every change is limited: speed by an acceleration, heading by a rate of turn. So a track never jumps, whatever the
voyage asks for. There is no hydrodynamic model (no drift angle in turns, no squat): the tracks are for tracking,
berth and alarm logic, not for manoeuvring studies.
"""

import math
from dataclasses import dataclass

from edge_agent.simulation.geometry import KNOT_MPS, Point, bearing_deg, distance_m, turn_deg

MOVING_MPS = 0.1
"""Below this the course over ground is noise; the heading is reported instead."""


@dataclass(frozen=True)
class Handling:
    """Limits of a hull.

    Attributes:
        turn_deg_s: highest rate of turn.
        accelerate_mps2: highest gain of speed.
        brake_mps2: highest loss of speed.
        helm_s: time constant of the autopilot: the rate of turn asked for is the course error over this.
        slip_s: time in which the hull stops slipping sideways after a turn.
    """

    turn_deg_s: float
    accelerate_mps2: float
    brake_mps2: float
    helm_s: float
    slip_s: float


@dataclass
class Motion:
    """Pose and movement: middle of the hull, heading degrees true, velocity over ground m/s, rate of turn deg/s."""

    position: Point
    heading_deg: float
    velocity_x_mps: float = 0.0
    velocity_y_mps: float = 0.0
    turn_deg_s: float = 0.0

    @property
    def sog_mps(self) -> float:
        """Speed over ground."""
        return math.hypot(self.velocity_x_mps, self.velocity_y_mps)

    @property
    def sog_kn(self) -> float:
        """Speed over ground in knots."""
        return self.sog_mps / KNOT_MPS

    @property
    def cog_deg(self) -> float:
        """Course over ground; the heading while the hull does not move."""
        if self.sog_mps < MOVING_MPS:
            return self.heading_deg
        return math.degrees(math.atan2(self.velocity_x_mps, self.velocity_y_mps)) % 360


def steam(motion: Motion, handling: Handling, course_deg: float, speed_mps: float, step_s: float) -> None:
    """Move under way for one step, towards a course and a speed.

    Args:
        motion: changed in place.
        handling: limits of the hull.
        course_deg: course to steer, degrees true.
        speed_mps: speed to reach.
        step_s: 0 to 1 s.
    """
    _swing(motion, handling, course_deg, step_s)
    sine, cosine = math.sin(math.radians(motion.heading_deg)), math.cos(math.radians(motion.heading_deg))
    ahead = motion.velocity_x_mps * sine + motion.velocity_y_mps * cosine
    # what is left of a sideways movement (a turn, a push of the tugs) dies away instead of vanishing
    rest = math.exp(-step_s / handling.slip_s)
    slip_x = (motion.velocity_x_mps - ahead * sine) * rest
    slip_y = (motion.velocity_y_mps - ahead * cosine) * rest
    wanted = math.sqrt(max(0.0, speed_mps**2 - slip_x**2 - slip_y**2))
    ahead += max(-handling.brake_mps2 * step_s, min(handling.accelerate_mps2 * step_s, wanted - ahead))
    motion.velocity_x_mps = ahead * sine + slip_x
    motion.velocity_y_mps = ahead * cosine + slip_y
    _advance(motion, step_s)


def hold(motion: Motion, handling: Handling, target: Point, heading_deg: float, max_mps: float, step_s: float) -> None:
    """Move to a pose for one step, in any direction, as tugs, thrusters or a cable do.

    Args:
        motion: changed in place.
        handling: limits of the hull.
        target: where the middle of the hull shall be.
        heading_deg: heading to take there.
        max_mps: highest speed.
        step_s: 0 to 1 s.
    """
    _swing(motion, handling, heading_deg, step_s)
    away_m = distance_m(motion.position, target)
    # slow enough to stop at the target with half of the brakes
    speed = min(max_mps, math.sqrt(handling.brake_mps2 * away_m), away_m / max(step_s, 2.0))
    direction = math.radians(bearing_deg(motion.position, target))
    dx = speed * math.sin(direction) - motion.velocity_x_mps
    dy = speed * math.cos(direction) - motion.velocity_y_mps
    change = math.hypot(dx, dy)
    share = min(1.0, handling.brake_mps2 * step_s / change) if change > 0 else 0.0
    motion.velocity_x_mps += dx * share
    motion.velocity_y_mps += dy * share
    _advance(motion, step_s)


def _swing(motion: Motion, handling: Handling, heading_deg: float, step_s: float) -> None:
    error = turn_deg(motion.heading_deg, heading_deg)
    limit = handling.turn_deg_s
    motion.turn_deg_s = max(-limit, min(limit, error / handling.helm_s))
    motion.heading_deg = (motion.heading_deg + motion.turn_deg_s * step_s) % 360


def _advance(motion: Motion, step_s: float) -> None:
    motion.position = Point(
        motion.position.x_m + motion.velocity_x_mps * step_s, motion.position.y_m + motion.velocity_y_mps * step_s
    )
