"""Cranes' shifts in simulated hours: bouncing contacts, noise, a PLC that starts again, and a connection that goes.

By default an hour and a half of two cranes; PORTTRACK_WHOLE=1 runs four cranes through eight hours, same code.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.payloads import CraneCycle, CraneSample
from edge_agent.clock import Moment
from edge_agent.drivers.quay_crane.cycle_numbers import CycleNumbers
from edge_agent.drivers.quay_crane.cycle_policy import CyclePolicy
from edge_agent.simulation.crane import Crane
from edge_agent.simulation.crane_plc import CranePlc
from firmware_configs.crane_rules import CycleRules

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
HOURS = 8.0 if IS_WHOLE else 1.5
SEEDS = range(1, 5 if IS_WHOLE else 3)
START_NS = 1_800_000_000_000_000_000
STEP_S = 0.1
COUNTERS = {"cycle_no", "plc_boot_no"}


@dataclass
class Shift:
    """What happened, and what was told of it."""

    truth: list[tuple[float, str, str, float]] = field(default_factory=list)
    cycles: list[CraneCycle] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    restarts: int = 0

    @property
    def error(self) -> float:
        return abs(len(self.cycles) - len(self.truth)) / len(self.truth)

    @property
    def duplicates(self) -> int:
        return len(self.cycles) - len({(cycle.plc_boot_id, cycle.cycle_no) for cycle in self.cycles})


def outages(seed: int, hours: float) -> list[tuple[float, float]]:
    """Four times an hour the connection is gone for 5 to 40 s."""
    draw = random.Random(f"outage-{seed}")
    return [(900 * k + draw.uniform(100, 700), draw.uniform(5, 40)) for k in range(int(hours * 4))]


def steps(seed: int, hours: float) -> Iterator[tuple[float, Crane, CranePlc]]:
    crane = Crane("sts-1", seed, parked_at_m=120.0, wind_stop_mps=20.0)
    plc = CranePlc(crane, str(seed))
    for step in range(int(hours * 3600 / STEP_S)):
        crane.step(STEP_S, 6.0)
        plc.step(STEP_S)
        yield step * STEP_S, crane, plc


def work(
    seed: int, hours: float, *, has_counters: bool, reboots_at: tuple[float, ...] = (), rules: CycleRules | None = None,
    restarts_at: tuple[float, ...] = (), zero_s: float = 6.0,
) -> Shift:  # fmt: skip
    rules = rules or CycleRules()
    policy, shift = CyclePolicy(rules), Shift()
    gone = outages(seed, hours)
    was_locked = False
    for now_s, crane, plc in steps(seed, hours):
        if was_locked and not crane.is_locked:
            shift.truth.append((now_s, crane.kind, crane.direction, crane.gross_t))
        was_locked = crane.is_locked
        if any(abs(now_s - at_s) < STEP_S / 2 for at_s in reboots_at):
            plc.reboot(off_s=4.0, zero_s=zero_s)
        if any(abs(now_s - at_s) < STEP_S / 2 for at_s in restarts_at):
            policy = CyclePolicy(rules)
            shift.restarts += 1
        is_gone = plc.is_off or any(at_s <= now_s < at_s + for_s for at_s, for_s in gone)
        if round(now_s / STEP_S) % 2 or is_gone:
            continue
        values: dict[str, Any] = {k: v for k, v in plc.values().items() if has_counters or k not in COUNTERS}
        at_ns = round(now_s * 1e9)
        shift.cycles += policy.observe(CraneSample(**values), Moment(START_NS + at_ns, 1 + at_ns))
    shift.counts = dict(policy.counts())
    # a lift that has just ended may still be held back by its contacts
    if shift.truth[-1][0] > hours * 3600 - 3 and len(shift.cycles) < len(shift.truth):
        shift.truth.pop()
    return shift


REBOOTS = (1234.5, 3050.0, 9000.0, 20000.0)


@pytest.mark.parametrize("has_counters", [True, False])
def test_a_shift_is_counted_lift_by_lift(has_counters: bool) -> None:  # noqa: FBT001 - a parameter of the test
    lifts = told = duplicates = 0
    for seed in SEEDS:
        shift = work(seed, HOURS, has_counters=has_counters, reboots_at=REBOOTS)
        assert shift.duplicates == 0
        lifts, told, duplicates = lifts + len(shift.truth), told + len(shift.cycles), duplicates + shift.duplicates
    print(f"{lifts} lifts, {told} told, {duplicates} duplicates, counters {has_counters}")  # noqa: T201 - the figure
    assert lifts >= 30 * HOURS * len(SEEDS) * 0.9
    assert abs(told - lifts) / lifts <= 0.003


def test_each_lift_has_its_weight_direction_kind_and_times() -> None:
    shift = work(1, HOURS, has_counters=True, reboots_at=REBOOTS)
    assert len(shift.cycles) == len(shift.truth)
    wrong_kinds = unknown = 0
    for (at_s, kind, direction, gross_t), cycle in zip(shift.truth, shift.cycles, strict=True):
        assert cycle.gross_t == pytest.approx(gross_t, abs=0.35)
        assert cycle.direction in (direction, None)
        unknown += cycle.direction is None
        wrong_kinds += cycle.kind != kind
        late_s = (cycle.unlocked_at_ns - START_NS) / 1e9 - at_s
        assert -1.0 <= late_s <= 45.0, "not before it happened, and after an outage when it was seen"
        assert 20 < (cycle.unlocked_at_ns - cycle.locked_at_ns) / 1e9 < 150
    assert unknown <= len(outages(1, HOURS)), "only an outage hides where a lift ended"
    assert wrong_kinds <= unknown
    assert {kind for _, kind, _, _ in shift.truth} >= {"container", "twin", "hatch_cover"}


def test_the_plc_s_own_numbers_are_taken() -> None:
    shift = work(1, 1.0, has_counters=True, reboots_at=(1234.5,))
    by_boot: dict[str, list[int]] = {}
    for cycle in shift.cycles:
        by_boot.setdefault(cycle.plc_boot_id, []).append(cycle.cycle_no)
    assert set(by_boot) == {"plc-1", "plc-2"}
    for numbers in by_boot.values():
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("at_s", range(600, 700, 8))
def test_a_driver_that_starts_again_at_any_moment_of_a_lift_never_doubles_one(at_s: int) -> None:
    """Twelve restarts spread over one cycle: each lift is told once; at most the one in hand is missing."""
    shift = work(3, 0.3, has_counters=True, restarts_at=(float(at_s),))
    assert shift.restarts == 1
    assert shift.duplicates == 0
    assert len(shift.truth) - 1 <= len(shift.cycles) <= len(shift.truth)


MANY = tuple(float(at_s) for at_s in range(307, 3500, 73))


def test_locks_that_seem_open_under_load_end_no_lift() -> None:
    """A PLC that starts 44 times in an hour, and the mutation proof: believed at once, its zeros make false lifts."""
    careful = work(2, 1.0, has_counters=True, reboots_at=MANY)
    hasty = work(2, 1.0, has_counters=True, reboots_at=MANY, rules=CycleRules(lost_s=0.001))
    assert careful.error == 0
    assert len(hasty.cycles) > len(hasty.truth)
    assert careful.duplicates == hasty.duplicates == 0


def test_contacts_that_are_not_held_make_locks_that_never_were() -> None:
    """Mutation proof of the holding."""
    shaky = work(1, 1.0, has_counters=False, rules=CycleRules(contact_hold_s=0.0, load_hold_s=0.0))
    assert shaky.counts.get("lock_without_lift", 0) > 5
    assert work(1, 1.0, has_counters=False).counts.get("lock_without_lift", 0) == 0


def test_numbers_without_an_epoch_would_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the epochs: with one name for all of them the PLC's counter repeats itself."""
    monkeypatch.setattr(CycleNumbers, "_name", lambda *_: "plc")
    assert work(1, 1.0, has_counters=True, reboots_at=(1234.5,)).duplicates > 5
