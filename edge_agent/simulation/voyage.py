"""The voyage of a ship that calls at the port, as a state machine. Sans-io.

    AT_SEA -> (berth free) INBOUND -> BERTHING -> ALONGSIDE -> UNBERTHING -> OUTBOUND -> AT_SEA
           -> (not free) TO_ANCHORAGE -> ANCHORED -> WEIGHING -> INBOUND

It asks the harbour master and gives orders to a hull; it never moves the hull itself beyond what motion.py allows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge_agent.simulation.fleet import Call, ShipSpec
from edge_agent.simulation.geometry import KNOT_MPS, Point, bearing_deg, distance_m, moved, turn_deg
from edge_agent.simulation.harbour import BerthPlace, Harbour
from edge_agent.simulation.harbour_master import HarbourMaster, Movement
from edge_agent.simulation.motion import Handling, Motion, hold, steam
from edge_agent.simulation.route import Route, Waypoint

BASIN_KN = 4.0
PILOT_KN = 7.0
TUG_MPS = 0.35
"""Highest speed sideways, 0.7 kn: what tugs keep to off a berth."""
ABEAM_M = 250.0
"""Off the fender line, where a ship is stopped and swung: half of a 345 m ship and its tugs keep clear of the quays."""
FENDER_M = 1.5
BERTHED_M = 0.4
SWUNG_DEG = 4.0
NAV_UNDER_WAY, NAV_ANCHORED, NAV_MOORED = 0, 1, 5
"""Navigational status, ITU-R M.1371-5 table 45."""
SWING_DEG = 12.0
SWING_PERIOD_S = 2400.0
CABLE_M = 110.0
ANCHOR_LANE_M = 150.0
"""East of an anchor, where ships come and go: those at anchor lie to its west, the sea breeze is easterly."""
ANCHOR_MPS = 1.0


class Phase(StrEnum):
    """Where a caller is on its voyage."""

    AT_SEA = "at_sea"
    TO_ANCHORAGE = "to_anchorage"
    ANCHORED = "anchored"
    WEIGHING = "weighing"
    INBOUND = "inbound"
    BERTHING = "berthing"
    ALONGSIDE = "alongside"
    UNBERTHING = "unberthing"
    OUTBOUND = "outbound"


NAV_STATUS = {Phase.ANCHORED: NAV_ANCHORED, Phase.ALONGSIDE: NAV_MOORED}


def anchored_pose(anchor: Point, length: float, wind_deg: float, now_s: float, phase_rad: float) -> tuple[Point, float]:
    """Return where a ship lies at anchor: bow to the wind, swinging slowly around the anchor.

    Args:
        anchor: position of the anchor.
        length: of the ship, m.
        wind_deg: direction that the wind blows from.
        now_s: simulated time.
        phase_rad: of the swing, so that not all swing together.
    """
    heading = (wind_deg + SWING_DEG * math.sin(2 * math.pi * now_s / SWING_PERIOD_S + phase_rad)) % 360
    return moved(anchor, heading, -(CABLE_M + length / 2)), heading


@dataclass
class Caller:
    """One ship on its voyages.

    Attributes:
        spec: who it is.
        call: what it does.
        motion: its hull.
        phase: where it is on its voyage.
        berth: berth that it has or is bound for.
    """

    spec: ShipSpec
    call: Call
    handling: Handling
    motion: Motion
    harbour: Harbour
    master: HarbourMaster
    sea_room: Sequence[Point]
    approach: Sequence[Point]
    swing_rad: float
    phase: Phase = Phase.AT_SEA
    berth: str | None = None
    anchor: int | None = None
    alongside_until_s: float = 0.0
    is_clear_of_quay: bool = False
    route: Route | None = field(default=None)

    @property
    def nav_status(self) -> int:
        """Navigational status as the ship's officer would set it."""
        return NAV_STATUS.get(self.phase, NAV_UNDER_WAY)

    def step(self, now_s: float, step_s: float, wind_deg: float) -> None:
        """Live for one step.

        Args:
            now_s: simulated time.
            step_s: 0 to 1 s.
            wind_deg: direction that the wind blows from.
        """
        if self.phase in (Phase.AT_SEA, Phase.OUTBOUND, Phase.INBOUND, Phase.TO_ANCHORAGE):
            self._follow(step_s)
        elif self.phase is Phase.ANCHORED:
            self._lie_at_anchor(now_s, step_s, wind_deg)
        elif self.phase is Phase.WEIGHING:
            self._weigh(step_s)
        elif self.phase is Phase.BERTHING:
            self._come_alongside(now_s, step_s)
        elif self.phase is Phase.ALONGSIDE:
            self._stay(now_s, step_s)
        else:
            self._let_go(step_s)

    def place(self) -> BerthPlace:
        """Return the place of the berth that the ship has.

        Raises:
            KeyError: it has none.
        """
        return self.harbour.berths[self.berth or ""]

    def moored_at(self, place: BerthPlace) -> Point:
        """Return where the middle of the hull is when the ship lies at a berth."""
        return place.abeam(self.spec.beam_m / 2 + FENDER_M)

    def enter(self, berth: str, first: Sequence[Point]) -> None:
        """Set out for a berth, by some points before the pilot boarding place."""
        self.phase, self.berth = Phase.INBOUND, berth
        sea = self.call.sea_kn * KNOT_MPS
        lane_mps = min(self.call.sea_kn, self.harbour.fairway_kn) * KNOT_MPS
        points = [Waypoint(point, sea) for point in first]
        points.append(Waypoint(self.harbour.pilot_boarding, PILOT_KN * KNOT_MPS))
        points += [Waypoint(point, lane_mps) for point in self.harbour.inbound]
        points.append(Waypoint(self.place().abeam(ABEAM_M), BASIN_KN * KNOT_MPS))
        self.route = Route(self.motion.position, points, stops_at_end=True)

    def go_to_sea(self) -> None:
        """Set out from the berth to sea."""
        self.phase = Phase.OUTBOUND
        lane_mps = min(self.call.sea_kn, self.harbour.fairway_kn) * KNOT_MPS
        first, *rest = self.harbour.outbound
        points = [Waypoint(first, BASIN_KN * KNOT_MPS), *(Waypoint(point, lane_mps) for point in rest)]
        points += [Waypoint(point, self.call.sea_kn * KNOT_MPS) for point in self.sea_room]
        self.route = Route(self.motion.position, points)

    def _follow(self, step_s: float) -> None:
        if self.route is None:
            raise RuntimeError(f"{self.spec.name} is {self.phase} without a route")
        order = self.route.order(self.motion, self.handling)
        steam(self.motion, self.handling, order.course_deg, order.speed_mps, step_s)
        if self.phase is Phase.INBOUND:
            self.master.report_inbound(self.spec.mmsi, self.route.remaining_m(self.motion))
        elif self.phase is Phase.OUTBOUND and self.route.leg > 0:
            self.master.report(self.spec.mmsi, None)
            self.master.leave_berth(self.spec.mmsi)
            self.berth = None
            if self.route.leg > len(self.harbour.outbound):
                self.phase = Phase.AT_SEA
        if order.is_arrived:
            self._arrive()

    def _arrive(self) -> None:
        if self.phase is Phase.INBOUND:
            self.phase = Phase.BERTHING
            self.master.report(self.spec.mmsi, Movement.BERTHING)
        elif self.phase is Phase.TO_ANCHORAGE:
            self.phase = Phase.ANCHORED
        else:
            self._ask_to_enter()

    def _ask_to_enter(self) -> None:
        berth = self.master.clear_inbound(self.spec.mmsi, self.call.berths)
        if berth is not None:
            self.enter(berth, self.approach)
            return
        self.anchor = self.master.take_anchor(self.spec.mmsi)
        sea = self.call.sea_kn * KNOT_MPS
        if self.anchor is None:
            # a full anchorage sends the ship round once more
            self.route = Route(self.motion.position, [Waypoint(point, sea) for point in self.sea_room])
            return
        spot, around = self._anchor_spot(), self.harbour.anchorage
        way = (Point(around.east_x_m, around.north_y_m), Point(spot.x_m, around.north_y_m))
        points = [Waypoint(point, sea * 0.7) for point in way] + [Waypoint(spot, PILOT_KN * KNOT_MPS)]
        self.phase = Phase.TO_ANCHORAGE
        self.route = Route(self.motion.position, points, stops_at_end=True)

    def _anchor_spot(self) -> Point:
        """Return the point in the lane between the anchors from which the ship falls back to its own."""
        anchor = self.harbour.anchors[self.anchor or 0]
        return Point(anchor.x_m + ANCHOR_LANE_M, anchor.y_m)

    def _lie_at_anchor(self, now_s: float, step_s: float, wind_deg: float) -> None:
        anchor = self.harbour.anchors[self.anchor or 0]
        target, heading = anchored_pose(anchor, self.spec.length_m, wind_deg, now_s, self.swing_rad)
        hold(self.motion, self.handling, target, heading, ANCHOR_MPS, step_s)
        self.berth = self.master.clear_inbound(self.spec.mmsi, self.call.berths)
        if self.berth is not None:
            self.phase = Phase.WEIGHING

    def _weigh(self, step_s: float) -> None:
        spot = self._anchor_spot()
        lane = Point(spot.x_m, self.harbour.anchorage.south_y_m)
        out_deg = bearing_deg(spot, lane)
        hold(self.motion, self.handling, spot, out_deg, ANCHOR_MPS, step_s)
        is_turned = abs(turn_deg(self.motion.heading_deg, out_deg)) < SWUNG_DEG
        if is_turned and distance_m(self.motion.position, spot) < self.spec.beam_m:
            self.master.leave_anchor(self.spec.mmsi)
            self.anchor = None
            self.enter(self.berth or "", [lane, *self.approach])

    def _come_alongside(self, now_s: float, step_s: float) -> None:
        place = self.place()
        is_parallel = abs(turn_deg(self.motion.heading_deg, place.heading_deg)) < SWUNG_DEG
        target = self.moored_at(place) if is_parallel else place.abeam(ABEAM_M)
        hold(self.motion, self.handling, target, place.heading_deg, TUG_MPS, step_s)
        if is_parallel and distance_m(self.motion.position, target) < BERTHED_M:
            self.phase = Phase.ALONGSIDE
            self.alongside_until_s = now_s + self.call.stay_min * 60
            self.master.report(self.spec.mmsi, None)

    def _stay(self, now_s: float, step_s: float) -> None:
        place = self.place()
        hold(self.motion, self.handling, self.moored_at(place), place.heading_deg, TUG_MPS, step_s)
        if now_s >= self.alongside_until_s and self.master.clear_outbound(self.spec.mmsi):
            self.phase, self.is_clear_of_quay = Phase.UNBERTHING, False

    def _let_go(self, step_s: float) -> None:
        place = self.place()
        off = place.abeam(ABEAM_M)
        if not self.is_clear_of_quay:
            hold(self.motion, self.handling, off, place.heading_deg, TUG_MPS, step_s)
            self.is_clear_of_quay = distance_m(self.motion.position, off) < self.spec.beam_m
            return
        heading = bearing_deg(off, self.harbour.outbound[0])
        hold(self.motion, self.handling, off, heading, TUG_MPS, step_s)
        if abs(turn_deg(self.motion.heading_deg, heading)) < SWUNG_DEG:
            self.go_to_sea()
