"""All ships of a demonstration, moved together on a fixed time grid. Sans-io, seeded.

The seed moves where ships are on their loops, the swing of those at anchor and the length of the first stays; the
fleet file says the rest. The same seed and the same number of steps give the same positions to the last bit.
"""

import math
import random
from dataclasses import dataclass

from contracts.errors import ConfigError
from edge_agent.simulation.fleet import Call, Fleet, Loop, ShipSpec
from edge_agent.simulation.geometry import KNOT_MPS, Point, at_chainage, length_m
from edge_agent.simulation.harbour import Harbour
from edge_agent.simulation.harbour_master import HarbourMaster
from edge_agent.simulation.motion import Handling, Motion, hold, steam
from edge_agent.simulation.route import Route, Waypoint
from edge_agent.simulation.voyage import ANCHOR_MPS, NAV_ANCHORED, Caller, Phase, anchored_pose

LARGE_M, SMALL_M, BOAT_M = 140, 60, 20


def handling_of(length: float) -> Handling:
    """Return the limits of a hull by its length in m: a ship turns 21 degrees a minute, a boat 360."""
    if length >= LARGE_M:
        return Handling(turn_deg_s=0.35, accelerate_mps2=0.015, brake_mps2=0.02, helm_s=15, slip_s=20)
    if length >= SMALL_M:
        return Handling(turn_deg_s=0.6, accelerate_mps2=0.03, brake_mps2=0.03, helm_s=12, slip_s=12)
    if length >= BOAT_M:
        return Handling(turn_deg_s=3.0, accelerate_mps2=0.1, brake_mps2=0.15, helm_s=6, slip_s=4)
    return Handling(turn_deg_s=6.0, accelerate_mps2=0.3, brake_mps2=0.3, helm_s=4, slip_s=2)


@dataclass
class Cruiser:
    """A ship on a closed route."""

    spec: ShipSpec
    handling: Handling
    motion: Motion
    route: Route
    nav_status: int
    heading_offset_deg: float

    def step(self, now_s: float, step_s: float, wind_deg: float) -> None:
        """Live for one step; arguments as ``Caller.step``."""
        del now_s, wind_deg
        order = self.route.order(self.motion, self.handling)
        steam(self.motion, self.handling, order.course_deg, order.speed_mps, step_s)


@dataclass
class Anchored:
    """A ship that lies at anchor all the time."""

    spec: ShipSpec
    handling: Handling
    motion: Motion
    anchor: Point
    swing_rad: float
    nav_status: int = NAV_ANCHORED
    heading_offset_deg: float = 0.0

    def step(self, now_s: float, step_s: float, wind_deg: float) -> None:
        """Live for one step; arguments as ``Caller.step``."""
        target, heading = anchored_pose(self.anchor, self.spec.length_m, wind_deg, now_s, self.swing_rad)
        hold(self.motion, self.handling, target, heading, ANCHOR_MPS, step_s)


Ship = Caller | Cruiser | Anchored


class Traffic:
    """All ships.

    Args:
        fleet: who they are.
        harbour: where they sail.
        seed: of the run.
    """

    def __init__(self, fleet: Fleet, harbour: Harbour, seed: int) -> None:
        self._fleet = fleet
        self._harbour = harbour
        self._random = random.Random(f"{seed}-traffic")
        self._master = HarbourMaster(len(harbour.anchors))
        self._sea_room = harbour.plane.points(fleet.sea_room)
        self._approach = harbour.plane.points(fleet.approach)
        self.ships: list[Ship] = [self._launch(spec) for spec in fleet.ships]

    def step(self, now_s: float, step_s: float, wind_deg: float) -> None:
        """Move all ships for one step; arguments as ``Caller.step``."""
        for ship in self.ships:
            ship.step(now_s, step_s, wind_deg)

    def alongside(self, berth: str) -> Caller | None:
        """Return the ship that lies at a berth or is being pushed to or off it."""
        phases = (Phase.BERTHING, Phase.ALONGSIDE, Phase.UNBERTHING)
        for ship in self.ships:
            if isinstance(ship, Caller) and ship.berth == berth and ship.phase in phases:
                return ship
        return None

    def _launch(self, spec: ShipSpec) -> Ship:
        if isinstance(spec.behaviour, Call):
            return self._launch_caller(spec, spec.behaviour)
        if isinstance(spec.behaviour, Loop):
            return self._launch_cruiser(spec, spec.behaviour)
        index = self._take_anchor(spec)
        swing = self._random.uniform(0, 2 * math.pi)
        anchor = self._harbour.anchors[index]
        target, heading = anchored_pose(anchor, spec.length_m, 90.0, 0.0, swing)
        return Anchored(spec, handling_of(spec.length_m), Motion(target, heading), anchor, swing)

    def _launch_cruiser(self, spec: ShipSpec, loop: Loop) -> Cruiser:
        points = self._harbour.plane.points(self._fleet.routes[loop.route])
        ring = [points[-1], *points]
        share = (loop.start + self._random.uniform(0, 0.04)) % 1
        position, heading, leg = at_chainage(ring, share * length_m(ring))
        speed = loop.speed_kn * KNOT_MPS
        motion = _under_way(position, heading, speed)
        route = Route(points[-1], [Waypoint(point, speed) for point in points], is_closed=True, leg=leg)
        return Cruiser(spec, handling_of(spec.length_m), motion, route, loop.nav_status, loop.heading_offset_deg)

    def _launch_caller(self, spec: ShipSpec, call: Call) -> Caller:
        for berth in call.berths:
            if berth not in self._harbour.berths:
                known = ", ".join(self._harbour.berths)
                raise ConfigError("check fleet", spec.name, f"no berth {berth!r}", f"allowed: {known}", "invalid")
        caller = Caller(
            spec=spec,
            call=call,
            handling=handling_of(spec.length_m),
            motion=Motion(self._harbour.pilot_boarding, 0.0),
            harbour=self._harbour,
            master=self._master,
            sea_room=self._sea_room,
            approach=self._approach,
            swing_rad=self._random.uniform(0, 2 * math.pi),
        )
        place = {
            "berth": self._start_alongside,
            "inbound": self._start_inbound,
            "outbound": self._start_outbound,
            "anchorage": self._start_anchored,
            "sea": self._start_at_sea,
        }
        place[call.start.at](caller)
        return caller

    def _start_alongside(self, caller: Caller) -> None:
        caller.berth = self._take_berth(caller)
        place = caller.place()
        caller.motion = Motion(caller.moored_at(place), place.heading_deg)
        caller.phase = Phase.ALONGSIDE
        rest = (1 - caller.call.start.progress) * self._random.uniform(0.8, 1.2)
        caller.alongside_until_s = caller.call.stay_min * 60 * rest

    def _start_inbound(self, caller: Caller) -> None:
        lane = self._harbour.inbound
        position, heading, leg = at_chainage(lane, caller.call.start.progress * length_m(lane))
        caller.motion = _under_way(position, heading, self._harbour.fairway_kn * KNOT_MPS)
        caller.enter(self._take_berth(caller), [])
        if caller.route is not None:
            # waypoint 0 is the pilot's, 1 the beginning of the lane
            caller.route.leg = leg + 2
            self._master.report_inbound(caller.spec.mmsi, caller.route.remaining_m(caller.motion))

    def _start_outbound(self, caller: Caller) -> None:
        lane = self._harbour.outbound
        position, heading, leg = at_chainage(lane, caller.call.start.progress * length_m(lane))
        caller.motion = _under_way(position, heading, self._harbour.fairway_kn * KNOT_MPS)
        caller.go_to_sea()
        if caller.route is not None:
            caller.route.leg = leg + 1

    def _start_at_sea(self, caller: Caller) -> None:
        way = [self._harbour.outbound[-1], *self._sea_room]
        position, heading, leg = at_chainage(way, caller.call.start.progress * length_m(way))
        speed = caller.call.sea_kn * KNOT_MPS
        caller.motion = _under_way(position, heading, speed)
        caller.route = Route(way[0], [Waypoint(point, speed) for point in self._sea_room], leg=leg)

    def _start_anchored(self, caller: Caller) -> None:
        caller.anchor = self._take_anchor(caller.spec)
        caller.phase = Phase.ANCHORED
        anchor = self._harbour.anchors[caller.anchor]
        target, heading = anchored_pose(anchor, caller.spec.length_m, 90.0, 0.0, caller.swing_rad)
        caller.motion = Motion(target, heading)

    def _take_berth(self, caller: Caller) -> str:
        berth = self._master.take_berth(caller.spec.mmsi, [caller.call.start.berth or ""])
        if berth is None or berth not in self._harbour.berths:
            cause = f"berth {caller.call.start.berth!r} is taken at the start, or there is none of that name"
            raise ConfigError("check fleet", caller.spec.name, cause, "", "invalid")
        return berth

    def _take_anchor(self, spec: ShipSpec) -> int:
        index = self._master.take_anchor(spec.mmsi)
        if index is None:
            raise ConfigError("check fleet", spec.name, "the anchorage is full", "fewer ships at anchor", "invalid")
        return index


def _under_way(position: Point, heading_deg: float, speed_mps: float) -> Motion:
    radians = math.radians(heading_deg)
    return Motion(position, heading_deg, speed_mps * math.sin(radians), speed_mps * math.cos(radians))
