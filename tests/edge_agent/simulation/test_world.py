import itertools
from collections import Counter

import pytest

from contracts.payloads import Ais, AisStation, Depth, Wind
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.simulation import world as world_module
from edge_agent.simulation.world import STEP_S, Lines, World, no_lines
from tests.support.demo_port import EPOCH_S, demo_fleet, demo_harbour, demo_site, demo_world


def heard(lines: list[str]) -> list[Ais]:
    decoder = NmeaDecoder()
    payloads = [decoded.payload for decoded in [*decoder.feed("".join(lines).encode(), 0), *decoder.close(0)]]
    assert not decoder.rejected
    return [payload for payload in payloads if isinstance(payload, Ais)]


def test_within_twenty_seconds_every_station_is_heard_with_its_name() -> None:
    world = demo_world()
    messages = heard(world.advance(21.0, EPOCH_S).ais)
    fleet = demo_fleet()
    positions = {message.mmsi for message in messages if message.lon_deg is not None}
    names = {message.mmsi for message in messages if message.name}
    ships = {ship.mmsi for ship in fleet.ships}
    assert positions == ships | {fleet.base_station.mmsi, *(aid.mmsi for aid in fleet.aids)}
    assert ships <= names


def test_at_least_twelve_ships_are_heard_moving() -> None:
    messages = heard(demo_world().advance(30.0, EPOCH_S).ais)
    moving = {message.mmsi for message in messages if message.sog_kn is not None and message.sog_kn >= 0.5}
    assert len(moving) >= 12


def test_positions_heard_are_those_of_the_ships() -> None:
    world = demo_world()
    message = next(m for m in heard(world.advance(12.0, EPOCH_S).ais) if m.mmsi == demo_fleet().ships[0].mmsi)
    assert message.station is AisStation.CLASS_A
    point = demo_harbour().plane.point(message.lon_deg or 0, message.lat_deg or 0)
    centre = demo_harbour().berths["norte-1"].centre
    assert abs(point.x_m - centre.x_m) < 150
    assert abs(point.y_m - centre.y_m) < 150
    assert message.nav_status == 5


def test_message_rates_are_those_of_the_standard() -> None:
    world = demo_world()
    world.advance(30.0, EPOCH_S)
    counts = Counter(message.mmsi for message in heard(world.advance(330.0, EPOCH_S).ais) if message.lon_deg)
    fleet = demo_fleet()
    by_name = {ship.name: counts[ship.mmsi] for ship in fleet.ships}
    assert 28 <= by_name["AEGEAN TRADER"] <= 36
    assert 9 <= by_name["TRAMUNTANA"] <= 11
    assert 1 <= by_name["MSV LEVANTE STAR"] <= 2
    assert counts[fleet.base_station.mmsi] == 30


def test_the_mast_sends_wind_every_second_and_the_sounder_depth() -> None:
    lines = demo_world().advance(10.0, EPOCH_S)
    assert sum("MWV" in line for line in lines.wind) == 10
    assert sum("MWD" in line for line in lines.wind) == 5
    assert len(lines.depth) == 10
    decoder = NmeaDecoder()
    payloads = [decoded.payload for decoded in decoder.feed("".join([*lines.wind, *lines.depth]).encode(), 0)]
    assert not decoder.rejected
    assert sum(isinstance(payload, Wind) for payload in payloads) == 17
    depths = [payload.below_transducer_m for payload in payloads if isinstance(payload, Depth)]
    assert all(depth is not None and 15 < depth < 16.5 for depth in depths)


def drive(world: World, steps: list[float]) -> Lines:
    total = no_lines()
    for until in steps:
        for whole, part in zip(total, world.advance(until, EPOCH_S), strict=True):
            whole.extend(part)
    return total


def test_the_pace_of_the_caller_never_changes_what_is_sent() -> None:
    smooth = drive(demo_world(3), [tenth / 10 for tenth in range(601)])
    jerky = drive(demo_world(3), [0.3, 17.0, 17.1, 44.9, 60.0])
    assert smooth == jerky


def test_another_seed_is_another_day() -> None:
    assert demo_world(1).advance(30.0, EPOCH_S) != demo_world(2).advance(30.0, EPOCH_S)


def test_after_a_long_sleep_the_world_goes_on_without_catching_up(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 200  # the cap is 6,000, which take seconds
    monkeypatch.setattr(world_module, "MAX_STEPS", steps)
    world = demo_world()
    world.advance(10.0, EPOCH_S)
    world.advance(10.0 + 3600.0, EPOCH_S)
    assert world.now_s == 10.0 + steps * STEP_S
    assert world.skipped_s == 3600.0 - steps * STEP_S
    lines = world.advance(10.0 + 3600.0 + 5.0, EPOCH_S)
    assert len(lines.depth) == 5


def test_a_clock_that_stands_still_or_goes_back_sends_nothing() -> None:
    world = demo_world()
    world.advance(10.0, EPOCH_S)
    assert world.advance(10.0, EPOCH_S) == no_lines()
    assert world.advance(4.0, EPOCH_S) == no_lines()


def test_a_new_reader_hears_the_moored_ships_again() -> None:
    world = demo_world()
    world.advance(60.0, EPOCH_S)
    moored = demo_fleet().ships[0].mmsi
    silent = {message.mmsi for message in heard(world.advance(80.0, EPOCH_S).ais)}
    world.announce()
    again = {message.mmsi for message in heard(world.advance(101.0, EPOCH_S).ais)}
    assert moored not in silent
    assert moored in again


def test_the_instrumented_berth_feels_its_ship() -> None:
    world = demo_world()
    world.advance(5.0, EPOCH_S)
    values = world.berth_values("norte-1")
    assert float(values["hook_tension_kn[0]"]) > 30
    assert float(values["distance_m"]) == pytest.approx(1.5, abs=0.3)


def test_every_crane_of_the_site_works() -> None:
    world = demo_world()
    world.advance(300.0, EPOCH_S)
    for crane in demo_site().cranes:
        assert world.cranes[crane.crane].moves >= 1
        assert set(world.crane_values(crane.crane)) >= {"hoist_load_t", "trolley_m", "gantry_m"}


def test_a_crane_moves_between_two_polls() -> None:
    """Five polls a second, as the driver makes them: while an axis runs, no two show the same place."""
    world, places = demo_world(), []
    for poll in range(1, 301):
        world.advance(poll / 5, EPOCH_S)
        values = world.crane_values("sts-1")
        places.append((values["trolley_m"], values["hoist_m"], values["gantry_m"]))
    still = sum(one == other for one, other in itertools.pairwise(places))
    assert still < len(places) / 3
