from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.parsers.registers import decode_value, encode_map, width
from edge_agent.simulation.crane import LANE_M, SAFE_HEIGHT_M, Crane, Step
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap

STEP_S = 0.5
REGISTERS = PROFILES_DIR / "hardware" / "registers"


def crane(seed: int = 1, name: str = "sts-1") -> Crane:
    return Crane(name, seed, parked_at_m=120.0, wind_stop_mps=20.0)


def work(machine: Crane, seconds: float, wind_mps: float = 6.0) -> list[tuple[Step, dict[str, float | bool]]]:
    seen = []
    for _ in range(int(seconds / STEP_S)):
        machine.step(STEP_S, wind_mps)
        seen.append((machine.step_of_cycle, machine.values()))
    return seen


def test_a_cycle_takes_about_a_hundred_seconds() -> None:
    machine = crane()
    work(machine, 3600)
    assert 30 <= machine.moves <= 42


def test_the_steps_of_a_cycle_follow_one_another() -> None:
    steps = [step for step, _ in work(crane(), 600)]
    changes = [(one, other) for one, other in pairwise(steps) if one is not other]
    order = list(Step)
    assert all(order[(order.index(one) + 1) % len(order)] is other for one, other in changes)


@pytest.mark.parametrize("name", ["sts-1", "sts-2", "sts-3", "sts-4"])
def test_the_load_changes_within_any_thirty_seconds(name: str) -> None:
    """By more than the deadband of 0.1 t, so that a driver publishes it."""
    loads = [float(values["hoist_load_t"]) for _, values in work(crane(name=name), 1200)]
    window = int(30 / STEP_S)
    assert all(max(loads[i : i + window]) - min(loads[i : i + window]) > 0.1 for i in range(len(loads) - window))


def test_what_hangs_is_a_container_and_what_stands_is_not() -> None:
    for step, values in work(crane(), 3600):
        if step is Step.CARRY:
            assert 1.0 < float(values["hoist_load_t"]) < 49
            assert values["is_spreader_locked"]
        if step is Step.PICK_TRAVERSE:
            assert not values["is_spreader_locked"]
        if values["is_spreader_landed"]:
            assert step in (Step.LOCK, Step.UNLOCK)


def test_nothing_is_carried_sideways_below_safe_height() -> None:
    seen = work(crane(), 1800)
    for (_, before), (_, after) in pairwise(seen):
        if abs(float(after["trolley_m"]) - float(before["trolley_m"])) > 0.01:
            assert float(after["hoist_m"]) == SAFE_HEIGHT_M


def test_axes_move_smoothly() -> None:
    for (_, before), (_, after) in pairwise(work(crane(), 1800)):
        assert abs(float(after["hoist_m"]) - float(before["hoist_m"])) <= 2.2 * STEP_S + 0.06
        assert abs(float(after["trolley_m"]) - float(before["trolley_m"])) <= 3.6 * STEP_S + 0.06
        assert abs(float(after["gantry_m"]) - float(before["gantry_m"])) <= 0.7 * STEP_S + 0.06


def test_it_discharges_a_bay_and_loads_the_next() -> None:
    picked = []
    machine = crane()
    for (one, _), (other, values) in pairwise(work(machine, 4 * 3600)):
        if one is Step.PICK_LOWER and other is Step.LOCK:
            picked.append(float(values["trolley_m"]) > 0)
    assert picked[:12] == [True] * 12
    assert picked[12:24] == [False] * 12
    assert LANE_M < 0


def test_covers_twins_and_bins_are_among_what_it_lifts() -> None:
    machine, kinds = crane(), set()
    for _ in range(int(4 * 3600 / STEP_S)):
        machine.step(STEP_S, 6.0)
        kinds.add(machine.kind)
        if machine.kind == "hatch_cover" and machine.step_of_cycle is Step.LOCK:
            assert machine.trolley.position_m > 0 or machine.trolley.position_m < LANE_M - 10
    assert kinds == {"container", "twin", "hatch_cover", "bin"}


def test_it_begins_no_cycle_in_a_storm_and_goes_on_after_it() -> None:
    machine = crane()
    work(machine, 600, wind_mps=30.0)
    assert machine.step_of_cycle is Step.PICK_TRAVERSE
    before = machine.moves
    work(machine, 600, wind_mps=6.0)
    assert machine.moves > before


def test_reading_the_plc_changes_nothing() -> None:
    """A poll is no step: two masters at different paces see one crane."""
    often, seldom = crane(), crane()
    for _ in range(400):
        often.step(STEP_S, 6.0)
        seldom.step(STEP_S, 6.0)
        for _ in range(3):
            often.values()
    assert often.values() == seldom.values()


def test_seed_and_name_make_the_sequence() -> None:
    assert work(crane(1), 300) == work(crane(1), 300)
    assert work(crane(1), 300) != work(crane(2), 300)
    assert work(crane(1, "sts-1"), 300) != work(crane(1, "sts-2"), 300)


@pytest.mark.parametrize("path", sorted(REGISTERS.glob("sts-*.yaml")), ids=lambda path: path.stem)
def test_every_value_fits_the_register_maps_and_their_ranges(path: Path) -> None:
    plc = read_profile(path, RegisterMap)
    for _, seen in work(crane(), 1800):
        values = {"cycle_no": 70_000, "plc_boot_no": 3} | seen
        values = {field: value for field, value in values.items() if field in {tag.field for tag in plc.tags}}
        image = encode_map(plc, values)
        for tag in plc.tags:
            words = [image[tag.table][tag.address + step] for step in range(width(tag))]
            read, reason = decode_value(tag, plc.word_order, words)
            assert not reason, tag.field
            assert read == pytest.approx(values[tag.field], abs=0.051)
