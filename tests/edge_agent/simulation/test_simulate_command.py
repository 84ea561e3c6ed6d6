from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ConfigError
from edge_agent.cli.simulate import main
from edge_agent.simulation.runtime import SimulationSettings, build_world, read_chart
from firmware_configs.loading import MAX_PROFILE_BYTES, PROFILES_DIR


@pytest.fixture(autouse=True)
def _logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loggers keep the stream that they are set up with: one of a captured test is closed for every later one."""
    monkeypatch.setattr("edge_agent.cli.simulate.configure_logs", lambda: None)


def settings(tmp_path: Path, **changes: Any) -> SimulationSettings:
    given: dict[str, Any] = {
        "site": "puerto-demo",
        "hardware": "port-combined",
        "seed": 1,
        "out": tmp_path / "endpoints.json",
        "profiles_dir": PROFILES_DIR,
        "rate": 1.0,
    }
    return SimulationSettings(**(given | changes))


def test_the_world_is_built_of_the_profiles(tmp_path: Path) -> None:
    world, plan = build_world(settings(tmp_path))
    assert len(world.traffic.ships) >= 18
    assert list(world.moorings) == ["norte-1", "norte-2", "norte-3"]
    assert (len(plan.feeds), len(plan.plcs), len(plan.buses)) == (6, 5, 1)


@pytest.mark.parametrize(
    ("change", "said"), [({"site": "nowhere"}, "allowed: puerto-demo"), ({"hardware": "nope"}, "allowed: ais-weather")]
)
def test_an_unknown_profile_names_the_known_ones(tmp_path: Path, change: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_world(settings(tmp_path, **change))


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"features": 1}', b" " * (MAX_PROFILE_BYTES + 1), b"\xff"])
def test_a_chart_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chart.geojson"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="read chart"):
        read_chart(path)


def test_a_missing_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_chart(tmp_path / "none.geojson")


def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--site", "nowhere", "--out", str(tmp_path / "e.json")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert "no such site (allowed: puerto-demo)" in line


@pytest.mark.parametrize(
    "arguments", [[], ["--site", "puerto-demo"], ["--site", "puerto-demo", "--out", "x", "--rate", "0"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Usage" in capsys.readouterr().err
