import pytest

from edge_agent.parsers.berth_ascii import BerthAsciiParser, Hooks, Laser, Level
from edge_agent.parsers.registers import decode_value, encode_map, width
from edge_agent.simulation.berth_lines import cabinet_lines, level_line
from edge_agent.simulation.mooring import FAST_S, HOOKS, Mooring
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap


def shown(mooring: Mooring, cabinet: RegisterMap) -> dict[str, float | bool]:
    fields = {tag.field for tag in cabinet.tags}
    return {field: value for field, value in mooring.values().items() if field in fields}


def test_a_moored_ship_loads_all_hooks_and_the_wind_loads_them_more() -> None:
    def mean(wind_mps: float) -> float:
        mooring, total = Mooring(1), 0.0
        for second in range(600):
            mooring.step(float(second), 1.0, wind_mps, 1.5, is_fast=True)
            total += sum(mooring.tension_kn) / HOOKS / 600
            assert all(10 < tension < 700 for tension in mooring.tension_kn)
        return total

    assert mean(18.0) > mean(3.0) + 150


def test_lines_are_made_fast_one_after_the_other() -> None:
    mooring = Mooring(1)
    mooring.step(0.0, 1.0, 5.0, None, is_fast=False)
    assert mooring.tension_kn == [0.0] * HOOKS
    loaded = []
    for second in range(int(FAST_S) + 60):
        mooring.step(float(second), 1.0, 5.0, 1.5, is_fast=True)
        loaded.append(sum(tension > 20 for tension in mooring.tension_kn))
    assert set(loaded) == set(range(HOOKS + 1))
    assert loaded[-1] == HOOKS


def test_the_laser_measures_an_approach() -> None:
    mooring = Mooring(1)
    for second in range(100):
        mooring.step(float(second), 1.0, 5.0, 50 - 0.2 * second, is_fast=False)
    assert mooring.distance_m == pytest.approx(30.2)
    assert mooring.approach_mps == pytest.approx(0.2)


@pytest.mark.parametrize("distance", [None, 301.0])
def test_without_a_ship_the_cabinet_reads_as_nothing(distance: float | None) -> None:
    mooring = Mooring(1)
    mooring.step(0.0, 1.0, 5.0, distance, is_fast=False)
    cabinet = read_profile(PROFILES_DIR / "hardware" / "registers" / "berth-hooks.yaml", RegisterMap)
    image = encode_map(cabinet, shown(mooring, cabinet))
    (tag,) = [tag for tag in cabinet.tags if tag.field == "distance_m"]
    words = [image[tag.table][tag.address + step] for step in range(width(tag))]
    assert decode_value(tag, cabinet.word_order, words) == (None, "out_of_range")


@pytest.mark.parametrize("name", ["berth-hooks", "berth-hooks-rtu"])
def test_every_value_fits_the_register_maps(name: str) -> None:
    mooring = Mooring(1)
    cabinet = read_profile(PROFILES_DIR / "hardware" / "registers" / f"{name}.yaml", RegisterMap)
    for second in range(400):
        mooring.step(float(second), 1.0, 25.0, 1.0 + second / 10, is_fast=True)
        image = encode_map(cabinet, shown(mooring, cabinet))
        for tag in cabinet.tags:
            words = [image[tag.table][tag.address + step] for step in range(width(tag))]
            assert not decode_value(tag, cabinet.word_order, words)[1], tag.field


def test_a_cabinet_s_lines_are_read_by_the_driver_s_parser() -> None:
    mooring, parser = Mooring(1), BerthAsciiParser(is_level=False)
    for distance_m in (1.5, None):
        mooring.step(0.0, 1.0, 5.0, distance_m, is_fast=True)
        first, second, hooks = parser.feed("".join(cabinet_lines(mooring)).encode())
        assert isinstance(first, Laser)
        assert isinstance(second, Laser)
        assert isinstance(hooks, Hooks)
        assert (first.distance_m, second.distance_m) == ((1.5, 1.65) if distance_m else (None, None))
        assert hooks.tensions_kn == pytest.approx(mooring.tension_kn, abs=0.051)
    assert not parser.rejects.counts


@pytest.mark.parametrize("level_m", [0.5321, -0.07, 12.0, 0.0])
def test_a_tide_gauge_s_line_is_read_by_the_driver_s_parser(level_m: float) -> None:
    (level,) = BerthAsciiParser(is_level=True).feed(level_line(level_m).encode())
    assert isinstance(level, Level)
    assert level.level_m == pytest.approx(level_m, abs=0.0005)
