from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import ConfigError
from edge_agent.simulation.fleet import FLEETS_DIR, Call, Loop, is_imo_number, load_fleet
from tests.support.demo_port import SITE, demo_fleet, demo_harbour, demo_site, in_metres, solid_ground

RAW: dict[str, Any] = yaml.safe_load((FLEETS_DIR / f"{SITE}.yaml").read_text())


def broken(tmp_path: Path, **changes: Any) -> str:
    (tmp_path / f"{SITE}.yaml").write_text(yaml.safe_dump(RAW | changes))
    with pytest.raises(ConfigError) as caught:
        load_fleet(SITE, tmp_path)
    return str(caught.value)


@pytest.mark.parametrize("number", [9074729, 9704611])
def test_real_imo_numbers_pass(number: int) -> None:
    assert is_imo_number(number)


@pytest.mark.parametrize("number", [9074728, 907472, 90747290, 0])
def test_other_numbers_do_not(number: int) -> None:
    assert not is_imo_number(number)


def test_the_fleet_is_one_of_a_port() -> None:
    ships = demo_fleet().ships
    assert len(ships) >= 18
    types = {ship.ship_type // 10 for ship in ships}
    assert {7, 8, 6, 5, 3} <= types
    assert {30, 36, 37, 50, 52} <= {ship.ship_type for ship in ships}
    assert {ship.ais for ship in ships} == {"a", "b"}
    assert len({ship.mmsi // 1_000_000 for ship in ships}) >= 10
    assert sum(ship.mmsi // 1_000_000 in (224, 225) for ship in ships) >= 5


def test_class_b_ships_have_no_imo_number_and_large_ones_have() -> None:
    for ship in demo_fleet().ships:
        assert (ship.imo is None) == (ship.length_m < 30), ship.name


def test_every_caller_fits_its_berths() -> None:
    berths = {berth.berth: berth for berth in demo_site().berths}
    for ship in demo_fleet().ships:
        if isinstance(ship.behaviour, Call):
            for name in ship.behaviour.berths:
                assert ship.length_m <= berths[name].max_loa_m, ship.name
                assert ship.beam_m <= berths[name].max_beam_m, ship.name
                assert ship.draught_m <= berths[name].max_draught_m, ship.name


def test_every_route_lies_in_the_water_and_within_the_bounds() -> None:
    bounds = demo_site().bounds
    fleet = demo_fleet()
    for name, positions in fleet.routes.items():
        ring = {"geometry": {"type": "LineString", "coordinates": [*positions, positions[0]]}}
        assert in_metres(ring).distance(solid_ground()) > 40, name
        for lon, lat in positions:
            assert bounds.west_deg < lon < bounds.east_deg
            assert bounds.south_deg < lat < bounds.north_deg
    assert {ship.behaviour.route for ship in fleet.ships if isinstance(ship.behaviour, Loop)} == set(fleet.routes)
    assert fleet.base_station.instrument in demo_harbour().instruments


def test_a_site_without_traffic_names_those_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="allowed: puerto-demo"):
        load_fleet("puerto-otro")
    with pytest.raises(ConfigError, match="allowed: none"):
        load_fleet(SITE, tmp_path)


def test_a_wrong_check_digit_is_refused(tmp_path: Path) -> None:
    ship = RAW["ships"][0] | {"imo": 9990010}
    assert "ships[0]: imo: 9990010 has a wrong check digit" in broken(tmp_path, ships=[ship])


def test_a_doubled_mmsi_is_refused(tmp_path: Path) -> None:
    assert "an MMSI is given twice" in broken(
        tmp_path, ships=[RAW["ships"][0], dict(RAW["ships"][0], behaviour={"kind": "anchor"})]
    )


def test_an_unknown_route_names_the_known_ones(tmp_path: Path) -> None:
    behaviour = {"kind": "loop", "route": "moon", "speed_kn": 5, "start": 0}
    text = broken(tmp_path, ships=[RAW["ships"][0] | {"behaviour": behaviour}])
    assert "no route moon; allowed: drift" in text


@pytest.mark.parametrize("start", [{"at": "berth"}, {"at": "sea", "berth": "norte-1"}])
def test_a_berth_is_given_exactly_where_it_is_needed(tmp_path: Path, start: dict[str, str]) -> None:
    behaviour = RAW["ships"][0]["behaviour"] | {"start": start}
    assert "berth belongs to" in broken(tmp_path, ships=[RAW["ships"][0] | {"behaviour": behaviour}])
