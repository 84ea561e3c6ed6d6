from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from contracts.errors import ConfigError
from firmware_configs.alarms import ApproachLimits, MooringLimits, WindLimits
from firmware_configs.device import EffectiveConfig
from firmware_configs.loading import PROFILES_DIR, load_device


def load(tmp_path: Path, **sources: object) -> EffectiveConfig:
    path = tmp_path / "gw-combined-1.yaml"
    device = yaml.safe_load((PROFILES_DIR / "devices" / "gw-combined-1.yaml").read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(device | {"sources": sources}), encoding="utf-8")
    return load_device(path)


def test_a_crane_without_limits_of_its_own_has_those_of_the_site(tmp_path: Path) -> None:
    config = load(tmp_path)
    for crane in ("sts-1", "sts-4"):
        wind = config.source(crane).place_alarms[crane].wind
        assert (wind.warning_mps, wind.stop_mps) == (16, 20)
    assert config.source("wind").place_alarms == {}


def test_limits_of_the_profile_win_over_the_sites(tmp_path: Path) -> None:
    config = load(tmp_path, **{"sts-1": {"alarms": {"wind": {"stop_mps": 18, "clear_after_s": 30}}}})
    wind = config.source("sts-1").place_alarms["sts-1"].wind
    assert (wind.warning_mps, wind.stop_mps, wind.clear_after_s) == (16, 18, 30)


def test_an_anemometer_of_sentences_on_a_crane_has_the_cranes_limits(tmp_path: Path) -> None:
    config = load(tmp_path, wind={"place": "sts-2"})
    assert config.source("wind").place_alarms["sts-2"].wind.stop_mps == 20


def test_a_profile_that_contradicts_the_site_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, **{"sts-1": {"alarms": {"wind": {"warning_mps": 22}}}})
    assert "sources.sts-1.alarms.wind" in caught.value.cause
    assert "warning_mps 22 is above stop_mps 20" in caught.value.cause


def test_the_effective_config_survives_being_written_and_read_again(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert EffectiveConfig.model_validate(config.model_dump(mode="json", by_alias=True)) == config


def test_limits_that_cannot_be_meant_are_refused() -> None:
    for model, values in (
        (WindLimits, {"warning_mps": 21, "stop_mps": 20}),
        (ApproachLimits, {"warning_mps": 0.3, "high_mps": 0.2}),
        (MooringLimits, {"slack_kn": 30}),
        (MooringLimits, {"groups": [[1]]}),
        (MooringLimits, {"groups": [[0, 1]]}),
        (MooringLimits, {"groups": [[2, 2]]}),
    ):
        with pytest.raises(ValidationError):
            model.model_validate(values)
