import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from firmware_configs.__main__ import app
from firmware_configs.device import EffectiveConfig
from firmware_configs.loading import PROFILES_DIR, load_device

RUNNER = CliRunner()


def test_show_prints_the_effective_config_as_yaml() -> None:
    done = RUNNER.invoke(app, ["show", "gw-crane-2"])
    assert done.exit_code == 0
    shown = EffectiveConfig.model_validate(yaml.safe_load(done.stdout))
    assert shown == load_device(PROFILES_DIR / "devices" / "gw-crane-2.yaml")


def test_show_prints_json_where_scripts_read() -> None:
    done = RUNNER.invoke(app, ["show", "gw-approach-1", "--json"])
    assert json.loads(done.stdout)["sources"][0]["link"]["baud"] == 38400


def test_show_takes_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    shutil.copy(PROFILES_DIR / "devices" / "gw-berth-1.yaml", path)
    done = RUNNER.invoke(app, ["show", str(path)])
    assert done.exit_code == 0
    assert "berth-hooks" in done.stdout


def test_show_takes_other_profiles(tmp_path: Path) -> None:
    for folder in ("hardware", "sites", "devices"):
        shutil.copytree(PROFILES_DIR / folder, tmp_path / folder)
    (tmp_path / "devices" / "gw-berth-1.yaml").rename(tmp_path / "devices" / "gw-own.yaml")
    done = RUNNER.invoke(app, ["show", "gw-own", "--profiles", str(tmp_path)])
    assert done.exit_code == 0


def test_an_unknown_device_names_the_known_ones() -> None:
    done = RUNNER.invoke(app, ["show", "gw-nope"])
    assert done.exit_code == 2
    assert "no profile 'gw-nope'" in done.stderr
    assert "gw-approach-1" in done.stderr


def test_a_bad_file_gives_one_line_a_problem_and_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    text = (PROFILES_DIR / "devices" / "gw-approach-1.yaml").read_text()
    path.write_text(text.replace("schema: 1", "schema: 7") + "extra: 1\n")
    done = RUNNER.invoke(app, ["show", str(path)])
    assert done.exit_code == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == f"error: {path}: schema: 7 is not allowed; allowed: 1"
    assert lines[1].startswith(f"error: {path}: extra: unknown key; allowed: ")


@pytest.mark.parametrize("arguments", [[], ["show"], ["show", "a", "--nope"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert RUNNER.invoke(app, arguments).exit_code == 2


def test_list_names_the_profiles_of_each_kind() -> None:
    listed = json.loads(RUNNER.invoke(app, ["list", "--json"]).stdout)
    assert {"ais-weather-station", "quay-crane-gateway", "berth-gateway", "port-combined"} <= set(listed["hardware"])
    assert listed["sites"] == ["puerto-demo"]
    text = RUNNER.invoke(app, ["list"]).stdout
    assert "sites:\n  puerto-demo\n" in text
