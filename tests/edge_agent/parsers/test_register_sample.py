from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from contracts.payloads import BerthSample, CraneSample
from edge_agent.drivers.berth.channels import CHANNELS as BERTH
from edge_agent.drivers.quay_crane.channels import CHANNELS as CRANE
from edge_agent.parsers.register_map import fit_map
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.register_sample import ChangeFilter, SampleDecoder
from edge_agent.parsers.registers import Value, encode_map
from firmware_configs.loading import read_profile
from firmware_configs.registers import RegisterMap

MAPS = Path(__file__).parent.parent.parent.parent / "firmware_configs" / "hardware" / "registers"
SECOND = 1_000_000_000


def load(name: str) -> RegisterMap:
    register_map = read_profile(MAPS / f"{name}.yaml", RegisterMap)
    return fit_map(register_map, BERTH if register_map.payload == "berth_sample" else CRANE)


def answers(decoder: SampleDecoder, image: Mapping[str, Mapping[int, int]]) -> dict[ReadBlock, Sequence[int]]:
    return {
        block: [image[block.table][block.address + step] for step in range(block.quantity)] for block in decoder.reads
    }


@pytest.mark.parametrize("name", ["sts-plc-a", "sts-plc-b"])
def test_what_a_crane_plc_shows_comes_out_as_the_sample(name: str) -> None:
    values: dict[str, Value] = {
        "hoist_load_t": 31.4, "is_spreader_locked": True, "is_spreader_landed": False, "trolley_m": -12.34,
        "hoist_m": 28.5, "gantry_m": 412.07, "wind_mps": 9.3, "is_twin": True,
    }  # fmt: skip
    register_map = load(name)
    if name == "sts-plc-a":
        values |= {"cycle_no": 70_000, "plc_boot_no": 12}
    decoder = SampleDecoder(register_map)
    assert decoder.decode(answers(decoder, encode_map(register_map, values))) == CraneSample(**values)  # type: ignore[arg-type]  # names and types of the contract
    assert not decoder.rejected


def test_hooks_stand_in_their_order() -> None:
    register_map = load("berth-hooks")
    decoder = SampleDecoder(register_map)
    values = {f"hook_tension_kn[{hook}]": 100.0 + hook for hook in range(6)} | {"distance_m": 12.345}
    sample = decoder.decode(answers(decoder, encode_map(register_map, values)))
    assert sample == BerthSample([100.0, 101.0, 102.0, 103.0, 104.0, 105.0], 12.345, 0.0)


def test_an_unplugged_cell_is_null_and_counted_while_the_others_stand() -> None:
    register_map = load("berth-hooks")
    decoder = SampleDecoder(register_map)
    image = encode_map(register_map, {"hook_tension_kn[0]": 50.0})
    image["input_register"][2] = 0xFFFF
    for count in (1, 2):
        sample = decoder.decode(answers(decoder, image))
        assert isinstance(sample, BerthSample)
        assert sample.hook_tension_kn == [50.0, 0.0, None, 0.0, 0.0, 0.0]
        assert decoder.rejected == {"out_of_range:hook_tension_kn[2]": count}


class TestChangeFilter:
    """Map family A: hoist load has a deadband of 0.1 t; heartbeat 1 s."""

    def setup_method(self) -> None:
        self.filter = ChangeFilter(load("sts-plc-a"), SECOND)
        assert self.filter.is_due(CraneSample(hoist_load_t=10.0), 0)

    def test_an_unchanged_sample_waits_for_the_heartbeat(self) -> None:
        assert not self.filter.is_due(CraneSample(hoist_load_t=10.0), SECOND - 1)
        assert self.filter.is_due(CraneSample(hoist_load_t=10.0), SECOND)

    def test_a_change_below_the_deadband_is_noise(self) -> None:
        assert not self.filter.is_due(CraneSample(hoist_load_t=10.09), 1)
        assert self.filter.is_due(CraneSample(hoist_load_t=10.11), 2)

    def test_a_slow_drift_is_compared_with_what_was_published(self) -> None:
        """Each step is below the deadband, their sum is not."""
        due = [self.filter.is_due(CraneSample(hoist_load_t=10.0 + step * 0.04), step) for step in range(1, 4)]
        assert due == [False, False, True]

    def test_a_value_that_comes_or_goes_is_a_change(self) -> None:
        assert self.filter.is_due(CraneSample(hoist_load_t=None), 1)
        assert not self.filter.is_due(CraneSample(hoist_load_t=None), 2)
        assert self.filter.is_due(CraneSample(hoist_load_t=10.0), 3)

    def test_a_flag_that_flips_is_a_change(self) -> None:
        assert self.filter.is_due(CraneSample(hoist_load_t=10.0, is_spreader_locked=False), 1)
        assert self.filter.is_due(CraneSample(hoist_load_t=10.0, is_spreader_locked=True), 2)
