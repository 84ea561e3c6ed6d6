"""UTC by GNSS: shared by all processes of a boot, right whatever is done to the wall clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.records import Clock, ClockState
from edge_agent.clock import ClockProbe, KernelClock, Moment
from edge_agent.clock_reference import MAX_AGE_NS, MAX_SOURCES, ClockReference, ClockReferences, assess

S = 1_000_000_000
UTC_NS = 1_800_000_000 * S
UNSYNCED = Clock(ClockState.UNSYNCED)


def reference(source: str = "gnss", mono_ns: int = 100 * S, bound_ms: float = 50.0) -> ClockReference:
    return ClockReference(source, UTC_NS + mono_ns, mono_ns, bound_ms)


@given(st.integers(-(10**6), 10**6), st.integers(0, 60))
def test_the_error_is_the_measured_offset_and_the_bound(offset_ms: int, age_s: int) -> None:
    mono_ns = (100 + age_s) * S
    clock = assess(UNSYNCED, reference(), UTC_NS + mono_ns + offset_ms * 1_000_000, mono_ns)
    assert clock.state is ClockState.GNSS
    assert clock.error_ms == pytest.approx(abs(offset_ms) + 50.0 + age_s * 0.1, abs=0.01)


def test_a_steered_kernel_keeps_its_smaller_bound_until_gnss_contradicts_it() -> None:
    kernel = Clock(ClockState.NTP, 4.0)
    at_ns = 100 * S
    assert assess(kernel, reference(), UTC_NS + at_ns + 20_000_000, at_ns) == Clock(ClockState.GNSS, 4.0)
    assert assess(kernel, reference(), UTC_NS + at_ns + 3 * S, at_ns) == Clock(ClockState.GNSS, 3050.0)
    assert assess(kernel, None, UTC_NS, at_ns) == kernel


def test_a_wall_clock_that_is_set_is_measured_anew_without_news() -> None:
    wall = [UTC_NS + 100 * S]
    probe = ClockProbe(lambda: None, lambda _: reference(), lambda: Moment(wall[0], 100 * S))
    assert probe.quality(100 * S) == Clock(ClockState.GNSS, 50.0)
    wall[0] += 3600 * S
    assert probe.quality(102 * S) == Clock(ClockState.GNSS, 3_600_050.0)


def test_without_a_receiver_the_kernel_s_word_counts() -> None:
    assert ClockProbe(lambda: KernelClock(True, 2_000)).quality(0) == Clock(ClockState.NTP, 2.0)


def test_the_best_of_the_fresh_ones_is_used() -> None:
    held = ClockReferences()
    held.take(None)
    assert held.best(100 * S) is None
    held.take(reference("far", bound_ms=200.0))
    held.take(reference("near", bound_ms=20.0))
    held.take(reference("near", mono_ns=90 * S, bound_ms=1.0))
    best = held.best(100 * S)
    assert best is not None
    assert (best.source, best.bound_ms) == ("near", 20.0)
    assert held.best(100 * S + MAX_AGE_NS) is not None
    assert held.best(100 * S + MAX_AGE_NS + 1) is None
    assert held.best(99 * S) is None, "of another boot, or a clock that runs backwards"


def test_the_oldest_receiver_goes_when_there_are_too_many() -> None:
    held = ClockReferences()
    for number in range(MAX_SOURCES + 3):
        held.take(reference(f"gnss-{number}", mono_ns=(100 + number) * S, bound_ms=number))
    best = held.best(120 * S)
    assert best is not None
    assert best.source == "gnss-3"
