import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import ConfigError
from firmware_configs import loading
from firmware_configs.device import EffectiveConfig
from firmware_configs.explain import problems
from firmware_configs.hardware_profile import BerthSource
from firmware_configs.links import ReplayLink, SerialLink, TcpLink
from firmware_configs.loading import MAX_PROFILE_BYTES, PROFILES_DIR, load_device, load_site
from firmware_configs.registers import RegisterMap

DEVICE = {
    "schema": 1,
    "device": "gw-test",
    "site": "puerto-demo",
    "hardware": "port-combined",
    "identity": {"certificate": "id/gw.pem", "private_key": "id/gw.key", "trust": "id/trust.pem"},
    "brokers": [{"host": "broker.example"}],
    "data_dir": "data",
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_device(**changes: object) -> Path:
        path = tmp_path / "gw-test.yaml"
        path.write_text(yaml.safe_dump(DEVICE | changes))
        return path

    return write_device


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """Return a copy of the profiles that a test may break."""
    target = tmp_path / "profiles"
    for folder in ("hardware", "sites", "devices"):
        shutil.copytree(PROFILES_DIR / folder, target / folder)
    return target


def refused(path: Path, profiles_dir: Path = PROFILES_DIR) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_device(path, profiles_dir)
    return problems(caught.value)


def test_a_device_without_changes_is_its_hardware_profile(write: Write, tmp_path: Path) -> None:
    config = load_device(write())
    assert [source.source for source in config.sources][:2] == ["ais", "wind"]
    assert config.data_dir == tmp_path / "data"
    assert config.identity.private_key == tmp_path / "id" / "gw.key"


def test_registers_are_resolved_to_their_map(write: Write) -> None:
    source = load_device(write()).source("sts-3")
    assert source.driver == "quay_crane"
    assert isinstance(source.registers, RegisterMap)
    assert source.registers.word_order == "low_first"


def test_a_source_that_is_not_there_is_a_key_error(write: Write) -> None:
    with pytest.raises(KeyError):
        load_device(write()).source("sonar")


def test_a_link_of_the_same_kind_is_merged_key_by_key(write: Write) -> None:
    link = load_device(write(sources={"wind": {"link": {"host": "10.1.1.1"}}})).source("wind").link
    assert isinstance(link, TcpLink)
    assert (link.host, link.port, link.silence_timeout_s) == ("10.1.1.1", 10110, 30)


def test_a_link_of_the_same_kind_by_name_is_merged_too(write: Write) -> None:
    change = {"link": {"kind": "serial", "device": "/dev/pts/7"}}
    link = load_device(write(sources={"ais": change})).source("ais").link
    assert isinstance(link, SerialLink)
    assert (link.device, link.baud) == ("/dev/pts/7", 38400)


def test_a_link_of_another_kind_replaces_the_whole(write: Write) -> None:
    change = {"link": {"kind": "replay", "path": "log.nmea"}}
    link = load_device(write(sources={"ais": change})).source("ais").link
    assert isinstance(link, ReplayLink)


def test_merging_a_link_of_another_kind_would_fail(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: with the keys of the old kind kept, the device file could not change the kind at all."""

    def merge_always(source: dict[str, object], change: dict[str, object] | None, path: Path) -> dict[str, object]:
        del path
        changed = change or {}
        return {**source, **changed, "link": {**source["link"], **changed.get("link", {})}}  # type: ignore[dict-item]  # raw YAML

    monkeypatch.setattr(loading, "_merge_source", merge_always)
    assert refused(write(sources={"ais": {"link": {"kind": "replay", "path": "log.nmea"}}}))


def test_an_unknown_key_names_the_allowed_ones(write: Write) -> None:
    (line,) = refused(write(colour="red"))
    assert "gw-test.yaml: colour: unknown key; allowed: brokers, data_dir, device," in line
    assert "schema" in line


def test_a_wrong_enum_names_the_allowed_values(write: Write) -> None:
    (line,) = refused(write(sources={"ais": {"link": {"baud": 9601}}}))
    assert "gw-test.yaml: sources.ais.link.baud: 9601 is not allowed" in line
    assert "4800, 9600" in line


def test_a_wrong_key_of_a_source_names_the_allowed_ones(write: Write) -> None:
    (line,) = refused(write(sources={"sts-1": {"sample_khz": 5}}))
    assert "sources.sts-1.sample_khz: unknown key; allowed: alarms, answer_timeout_s, cycle" in line


def test_a_wrong_tag_names_the_allowed_ones(write: Write) -> None:
    (line,) = refused(write(sources={"ais": {"link": {"kind": "usb"}}}))
    assert "sources.ais.link.kind: 'usb' is not allowed; allowed: serial, tcp, udp, replay" in line


def test_an_unknown_source_names_the_known_ones(write: Write) -> None:
    (line,) = refused(write(sources={"sonar": {}}))
    assert "sources.sonar: port-combined.yaml has no such source (allowed: ais, wind, " in line


@pytest.mark.parametrize(("key", "value"), [("driver", "berth"), ("source", "other")])
def test_what_belongs_to_the_hardware_profile_cannot_be_changed(write: Write, key: str, value: str) -> None:
    (line,) = refused(write(sources={"ais": {key: value}}))
    assert f"sources.ais.{key}: belongs to the hardware profile" in line


def test_a_problem_of_each_line_is_a_line(write: Write) -> None:
    lines = refused(write(device="GW", brokers=[{"host": "a", "port": 0}], local={"port": "x"}))
    assert [line.split(": ")[1] for line in lines] == ["device", "brokers[0].port", "local.port"]


@pytest.mark.parametrize("value", [".inf", ".nan"])
def test_an_infinite_number_is_refused(write: Write, value: str) -> None:
    (line,) = refused(write(outbox={"classes": {"track": {"max_age_h": float(value[1:])}}}))
    assert "outbox.classes.track.max_age_h" in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hardware": "nope"}, "hardware: no profile 'nope'"),
        ({"site": "nowhere"}, "site: no profile 'nowhere'"),
        ({"sources": {"sts-1": {"registers": "sts-plc-c"}}}, "sources.sts-1.registers: no profile 'sts-plc-c'"),
        ({"sources": {"sts-1": {"registers": "../port-combined"}}}, "no profile '../port-combined'"),
    ],
)
def test_a_missing_profile_names_those_that_exist(write: Write, change: dict[str, object], said: str) -> None:
    (line,) = refused(write(**change))
    assert line.startswith(str(write(**change)))
    assert said in line
    assert "(allowed: " in line


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    (line,) = refused(tmp_path / "none.yaml")
    assert "none.yaml: No such file or directory (check the path)" in line


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (line,) = refused(tmp_path)
    assert "directory" in line


def test_what_is_not_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("schema: 1\ndevice: [\n")
    (line,) = refused(path)
    assert "bad.yaml: not a profile: line 3" in line


def test_a_file_over_the_cap_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"# " + b"x" * MAX_PROFILE_BYTES)
    (line,) = refused(path)
    assert f"over {MAX_PROFILE_BYTES} bytes" in line


def test_a_file_of_another_kind_gives_at_most_fifty_lines(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("".join(f"key{number}: 1\n" for number in range(200)))
    assert len(refused(path)) == 51


def test_an_error_of_the_hardware_profile_names_that_file(write: Write, profiles: Path) -> None:
    path = profiles / "hardware" / "port-combined.yaml"
    path.write_text(path.read_text().replace("driver: berth_ascii", "driver: mooring"))
    (line,) = refused(write(), profiles)
    assert line.startswith(f"{path}: sources[")
    assert "].driver: 'mooring' is not allowed; allowed: nmea, quay_crane, berth" in line


def test_the_units_of_a_bus_are_resolved_and_told_apart(write: Write) -> None:
    (bus,) = [source for source in load_device(write()).sources if source.source == "berth-bus"]
    assert isinstance(bus, BerthSource)
    first, second = bus.all_units()
    assert isinstance(first.registers, RegisterMap)
    assert isinstance(second.registers, RegisterMap)
    assert (first.registers.word_order, second.registers.payload) == ("low_first", "water_level")
    assert (first.place, second.place) == (None, "tide-gauge")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"registers": "berth-hooks"}, "registers or units: one of them, not both"),
        ({"units": []}, "registers or units: one of them, not both"),
        ({"units": [{"registers": "tide-gauge"}, {"registers": "berth-hooks"}]}, "unit_id must be unique, repeated: 1"),
        ({"units": [{"unit_id": 0, "registers": "tide-gauge"}]}, "0 is every unit of a serial bus"),
        ({"units": [{"registers": "tide-gage"}]}, "sources.berth-bus.units[0].registers: no profile 'tide-gage'"),
        ({"units": [{"registers": "tide-gauge", "line_breaking_load_kn": 0}]}, "greater than 0"),
    ],
)
def test_units_that_cannot_be_are_refused(write: Write, change: dict[str, Any], cause: str) -> None:
    (line, *_) = refused(write(sources={"berth-bus": change}))
    assert cause in line


def test_limits_of_a_lift_that_cross_are_refused(write: Write) -> None:
    (line,) = refused(write(sources={"sts-1": {"cycle": {"slack_below_t": 2, "hoisted_above_t": 1}}}))
    assert "slack_below_t must be less than hoisted_above_t" in line


def test_an_error_of_a_register_map_names_that_file(write: Write, profiles: Path) -> None:
    path = profiles / "hardware" / "registers" / "sts-plc-a.yaml"
    path.write_text(path.read_text().replace("word_order: high_first", "word_order: middle_first"))
    (line,) = refused(write(), profiles)
    assert line.startswith(f"{path}: word_order: 'middle_first' is not allowed")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("hardware/port-combined.yaml", "profile: port-combined", "profile: port-other"),
        ("sites/puerto-demo/site.yaml", "site: puerto-demo", "site: puerto-otro"),
    ],
)
def test_a_profile_under_a_wrong_name_is_refused(write: Write, profiles: Path, file: str, old: str, new: str) -> None:
    path = profiles / file
    path.write_text(path.read_text().replace(old, new))
    (line,) = refused(write(), profiles)
    assert "differs from the name of the" in line


@pytest.mark.parametrize("site", ["nowhere", "../puerto-demo", ""])
def test_an_unknown_site_names_the_known_ones(site: str) -> None:
    with pytest.raises(ConfigError, match="allowed: puerto-demo"):
        load_site(site)


@pytest.mark.parametrize("path", sorted(PROFILES_DIR.glob("devices/*.yaml")), ids=lambda path: path.stem)
def test_every_device_of_the_port_resolves(path: Path) -> None:
    config = load_device(path)
    assert config.device == path.stem
    assert isinstance(config, EffectiveConfig)
    for source in config.sources:
        assert source.place is not None


def test_the_gateways_of_the_port_read_each_crane_once_with_its_own_map() -> None:
    found = {}
    for name in ("gw-crane-1", "gw-crane-2"):
        for source in load_device(PROFILES_DIR / "devices" / f"{name}.yaml").sources:
            assert source.driver == "quay_crane"
            assert isinstance(source.registers, RegisterMap)
            found[source.place] = source.registers.registers
    assert found == {"sts-1": "sts-plc-a", "sts-2": "sts-plc-a", "sts-3": "sts-plc-b", "sts-4": "sts-plc-b"}


@pytest.mark.parametrize("path", sorted(PROFILES_DIR.glob("devices/*.yaml")), ids=lambda path: path.stem)
def test_an_effective_config_is_read_back_as_itself(path: Path) -> None:
    config = load_device(path)
    assert EffectiveConfig.model_validate(config.model_dump(mode="json", by_alias=True)) == config
