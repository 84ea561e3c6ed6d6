"""The whole demonstration port in one place: ships, cranes, weather, moorings, and what its instruments send. Sans-io.

Time is the simulation's: seconds since its start. Cranes are stepped on a grid of ``STEP_S``, all else on every
``SLOW_EVERY``-th point of it, so that the same seed gives the same sentences however often and however late ``advance``
is called.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_agent.simulation.ais_messages import (
    Receiver,
    aid_report,
    antenna,
    base_report,
    position_report,
    static_reports,
)
from edge_agent.simulation.berth_lines import cabinet_lines, level_line
from edge_agent.simulation.crane import Crane
from edge_agent.simulation.crane_plc import CranePlc
from edge_agent.simulation.fleet import Fleet
from edge_agent.simulation.gnss import LATENCY_S, GnssReceiver
from edge_agent.simulation.harbour import Harbour
from edge_agent.simulation.mooring import FAST_S, Mooring
from edge_agent.simulation.radar import SCAN_S, Radar
from edge_agent.simulation.reporting import (
    AID_S,
    BASE_S,
    Schedule,
    class_a_interval_s,
    class_b_interval_s,
)
from edge_agent.simulation.sentences import dpt, mda, mtw, mwd, mwv, xdr
from edge_agent.simulation.traffic import Ship, Traffic
from edge_agent.simulation.voyage import NAV_ANCHORED, NAV_MOORED, Caller, Phase
from edge_agent.simulation.weather import Weather
from firmware_configs.site import SiteProfile

STEP_S = 0.1
"""A crane is polled five times a second: its axes must have moved in between."""
STEPS_A_SECOND = round(1 / STEP_S)
SLOW_EVERY = 5
"""Ships and weather move every half second: a ship needs no more, and it is most of the work."""
MAX_STEPS = 6000
"""Steps made at once: a machine that slept for an hour goes on where it was instead of being busy for minutes."""
TRANSDUCER_M = 1.0
"""Depth of the echo sounder's transducer at the quay wall below chart datum."""
ETA_S = 5400.0
WEATHER_S = 5
"""Between two reports of the mast's thermometer, barometer and hygrometer."""
BATTERY_V = 13.2


class Lines(NamedTuple):
    """Sentences that became due, oldest first, with line ends."""

    ais: list[str]
    wind: list[str]
    depth: list[str]
    radar: list[str]
    gnss: list[str]
    tide: list[str]
    hooks: list[str]


def no_lines() -> Lines:
    """Return none of each."""
    return Lines([], [], [], [], [], [], [])


class World:
    """The demonstration port.

    Args:
        site: its profile.
        harbour: its water.
        fleet: its ships.
        seed: of the run.
        instrumented: ids of the berths with hooks and lasers.
        sounder_at: berth with the echo sounder; none: the first of ``instrumented``.
        text_at: berth whose cabinet sends text; none: no cabinet does.
        is_real_time: simulated time runs with the real one.
    """

    def __init__(
        self,
        site: SiteProfile,
        harbour: Harbour,
        fleet: Fleet,
        seed: int,
        instrumented: Sequence[str],
        *,
        sounder_at: str | None = None,
        text_at: str | None = None,
        is_real_time: bool = True,
    ) -> None:
        self._harbour = harbour
        self._fleet = fleet
        self.traffic = Traffic(fleet, harbour, seed)
        self.weather = Weather(seed)
        self.cranes = {
            crane.crane: Crane(crane.crane, seed, crane.parked_at_m, crane.wind_stop_mps) for crane in site.cranes
        }
        self.plcs = {name: CranePlc(crane, f"{seed}-{name}") for name, crane in self.cranes.items()}
        self.moorings = {berth: Mooring(f"{seed}-{berth}") for berth in instrumented}
        self._sounder_at = sounder_at or next(iter(instrumented), None)
        self._text_at = text_at
        stations = [ship.spec.mmsi for ship in self.traffic.ships]
        stations += [fleet.base_station.mmsi, *(aid.mmsi for aid in fleet.aids)]
        at = {item.kind: harbour.instruments[item.instrument] for item in site.instruments}
        self._radar = Radar(at["radar"], harbour.plane, seed) if "radar" in at else None
        antenna_at, plane = at.get("gnss_antenna"), harbour.plane
        self._gnss = GnssReceiver(antenna_at, plane, seed, is_real_time=is_real_time) if antenna_at else None
        self._schedule = Schedule(stations, seed)
        self._receiver = Receiver()
        self._steps = 0
        self.skipped_s = 0.0
        """Time given up because ``advance`` was called too late."""

    @property
    def now_s(self) -> float:
        """Simulated time."""
        return self._steps / STEPS_A_SECOND

    def announce(self) -> None:
        """Let all AIS stations be heard soon: a reader has just attached."""
        self._schedule.announce(self.now_s)

    def advance(self, to_s: float, epoch_s: float) -> Lines:
        """Step up to a time and return what instruments have sent meanwhile.

        Args:
            to_s: seconds since the start, of the simulation.
            epoch_s: UTC seconds since 1970 of the simulation's start.
        """
        lines = no_lines()
        # the hundredth keeps 0.3 s three steps, whatever binary fractions make of it
        wanted = int((to_s - self.skipped_s) * STEPS_A_SECOND + 0.01) - self._steps
        if wanted > MAX_STEPS:
            self.skipped_s += (wanted - MAX_STEPS) * STEP_S
            wanted = MAX_STEPS
        for _ in range(max(0, wanted)):
            self._steps += 1
            for crane in self.cranes.values():
                crane.step(STEP_S, self.weather.speed_mps)
            for plc in self.plcs.values():
                plc.step(STEP_S)
            if self._steps % SLOW_EVERY == 0:
                self._step(SLOW_EVERY * STEP_S)
                self._send_ais(lines.ais, epoch_s + self.skipped_s + self.now_s)
                self._send_weather(lines)
            self._send_radar_and_gnss(lines, epoch_s + self.skipped_s + self.now_s)
        return lines

    def crane_values(self, crane: str) -> Mapping[str, float | bool]:
        """Return what a crane's PLC shows now."""
        return self.plcs[crane].values()

    def tide_values(self) -> Mapping[str, float | bool]:
        """Return what the tide gauge shows now."""
        return {"level_m": self.weather.level_m}

    def berth_values(self, berth: str) -> Mapping[str, float | bool]:
        """Return what a berth's cabinet shows now."""
        return self.moorings[berth].values()

    def _step(self, step_s: float) -> None:
        self.weather.step(self.now_s, step_s)
        self.traffic.step(self.now_s, step_s, self.weather.from_deg)
        for berth, mooring in self.moorings.items():
            ship = self.traffic.alongside(berth)
            distance = None if ship is None else self._gap_m(ship)
            is_fast = ship is not None and ship.phase is Phase.ALONGSIDE
            mooring.step(self.now_s, step_s, self.weather.speed_mps, distance, is_fast=is_fast)

    def _gap_m(self, ship: Caller) -> float:
        """Return the distance from the fender line to the ship's side, moving a little with the long waves."""
        place = ship.place()
        side = math.radians(place.seaward_deg)
        dx = ship.motion.position.x_m - place.centre.x_m
        dy = ship.motion.position.y_m - place.centre.y_m
        off = dx * math.sin(side) + dy * math.cos(side) - ship.spec.beam_m / 2
        return max(0.2, off + 0.04 * math.sin(2 * math.pi * self.now_s / (FAST_S / 6)))

    def _send_ais(self, out: list[str], utc_s: float) -> None:
        for ship in self.traffic.ships:
            mmsi = ship.spec.mmsi
            if self._schedule.is_position_due(mmsi, self.now_s, _interval_s(ship)):
                offset = getattr(ship, "heading_offset_deg", 0.0)
                where = self._harbour.plane.degrees(antenna(ship.spec, ship.motion))
                report = position_report(ship.spec, ship.motion, where, ship.nav_status, offset, utc_s)
                out += self._receiver.sentences(report)
            if self._schedule.is_static_due(mmsi, self.now_s):
                for report in static_reports(ship.spec, utc_s + ETA_S):
                    out += self._receiver.sentences(report)
        station = self._fleet.base_station
        if self._schedule.is_position_due(station.mmsi, self.now_s, BASE_S):
            where = self._harbour.plane.degrees(self._harbour.instruments[station.instrument])
            out += self._receiver.sentences(base_report(station, where, utc_s))
        for aid in self._fleet.aids:
            if self._schedule.is_position_due(aid.mmsi, self.now_s, AID_S):
                out += self._receiver.sentences(aid_report(aid, utc_s))

    def _send_weather(self, lines: Lines) -> None:
        if self._steps % STEPS_A_SECOND:
            return
        lines.wind.append(mwv(self.weather.from_deg, self.weather.speed_mps))
        if self._steps % (2 * STEPS_A_SECOND) == 0:
            lines.wind.append(mwd(self.weather.from_deg, self.weather.speed_mps))
        if self._steps % (WEATHER_S * STEPS_A_SECOND) == 0:
            self._send_air(lines.wind)
        lines.tide.append(level_line(self.weather.level_m))
        if self._sounder_at is not None:
            water = self._harbour.berths[self._sounder_at].depth_m + self.weather.level_m
            lines.depth.append(dpt(water - TRANSDUCER_M, TRANSDUCER_M))
        if self._text_at is not None:
            lines.hooks.extend(cabinet_lines(self.moorings[self._text_at]))

    def _send_air(self, out: list[str]) -> None:
        now = self.weather
        air = (now.air_c, now.humidity_pct, now.hpa, now.dew_c)
        out.append(mda(air, now.from_deg, now.speed_mps))
        out.append(mtw(now.water_c))
        humidity = ("H", now.humidity_pct, "P", "HUMIDITY")
        out.append(xdr(("C", now.air_c, "C", "AIRTEMP"), humidity, ("U", BATTERY_V, "V", "BATTERY")))

    def _send_radar_and_gnss(self, lines: Lines, utc_s: float) -> None:
        if self._radar is not None and self._steps % round(SCAN_S / STEP_S) == 0:
            lines.radar.extend(self._radar.scan(self.traffic.ships, utc_s))
        if self._gnss is not None and self._steps % STEPS_A_SECOND == round(LATENCY_S / STEP_S):
            lines.gnss.extend(self._gnss.sentences(utc_s - LATENCY_S))


def _interval_s(ship: Ship) -> float:
    if ship.spec.ais == "b":
        return class_b_interval_s(ship.motion.sog_kn)
    is_fast = ship.nav_status in (NAV_ANCHORED, NAV_MOORED)
    return class_a_interval_s(ship.motion.sog_kn, ship.motion.turn_deg_s, is_fast=is_fast)
