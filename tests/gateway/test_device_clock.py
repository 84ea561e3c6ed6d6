import time

import pytest

from contracts.records import ClockState
from edge_agent.clock import ClockProbe, KernelClock
from edge_agent.clock_reference import ClockReference
from gateway.clock import EARLIEST_NS, DeviceClock
from gateway.outbox.backfill import TimeReference

NS = 1_000_000_000


def clock(kernel: KernelClock | None = None, reference: ClockReference | None = None) -> DeviceClock:
    return DeviceClock(ClockProbe(lambda: kernel, lambda _: reference), lambda _: reference)


def test_the_time_is_what_the_kernel_steers_with_the_bound_that_it_states() -> None:
    known = clock(KernelClock(True, 4000)).believed_time()
    assert known is not None
    assert (known.source, known.error_ms) == (ClockState.NTP, 4.0)
    assert abs(known.utc_ns - time.time_ns()) < NS
    assert clock(KernelClock(False, 4000)).believed_time() is None
    assert clock().believed_time() is None


def test_gnss_tells_the_time_although_the_system_clock_is_wrong() -> None:
    """The receiver says that it is ten years later: the clock is not believed, the time is known all the same."""
    mono_ns = time.monotonic_ns()
    later_ns = time.time_ns() + 10 * 365 * 86_400 * NS
    found = clock(None, ClockReference("gnss", later_ns, mono_ns, 50.0))
    known = found.believed_time()
    assert known is not None
    assert abs(known.utc_ns - later_ns) < NS
    assert known.source is ClockState.GNSS
    assert 50.0 <= known.error_ms < 60.0
    assert not found.is_believed()


def test_a_system_clock_that_is_near_what_gnss_says_is_the_time_line_of_all_records() -> None:
    """3 s apart: records are stamped by the system clock with that bound, so what came before is dated by it too."""
    found = clock(None, ClockReference("gnss", time.time_ns() + 3 * NS, time.monotonic_ns(), 50.0))
    known = found.believed_time()
    assert known is not None
    assert abs(known.utc_ns - time.time_ns()) < NS
    assert known.source is ClockState.GNSS
    assert known.error_ms == pytest.approx(3050, abs=50)


def test_an_age_in_this_boot_does_not_move_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = clock()
    mono_ns = time.monotonic_ns() - 5 * NS
    for wall_ns in (0, 4_080_000_000 * NS):
        monkeypatch.setattr(found, "wall_ns", lambda wall_ns=wall_ns: wall_ns)
        assert found.age_s(0, mono_ns, found.boot_id) == pytest.approx(5, abs=0.5)


def test_a_record_of_an_earlier_boot_is_at_least_as_old_as_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = clock()
    uptime_s = time.monotonic()
    assert found.age_s(EARLIEST_NS - 1, 3, "before") == pytest.approx(uptime_s, abs=1), "stamped in 1970: not 56 years"
    monkeypatch.setattr(found, "wall_ns", lambda: 0)
    assert found.age_s(EARLIEST_NS + 1, 3, "before") == pytest.approx(uptime_s, abs=1), "now it is 1970 here"


def test_the_reference_of_its_boot_dates_a_record_that_was_stamped_in_1970() -> None:
    found = clock()
    day_ago = time.time_ns() - 86_400 * NS
    found.find_reference = {"before": TimeReference("before", 100 * NS, day_ago, 4.0, ClockState.NTP)}.get
    expected = max(86_400.0 + 90, time.monotonic())
    assert found.age_s(0, 10 * NS, "before") == pytest.approx(expected, abs=2)
