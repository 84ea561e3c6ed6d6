"""Lifts step by step: each way that a lift can go, and any sequence of samples."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.payloads import CraneCycle, CraneSample
from edge_agent.clock import Moment
from edge_agent.drivers.quay_crane.contacts import HeldContact, HeldLoad
from edge_agent.drivers.quay_crane.cycle_kind import Lift, direction_of, kind_of
from edge_agent.drivers.quay_crane.cycle_numbers import CycleNumbers
from edge_agent.drivers.quay_crane.cycle_policy import TRANSITIONS, CyclePolicy, Event, State
from edge_agent.drivers.quay_crane.lifted_weight import MAX_READINGS, LiftedWeight
from firmware_configs.crane_rules import CycleRules

TENTH = 100_000_000
START = 1_800_000_000_000_000_000
SHIP: dict[str, Any] = {"trolley_m": 30.0}
QUAY: dict[str, Any] = {"trolley_m": -14.0}
ON = {"is_spreader_landed": True, "hoist_load_t": 0.0}
UP = {"is_spreader_landed": False, "hoist_load_t": 20.0}
EMPTY = {"is_spreader_landed": False, "hoist_load_t": 0.0}
OPEN, SHUT = {"is_spreader_locked": False}, {"is_spreader_locked": True}
LIFT = [SHIP | EMPTY | OPEN, SHIP | ON | OPEN, SHIP | ON | SHUT, SHIP | UP | SHUT, QUAY | UP | SHUT, QUAY | ON | SHUT]
SET_DOWN = [QUAY | ON | OPEN, QUAY | EMPTY | OPEN]


class Bench:
    """A crane that is shown step by step, 3 s each, sampled five times a second."""

    def __init__(self, rules: CycleRules | None = None) -> None:
        self.policy = CyclePolicy(rules or CycleRules())
        self.now_ns = 1
        self.cycles: list[CraneCycle] = []

    def show(self, steps: Iterable[dict[str, Any]], for_s: float = 3.0) -> "Bench":
        for step in steps:
            for _ in range(int(for_s * 5)):
                self.cycles += self.policy.observe(CraneSample(**step), Moment(START + self.now_ns, self.now_ns))
                self.now_ns += 2 * TENTH
        return self

    def wait(self, seconds: float) -> "Bench":
        self.now_ns += int(seconds * 1e9)
        return self


def test_a_lift_goes_through_all_states_to_one_record() -> None:
    bench, states = Bench(), []
    for step in [*LIFT, *SET_DOWN]:
        bench.show([step])
        states.append(bench.policy.state)
    assert states == [State.IDLE, State.IDLE, State.LOCKED, State.HOISTED, State.TRAVERSED, State.LANDED,
                      State.IDLE, State.IDLE]  # fmt: skip
    (cycle,) = bench.cycles
    assert cycle.gross_t == 20.0
    assert (cycle.direction, cycle.kind, cycle.is_lock_seen) == ("discharge", "container", True)
    assert (cycle.locked_at_ns - START) // TENTH == 60
    assert (cycle.unlocked_at_ns - START) // TENTH == 180
    assert cycle.cycle_no == 1
    assert not bench.policy.counts()


def test_every_state_is_reached_and_left_by_the_table() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) == set(TRANSITIONS.values())
    assert {event for _, event in TRANSITIONS} == set(Event)


@pytest.mark.parametrize(("steps", "reason"), [
    ([SHIP | ON | OPEN, SHIP | ON | SHUT, SHIP | ON | OPEN], "lock_without_lift"),
    ([SHIP | ON | OPEN, SHIP | ON | SHUT, SHIP | UP | SHUT, SHIP | ON | SHUT, SHIP | ON | OPEN], "lift_without_travel"),
])  # fmt: skip
def test_what_is_no_lift_is_counted(steps: list[dict[str, Any]], reason: str) -> None:
    bench = Bench().show(steps)
    assert bench.cycles == []
    assert bench.policy.counts()[reason] == 1
    assert bench.show([*LIFT, *SET_DOWN]).cycles[0].cycle_no == 1


def test_a_unit_set_down_for_a_moment_and_lifted_again_is_one_lift() -> None:
    bench = Bench().show([*LIFT, QUAY | UP | SHUT, QUAY | ON | SHUT, *SET_DOWN])
    assert len(bench.cycles) == 1


def test_a_landing_that_no_contact_told_ends_the_lift_when_nothing_has_hung_for_long() -> None:
    """The landed contact is broken: it never closes."""
    broken = [step | {"is_spreader_landed": False} for step in [*LIFT, *SET_DOWN]]
    bench = Bench().show(broken)
    assert bench.cycles == []
    (cycle,) = bench.show([broken[-1]], for_s=12).cycles
    assert (cycle.unlocked_at_ns - START) // TENTH == 180


def test_a_crane_without_a_landed_contact_is_told_by_its_load() -> None:
    bench = Bench().show([step | {"is_spreader_landed": None} for step in [*LIFT, *SET_DOWN]])
    assert len(bench.cycles) == 1


def test_a_crane_without_load_cells_is_told_by_its_trolley() -> None:
    (cycle,) = Bench().show([step | {"hoist_load_t": None} for step in [*LIFT, *SET_DOWN]]).cycles
    assert cycle.gross_t is None


def test_the_tare_is_not_weighed() -> None:
    heavy = [step | {"hoist_load_t": float(step["hoist_load_t"]) + 9.5} for step in [*LIFT, *SET_DOWN]]
    (cycle,) = Bench(CycleRules(spreader_tare_t=9.5)).show(heavy).cycles
    assert cycle.gross_t == 20.0


def test_a_number_that_the_plc_does_not_count_up_is_not_given_twice() -> None:
    bench = Bench().show([step | {"cycle_no": 5, "plc_boot_no": 2} for step in [*LIFT, *SET_DOWN]])
    bench.show([step | {"cycle_no": 5, "plc_boot_no": 2} for step in [*LIFT, *SET_DOWN]])
    first, second = bench.cycles
    assert first.plc_boot_id.startswith("plc-2.r")
    assert (first.cycle_no, second.cycle_no) == (1, 2)
    assert bench.policy.counts()["cycle_without_plc_no"] == 2


def test_lifts_that_the_plc_counted_and_nobody_saw_are_counted() -> None:
    bench = Bench().show([step | {"cycle_no": 5} for step in LIFT]).show([step | {"cycle_no": 6} for step in SET_DOWN])
    bench.wait(600).show([step | {"cycle_no": 9} for step in LIFT])
    bench.show([step | {"cycle_no": 10} for step in SET_DOWN])
    assert [cycle.cycle_no for cycle in bench.cycles] == [6, 10]
    assert bench.policy.counts()["cycle_no_skipped"] == 3


def test_a_lift_that_ended_in_a_gap_is_told_when_the_plc_has_counted_it_and_the_next_is_another() -> None:
    bench = Bench().show([step | {"cycle_no": 5, "plc_boot_no": 1} for step in LIFT[:-1]])
    bench.wait(90).show([step | {"cycle_no": 6, "plc_boot_no": 1} for step in LIFT[3:]])
    bench.show([step | {"cycle_no": 7, "plc_boot_no": 1} for step in SET_DOWN])
    assert [(cycle.plc_boot_id, cycle.cycle_no) for cycle in bench.cycles] == [("plc-1", 6), ("plc-1", 7)]
    assert [cycle.is_lock_seen for cycle in bench.cycles] == [True, False]
    assert bench.cycles[1].direction is None


def test_a_counter_that_outlives_a_start_goes_on() -> None:
    bench = Bench().show([step | {"cycle_no": 5, "plc_boot_no": 1} for step in LIFT])
    bench.show([step | {"cycle_no": 5, "plc_boot_no": 2} for step in LIFT[-1:]])
    bench.show([step | {"cycle_no": 6, "plc_boot_no": 2} for step in SET_DOWN])
    assert [(cycle.plc_boot_id, cycle.cycle_no) for cycle in bench.cycles] == [("plc-2", 6)]


@pytest.mark.parametrize(("ends", "direction"), [
    ((30.0, -14.0), "discharge"), ((-14.0, 30.0), "load"), ((30.0, 12.0), "restow"), ((-14.0, -34.0), "shift"),
    ((None, -14.0), None), ((30.0, None), None),
])  # fmt: skip
def test_direction_is_where_it_came_from_and_went_to(
    ends: tuple[float | None, float | None], direction: str | None
) -> None:
    assert direction_of(Lift(*ends, 20.0, None), CycleRules()) == direction


@pytest.mark.parametrize(("lift", "kind"), [
    (Lift(30.0, -14.0, 20.0, False), "container"), (Lift(30.0, -14.0, 40.0, True), "twin"),
    (Lift(30.0, -34.0, 24.0, False), "hatch_cover"), (Lift(-34.0, 30.0, 24.0, None), "hatch_cover"),
    (Lift(30.0, -34.0, 3.0, False), "container"), (Lift(30.0, -14.0, 1.6, False), "bin"),
    (Lift(30.0, None, None, None), "container"),
])  # fmt: skip
def test_kind_is_the_first_rule_that_holds(lift: Lift, kind: str) -> None:
    assert kind_of(lift, CycleRules()) == kind


def test_the_weight_of_a_long_lift_keeps_readings_of_all_of_it() -> None:
    weight = LiftedWeight()
    assert weight.gross_t() is None
    for step in range(10 * MAX_READINGS):
        weight.add(10.0 if step < 5 * MAX_READINGS else 30.0)
        assert len(weight._readings) < MAX_READINGS
    assert 10.0 <= (weight.gross_t() or 0) <= 30.0
    assert abs(sum(reading == 10.0 for reading in weight._readings) / len(weight._readings) - 0.5) < 0.02


def test_a_load_between_the_limits_stays_what_it_was() -> None:
    load = HeldLoad(1.2, 0.7, 0.0, 0)
    believed = []
    for index, load_t in enumerate([0.0, 1.0, 1.3, 1.0, 0.8, 0.6, 1.1]):
        load.update(CraneSample(hoist_load_t=load_t), Moment(index, index))
        believed.append(load.contact.value)
    assert believed == [False, False, True, True, True, False, False]


@given(st.lists(st.booleans() | st.none(), max_size=60))
def test_a_contact_is_believed_only_after_it_has_held(readings: list[bool | None]) -> None:
    contact = HeldContact(3 * TENTH)
    for index, raw in enumerate(readings):
        before = contact.value
        contact.update(raw, Moment(index * TENTH, index * TENTH))
        if contact.value is not before:
            known = [reading for reading in readings[: index + 1] if reading is not None]
            assert known[-1] is contact.value
            assert not contact.has_held(contact.value is True, 100 * TENTH, Moment(0, index * TENTH))
            since = contact.since.mono_ns // TENTH
            assert all(reading in (contact.value, None) for reading in readings[since : index + 1])
            assert index - since >= 3


SAMPLES = st.builds(
    CraneSample, hoist_load_t=st.none() | st.sampled_from([0.0, 0.9, 20.0]),
    is_spreader_locked=st.none() | st.booleans(), is_spreader_landed=st.none() | st.booleans(),
    trolley_m=st.none() | st.sampled_from([-34.0, -14.0, 30.0]),
    cycle_no=st.none() | st.integers(0, 5), plc_boot_no=st.none() | st.integers(0, 2),
)  # fmt: skip


COUNTERS = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 6), st.sampled_from(["", "begin", "number"])),
    max_size=60,
)


@given(COUNTERS, st.integers(0, 60))
@settings(max_examples=400, deadline=None)
def test_whatever_counters_do_no_number_is_given_twice(
    history: list[tuple[int | None, int | None, str]], restart_at: int
) -> None:
    """Starts that go back and forth, counters that fall, and a process that is started again in the middle."""
    numbers, seen = CycleNumbers(), set()
    for index, (boot_no, cycle_no, action) in enumerate(history):
        at = Moment(START + index * 1_000_000_000, index)
        if index == restart_at:
            numbers = CycleNumbers()
        numbers.see(CraneSample(plc_boot_no=boot_no, cycle_no=cycle_no), at)
        if action == "begin":
            numbers.begin()
        elif action == "number":
            number = numbers.plc_number() or numbers.own_number()
            if index > restart_at and number in seen:
                # only a PLC that breaks its own word, one start with two counters, brings two processes to one number
                assert is_broken(history[: index + 1])
            else:
                assert number not in seen
            seen.add(number)


def is_broken(history: list[tuple[int | None, int | None, str]]) -> bool:
    """Tell whether a counter has fallen within one start of the PLC, or a start came back."""
    last: dict[int, int] = {}
    current: int | None = None
    for boot_no, cycle_no, _ in history:
        if boot_no is not None and boot_no != current and boot_no in last:
            return True
        current = boot_no if boot_no is not None else current
        if current is not None and cycle_no is not None:
            if cycle_no < last.get(current, 0):
                return True
            last[current] = cycle_no
        elif current is not None:
            last.setdefault(current, 0)
    return False


def test_zeros_that_pass_for_another_start_repeat_no_number() -> None:
    """Start 3 and counter 57, zeros of the communication processor, then 3 and 57 again."""
    numbers = CycleNumbers()
    at = Moment(START, 1)
    given = []
    for boot_no, cycle_no in [(3, 56), (3, 57), (0, 0), (3, 57), (3, 58)]:
        numbers.see(CraneSample(plc_boot_no=boot_no, cycle_no=cycle_no), at)
        given.append(numbers.plc_number())
    assert given == [None, ("plc-3", 57), None, None, ("plc-3", 58)]


@given(st.lists(st.tuples(SAMPLES, st.integers(1, 120)), max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_samples_give_lifts_that_never_repeat_and_never_end_before_they_began(
    history: list[tuple[CraneSample, int]],
) -> None:
    policy, now_ns, seen = CyclePolicy(CycleRules()), 1, set()
    for sample, tenths in history:
        now_ns += tenths * TENTH
        for cycle in policy.observe(sample, Moment(START + now_ns, now_ns)):
            key = (cycle.plc_boot_id, cycle.cycle_no)
            assert key not in seen
            seen.add(key)
            assert START <= cycle.locked_at_ns <= cycle.unlocked_at_ns <= START + now_ns
