import ctypes
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payloads import Wind
from contracts.records import Clock, ClockState
from edge_agent.clock import ClockProbe, KernelClock, Moment, Stamper, read_boot_id, read_kernel_clock

SECOND = 1_000_000_000


def stamper(*answers: KernelClock | None) -> Stamper:
    queue = list(answers) or [None]
    return Stamper("wind", "mast", "boot", ClockProbe(lambda: queue.pop(0) if len(queue) > 1 else queue[0]))


def test_a_steered_clock_states_the_kernel_s_own_bound() -> None:
    assert ClockProbe(lambda: KernelClock(True, 4_500)).quality(0) == Clock(ClockState.NTP, 4.5)


@pytest.mark.parametrize("answer", [None, KernelClock(False, 16_000_000)])
def test_a_clock_that_is_not_steered_or_not_known_claims_nothing(answer: KernelClock | None) -> None:
    assert ClockProbe(lambda: answer).quality(0) == Clock(ClockState.UNSYNCED)


def test_the_kernel_is_asked_once_a_second() -> None:
    asked = []

    def read() -> KernelClock:
        asked.append(1)
        return KernelClock(True, 1000 * len(asked))

    probe = ClockProbe(read)
    errors = [probe.quality(at).error_ms for at in (0, SECOND - 1, SECOND, 2 * SECOND - 1, 2 * SECOND)]
    assert errors == [1, 1, 2, 2, 3]


def test_this_kernel_answers_or_refuses_but_never_raises() -> None:
    answer = read_kernel_clock()
    assert answer is None or answer.max_error_us >= 0


def test_a_kernel_that_may_not_be_asked_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def adjtimex(self, _: object) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    assert read_kernel_clock() is None
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    assert read_kernel_clock() is None


def test_the_boot_id_is_short_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "boot_id"
    file.write_text("5010-1e77-aaaa-bbbb\n")
    assert read_boot_id(file) == "50101e77"
    assert read_boot_id() == read_boot_id()


def test_without_a_boot_id_the_process_is_named(tmp_path: Path) -> None:
    assert read_boot_id(tmp_path / "none") == f"p{os.getpid():x}"


def test_an_observation_carries_where_when_and_how_well_known() -> None:
    made = stamper(KernelClock(True, 2_000)).stamp(Wind(speed_mps=3.0), "$WIMWV", Moment(5, 7))
    assert (made.source, made.place, made.boot_id, made.raw) == ("wind", "mast", "boot", "$WIMWV")
    assert (made.observed_at_ns, made.mono_ns, made.clock) == (5, 7, Clock(ClockState.NTP, 2.0))
    assert made.payload == Wind(speed_mps=3.0)


def test_messages_of_one_read_keep_their_order_and_stay_apart() -> None:
    """History is idempotent by (series, time): two messages of one ship at one time would become one."""
    one = stamper()
    stamps = [one.stamp(Wind(), None, Moment(1000, 50)) for _ in range(3)]
    assert [stamp.observed_at_ns for stamp in stamps] == [1000, 1001, 1002]
    assert [stamp.mono_ns for stamp in stamps] == [50, 51, 52]


def test_a_clock_that_is_set_back_is_told_as_it_is() -> None:
    """The wall clock goes back an hour: the stamps go with it, only the monotonic one keeps the order."""
    one = stamper()
    hour = 3600 * SECOND
    first = one.stamp(Wind(), None, Moment(2 * hour, 10))
    second = one.stamp(Wind(), None, Moment(hour, 20))
    assert second.observed_at_ns == hour
    assert second.mono_ns > first.mono_ns


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=2, max_size=50))
def test_monotonic_stamps_always_rise(moments: list[tuple[int, int]]) -> None:
    one = stamper()
    stamps = [one.stamp(Wind(), None, Moment(*moment)).mono_ns for moment in moments]
    assert all(later > earlier for earlier, later in pairwise(stamps))
