"""Two simulated hours of the whole port, sailed once and looked at from several sides."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import pytest
from shapely.prepared import prep  # type: ignore[import-untyped]  # shapely ships no types

from contracts.errors import ConfigError
from edge_agent.simulation.fleet import Call, Start
from edge_agent.simulation.geometry import distance_m, turn_deg
from edge_agent.simulation.traffic import Traffic, handling_of
from edge_agent.simulation.voyage import Caller, Phase
from tests.support.demo_port import demo_fleet, demo_harbour, hull_of, solid_ground

HOURS = 2
SAMPLE_S = 10
WIND_DEG = 95.0


@dataclass
class Voyage:
    least_moving: int = 99
    aground: set[str] = field(default_factory=set)
    collisions: set[tuple[str, str]] = field(default_factory=set)
    broken_limits: set[str] = field(default_factory=set)
    phases: dict[str, list[Phase]] = field(default_factory=lambda: defaultdict(list))
    shared_berths: set[str] = field(default_factory=set)


def launch(seed: int = 1) -> Traffic:
    return Traffic(demo_fleet(), demo_harbour(), seed)


@pytest.fixture(scope="module")
def voyage() -> Voyage:
    traffic, seen = launch(), Voyage()
    ground = prep(solid_ground())
    for second in range(HOURS * 3600):
        before = [(ship.motion.position, ship.motion.heading_deg, ship.motion.sog_mps) for ship in traffic.ships]
        traffic.step(float(second), 1.0, WIND_DEG)
        seen.least_moving = min(seen.least_moving, sum(ship.motion.sog_kn >= 0.5 for ship in traffic.ships))
        for ship, (position, heading, speed) in zip(traffic.ships, before, strict=True):
            limits, motion = ship.handling, ship.motion
            is_jump = distance_m(position, motion.position) > max(speed, motion.sog_mps) + 1e-6
            is_spin = abs(turn_deg(heading, motion.heading_deg)) > limits.turn_deg_s + 1e-6
            is_kick = motion.sog_mps - speed > max(limits.accelerate_mps2, limits.brake_mps2) + 0.01
            if is_jump or is_spin or is_kick:
                seen.broken_limits.add(ship.spec.name)
        if second % SAMPLE_S == 0:
            look(traffic, ground, seen)
    return seen


def look(traffic: Traffic, ground: object, seen: Voyage) -> None:
    hulls = [(ship, hull_of(ship)) for ship in traffic.ships]
    for ship, hull in hulls:
        if ground.intersects(hull):  # type: ignore[attr-defined]  # shapely ships no types
            seen.aground.add(ship.spec.name)
    for (one, one_hull), (other, other_hull) in combinations(hulls, 2):
        if distance_m(one.motion.position, other.motion.position) < 400 and one_hull.intersects(other_hull):
            seen.collisions.add((one.spec.name, other.spec.name))
    held = [ship.berth for ship in traffic.ships if isinstance(ship, Caller) and ship.berth]
    seen.shared_berths |= {berth for berth in held if held.count(berth) > 1}
    for ship in traffic.ships:
        if isinstance(ship, Caller) and ship.phase not in seen.phases[ship.spec.name][-1:]:
            seen.phases[ship.spec.name].append(ship.phase)


def test_no_hull_ever_touches_the_ground(voyage: Voyage) -> None:
    assert not voyage.aground


def test_at_least_twelve_ships_move_at_any_time(voyage: Voyage) -> None:
    assert voyage.least_moving >= 12


def test_no_ship_jumps_spins_or_is_kicked(voyage: Voyage) -> None:
    assert not voyage.broken_limits


def test_two_ships_never_hold_one_berth(voyage: Voyage) -> None:
    assert not voyage.shared_berths


def test_no_two_hulls_meet_in_the_fairway_or_the_basin(voyage: Voyage) -> None:
    assert not voyage.collisions


def test_all_phases_of_a_port_call_are_seen(voyage: Voyage) -> None:
    assert set().union(*map(set, voyage.phases.values())) == set(Phase)
    first = {name: phases[0] for name, phases in voyage.phases.items()}
    assert {Phase.ALONGSIDE, Phase.INBOUND, Phase.OUTBOUND, Phase.ANCHORED, Phase.AT_SEA} <= set(first.values())


def test_phases_follow_one_another_as_a_voyage_does(voyage: Voyage) -> None:
    allowed = {
        Phase.AT_SEA: {Phase.INBOUND, Phase.TO_ANCHORAGE},
        Phase.TO_ANCHORAGE: {Phase.ANCHORED},
        Phase.ANCHORED: {Phase.WEIGHING},
        Phase.WEIGHING: {Phase.INBOUND},
        Phase.INBOUND: {Phase.BERTHING},
        Phase.BERTHING: {Phase.ALONGSIDE},
        Phase.ALONGSIDE: {Phase.UNBERTHING},
        Phase.UNBERTHING: {Phase.OUTBOUND},
        Phase.OUTBOUND: {Phase.AT_SEA},
    }
    for name, phases in voyage.phases.items():
        for one, other in pairwise(phases):
            assert other in allowed[one], name


def test_a_seed_repeats_a_run_and_another_one_does_not() -> None:
    runs = []
    for seed in (7, 7, 8):
        traffic = launch(seed)
        for second in range(120):
            traffic.step(float(second), 1.0, WIND_DEG)
        runs.append([ship.motion.position for ship in traffic.ships])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_harbour_without_a_master_lets_ships_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: with every request granted, two ships get one berth."""
    master = "edge_agent.simulation.harbour_master.HarbourMaster"
    monkeypatch.setattr(f"{master}.take_berth", lambda _self, _mmsi, berths: berths[0])
    traffic, seen = launch(), Voyage()
    for second in range(600):
        traffic.step(float(second), 1.0, WIND_DEG)
    look(traffic, prep(solid_ground()), seen)
    assert seen.shared_berths


def test_a_ship_alongside_lies_along_the_fender_line() -> None:
    traffic = launch()
    ship = traffic.alongside("norte-1")
    assert ship is not None
    assert ship.phase is Phase.ALONGSIDE
    assert traffic.alongside("norte-3") is None
    place = demo_harbour().berths["norte-1"]
    assert distance_m(ship.motion.position, place.centre) == pytest.approx(ship.spec.beam_m / 2 + 1.5)
    assert ship.nav_status == 5


def test_a_small_hull_turns_faster_than_a_large_one() -> None:
    rates = [handling_of(length).turn_deg_s for length in (8, 25, 90, 300)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    "change",
    [
        {"berths": ["norte-9"]},
        {"start": Start(at="berth", berth="norte-9")},
        {"start": Start(at="berth", berth="norte-2")},
    ],
)
def test_a_fleet_that_does_not_fit_the_port_is_refused(change: dict[str, object]) -> None:
    fleet = demo_fleet()
    ship = fleet.ships[0]
    assert isinstance(ship.behaviour, Call)
    changed = ship.model_copy(update={"mmsi": 224999999, "behaviour": ship.behaviour.model_copy(update=change)})
    crowded = fleet.model_copy(update={"ships": [*fleet.ships, changed]})
    with pytest.raises(ConfigError, match=ship.name):
        Traffic(crowded, demo_harbour(), 1)


def test_a_full_anchorage_is_refused_at_the_start() -> None:
    fleet = demo_fleet()
    anchored = next(ship for ship in fleet.ships if ship.behaviour.kind == "anchor")
    many = [anchored.model_copy(update={"mmsi": 224_800_000 + number}) for number in range(60)]
    with pytest.raises(ConfigError, match="the anchorage is full"):
        Traffic(fleet.model_copy(update={"ships": many}), demo_harbour(), 1)
