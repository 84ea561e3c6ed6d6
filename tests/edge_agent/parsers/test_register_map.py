from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ConfigError
from edge_agent.drivers.berth.channels import CHANNELS as BERTH
from edge_agent.drivers.berth.channels import TIDE_CHANNELS
from edge_agent.drivers.quay_crane.channels import CHANNELS as CRANE
from edge_agent.parsers.register_map import fit_map, split_field
from firmware_configs.loading import read_profile
from firmware_configs.registers import RegisterMap

MAPS = Path(__file__).parent.parent.parent.parent / "firmware_configs" / "hardware" / "registers"
LOAD: dict[str, Any] = {"field": "hoist_load_t", "table": "input_register", "address": 0, "type": "u16", "unit": "t"}
HOOK: dict[str, Any] = LOAD | {"field": "hook_tension_kn[0]", "unit": "kN"}


def a_map(*tags: dict[str, Any], payload: str = "crane_sample") -> RegisterMap:
    return RegisterMap.model_validate(
        {"schema": 1, "registers": "bench", "title": "", "payload": payload, "word_order": "high_first", "tags": tags}
    )


CHANNELS = {"crane_sample": CRANE, "berth_sample": BERTH, "water_level": TIDE_CHANNELS}
COMPUTED = {"hook_load_pct"}
"""Made of the tension and the line's breaking load, where the cabinet does not tell it itself."""


def test_the_maps_of_the_repository_fit_and_together_cover_every_channel() -> None:
    covered: dict[str, set[str]] = {payload: set() for payload in CHANNELS}
    for path in sorted(MAPS.glob("*.yaml")):
        register_map = read_profile(path, RegisterMap)
        fitted = fit_map(register_map, CHANNELS[register_map.payload])
        covered[register_map.payload] |= {split_field(tag.field)[0] for tag in fitted.tags}
    for payload, channels in CHANNELS.items():
        assert covered[payload] == {channel.field for channel in channels} - COMPUTED


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"field": "hoist_speed"}, "no such field"),
        ({"field": "hoist_load_t[0]"}, "has no index"),
        ({"unit": "kN"}, "must be t"),
        ({"type": "bool", "bit": 0}, "type bool for unit t"),
        ({"minimum": -100}, "range must be within"),
        ({"maximum": 1000}, "range must be within"),
        ({"table": "coil"}, "table of bits"),
        ({"bit": 3}, "bit is for a bool"),
        ({"type": "u32", "address": 65535}, "ends after address"),
        ({"scale": 0}, "scale must not be 0"),
    ],
)
def test_a_tag_that_cannot_be_read_is_named_with_its_cause(change: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause) as caught:
        fit_map(a_map(LOAD | change), CRANE)
    assert (LOAD | change)["field"] in str(caught.value)


def test_a_field_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="given twice"):
        fit_map(a_map(LOAD, LOAD | {"address": 5}), CRANE)


def test_a_bool_in_a_register_needs_its_bit() -> None:
    tag = {"field": "is_spreader_locked", "table": "input_register", "address": 0, "type": "bool", "unit": "bool"}
    with pytest.raises(ConfigError, match="bit is for a bool"):
        fit_map(a_map(tag), CRANE)
    fit_map(a_map(tag | {"bit": 0}), CRANE)


def test_hooks_are_counted_without_a_hole() -> None:
    with pytest.raises(ConfigError, match=r"\[2\] without \[1\]"):
        fit_map(a_map(HOOK, HOOK | {"field": "hook_tension_kn[2]", "address": 1}, payload="berth_sample"), BERTH)
    with pytest.raises(ConfigError, match="must have an index"):
        fit_map(a_map(HOOK | {"field": "hook_tension_kn"}, payload="berth_sample"), BERTH)


def test_a_tag_without_a_range_has_that_of_its_channel() -> None:
    (tag,) = fit_map(a_map(LOAD), CRANE).tags
    assert (tag.minimum, tag.maximum) == (-5, 250)
    (tag,) = fit_map(a_map(LOAD | {"minimum": 0, "maximum": 80}), CRANE).tags
    assert (tag.minimum, tag.maximum) == (0, 80)


def test_split_field() -> None:
    assert split_field("hook_tension_kn[12]") == ("hook_tension_kn", 12)
    assert split_field("hoist_m") == ("hoist_m", None)
    with pytest.raises(ConfigError):
        split_field("Hoist")
