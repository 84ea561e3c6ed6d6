from typing import Any

import pytest
from pydantic import TypeAdapter

from contracts.errors import ConfigError
from edge_agent.drivers.register_fit import BERTH_PAYLOADS, CRANE_PAYLOADS, check_registers, fit_units
from firmware_configs.hardware_profile import BerthSource, QuayCraneSource, Source
from firmware_configs.loading import PROFILES_DIR, load_device, read_profile
from firmware_configs.registers import RegisterMap

LINK = {"kind": "serial", "device": "/dev/bus", "baud": 19200}


def load(name: str) -> RegisterMap:
    return read_profile(PROFILES_DIR / "hardware" / "registers" / f"{name}.yaml", RegisterMap)


def source(**values: Any) -> Source:
    adapter: TypeAdapter[Source] = TypeAdapter(Source)
    return adapter.validate_python({"source": "bench", "driver": "berth", "link": LINK, "place": "norte-1"} | values)


@pytest.mark.parametrize("path", sorted(PROFILES_DIR.glob("devices/*.yaml")), ids=lambda path: path.stem)
def test_the_maps_of_every_device_fit(path: Any) -> None:
    assert check_registers(load_device(path).sources) == []


def test_a_map_that_does_not_fit_is_told_by_its_source_map_and_field() -> None:
    hooks = load("berth-hooks")
    wrong = hooks.model_copy(update={"tags": [hooks.tags[0].model_copy(update={"unit": "t"})]})
    crane = source(driver="quay_crane", registers=hooks)
    (first, second) = check_registers([source(registers=wrong), crane, source(registers=hooks)])
    assert "berth-hooks: hook_tension_kn[0]: unit t, must be kN" in str(first)
    assert "register map berth-hooks is for berth_sample" in str(second)


def test_two_units_that_tell_the_same_of_one_place_are_refused() -> None:
    units = [{"unit_id": 1, "registers": load("berth-hooks")}, {"unit_id": 2, "registers": load("berth-hooks-rtu")}]
    bus = source(units=units)
    assert isinstance(bus, BerthSource)
    with pytest.raises(ConfigError, match="units 1 and 2 both tell berth_sample of norte-1"):
        fit_units(bus, BERTH_PAYLOADS)
    units[1]["place"] = "norte-2"
    apart = source(units=units)
    assert isinstance(apart, BerthSource)
    assert len(fit_units(apart, BERTH_PAYLOADS)) == 2


def test_breaking_loads_are_one_or_one_for_each_hook() -> None:
    bus = source(registers=load("berth-hooks"), line_breaking_load_kn=[900, 900])
    assert isinstance(bus, BerthSource)
    with pytest.raises(ConfigError, match="2 loads for 6 hooks of berth-hooks"):
        fit_units(bus, BERTH_PAYLOADS)


def test_a_map_that_was_not_loaded_is_refused() -> None:
    crane = source(driver="quay_crane", registers="sts-plc-a")
    assert isinstance(crane, QuayCraneSource)
    with pytest.raises(ConfigError, match="not loaded"):
        fit_units(crane, CRANE_PAYLOADS)
