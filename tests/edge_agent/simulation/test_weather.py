import itertools
from statistics import fmean, pstdev

from edge_agent.simulation.weather import Weather


def run(seed: int, seconds: int) -> list[tuple[float, float, float]]:
    weather, seen = Weather(seed), []
    for second in range(seconds):
        weather.step(float(second), 1.0)
        seen.append((weather.speed_mps, weather.from_deg, weather.level_m))
    return seen


def test_the_wind_is_gusty_and_believable() -> None:
    seen = run(1, 7200)
    speeds = [speed for speed, _, _ in seen]
    assert all(0 <= speed < 20 for speed in speeds)
    assert 3 < fmean(speeds) < 10
    assert 0.8 < pstdev(speeds) < 2.5
    steps = [abs(later - earlier) for earlier, later in itertools.pairwise(speeds)]
    assert 0.2 < fmean(steps) < 1.2


def test_the_wind_comes_from_the_sea_and_veers_slowly() -> None:
    directions = [direction for _, direction, _ in run(2, 7200)]
    assert all(40 < direction < 150 for direction in directions)
    assert max(abs(b - a) for a, b in itertools.pairwise(directions)) < 5


def test_the_tide_is_the_mediterranean_s() -> None:
    levels = [level for _, _, level in run(3, 50_000)]
    assert 0.1 < max(levels) - min(levels) < 0.4


def test_a_seed_repeats_the_weather() -> None:
    assert run(5, 100) == run(5, 100)
    assert run(5, 100) != run(6, 100)
