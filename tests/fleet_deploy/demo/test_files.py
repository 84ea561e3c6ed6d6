"""The files that the demonstration writes for other rooms: read back as they would read them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from fleet_deploy.demo.cloud_file import CloudPlan, cloud_toml
from fleet_deploy.demo.device_files import Place, put_on
from fleet_deploy.demo.layout import Layout
from fleet_deploy.demo.lock import holding
from fleet_deploy.demo.parts import Ports, cloud_part, hardware_part, part_environment

PLACE = Place(Path("/run/id"), 18883, Path("/run/data"), 19401, {"wind": {"kind": "tcp", "host": "h", "port": 1}})
TEMPLATE: dict[str, Any] = {
    "schema": 1,
    "device": "gw",
    "site": "puerto-demo",
    "hardware": "station",
    "identity": {"certificate": "/etc/x", "private_key": "/etc/x", "trust": "/etc/x"},
    "brokers": [{"host": "broker.example"}, {"host": "other.example"}],
    "data_dir": "/var/lib/porttrack",
    "run_dir": "/run/porttrack",
    "sources": {"wind": {"place": "mast", "link": {"host": "192.0.2.1"}}, "ais": {"keep_raw": False}},
    "uplink": {"window_batches": 8},
}


def plan(folder: Path, control_room: Path | None = None) -> CloudPlan:
    return CloudPlan(8080, 4222, folder / "id", folder, folder / "history.sqlite", folder / "chart", control_room)


def test_a_profile_keeps_what_it_says_and_gets_what_belongs_to_the_place() -> None:
    device = put_on(TEMPLATE, PLACE)
    assert device["uplink"] == {"window_batches": 8}
    assert device["brokers"] == [{"host": "127.0.0.1", "port": 18883}]
    assert device["sources"] == {
        "wind": {"place": "mast", "link": {"kind": "tcp", "host": "h", "port": 1}},
        "ais": {"keep_raw": False},
    }
    assert device["data_dir"] == "/run/data"
    assert device["run_dir"] == "/run/data/run"
    assert device["identity"]["private_key"] == "/run/id/private_key.pem"
    assert device["local"] == {"host": "127.0.0.1", "port": 19401}


def test_the_template_is_not_changed() -> None:
    before = str(TEMPLATE)
    put_on(TEMPLATE, PLACE)
    assert str(TEMPLATE) == before


def test_the_clouds_settings_are_toml_with_its_keys() -> None:
    settings = tomllib.loads(cloud_toml(plan(Path("/run/cloud"), Path("/dist"))))
    assert settings["http"] == {"host": "127.0.0.1", "port": 8080}
    assert settings["bus"]["servers"] == ["tls://127.0.0.1:4222"]
    assert settings["operations"] == {"url": "sqlite+aiosqlite:////run/cloud/operations.sqlite"}
    assert settings["control_room"] == {"dir": "/dist"}
    assert "control_room" not in tomllib.loads(cloud_toml(plan(Path("/run/cloud"))))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00/\x7f"), min_size=1))
def test_any_folder_name_survives_the_settings(name: str) -> None:
    folder = Path("/run") / name
    assert Path(tomllib.loads(cloud_toml(plan(folder)))["history"]["path"]) == folder / "history.sqlite"


def test_a_second_holder_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "demo.lock"
    with holding(lock), pytest.raises(ConfigError, match=r"runs here already \(process \d+\)") as caught, holding(lock):
        pass
    assert caught.value.reason == "locked"
    with holding(lock):
        pass


def test_a_deep_folder_will_do(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    Layout(deep).make_folders()
    assert (deep / "logs").is_dir()


def test_the_callers_settings_of_another_cloud_do_not_leak_in() -> None:
    environment = part_environment({"PORTTRACK__HTTP__PORT": "1", "HOME": "/root", "PYTHONPATH": "/x"}, Path("/src"))
    assert environment == {"HOME": "/root", "PYTHONPATH": "/src:/x", "PYTHONUNBUFFERED": "1"}


def test_hardware_forgets_its_old_endpoints_before_every_start(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.make_folders()
    layout.endpoints.write_text("{}")
    hardware_part(layout, 1).prepare()
    assert not layout.endpoints.exists()
    hardware_part(layout, 1).prepare()


def test_the_cloud_runs_all_roles() -> None:
    assert cloud_part(Layout(Path("/run"))).command[-2:] == ["--roles", "api,store,track"]
    assert Ports(1, 2, 3, 4, {}).http == 1
