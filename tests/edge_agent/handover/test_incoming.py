import pytest

from contracts.errors import PeerError
from contracts.payloads import Wind
from contracts.records import Clock, ClockState, Observation
from edge_agent.handover.incoming import IncomingRun
from edge_agent.handover.protocol import MAX_OBSERVATIONS, Observations


def frame(first_no: int, count: int) -> Observations:
    clock = Clock(ClockState.UNSYNCED)
    return Observations(first_no, [Observation(0, clock, first_no + step, "b", "s", Wind()) for step in range(count)])


def test_new_observations_are_taken_in_order() -> None:
    run = IncomingRun(0)
    assert [item.mono_ns for item in run.accept(frame(1, 3))] == [1, 2, 3]
    assert [item.mono_ns for item in run.accept(frame(4, 1))] == [4]
    assert run.last_no == 4


def test_a_resend_is_trimmed_to_what_is_new() -> None:
    run = IncomingRun(10)
    assert [item.mono_ns for item in run.accept(frame(9, 4))] == [11, 12]
    assert (run.last_no, run.duplicates) == (12, 2)


def test_a_frame_that_is_wholly_known_changes_nothing() -> None:
    run = IncomingRun(10)
    assert run.accept(frame(2, 3)) == []
    assert (run.last_no, run.duplicates) == (10, 3)


def test_an_empty_frame_is_harmless() -> None:
    run = IncomingRun(10)
    assert run.accept(frame(11, 0)) == []
    assert run.last_no == 10


@pytest.mark.parametrize("first_no", [12, 1000, 0, -5])
def test_a_hole_or_an_impossible_number_is_refused_and_nothing_taken(first_no: int) -> None:
    run = IncomingRun(10)
    with pytest.raises(PeerError) as caught:
        run.accept(frame(first_no, 3))
    assert caught.value.reason == "bad_frame"
    assert run.last_no == 10


def test_an_oversized_frame_is_refused() -> None:
    with pytest.raises(PeerError):
        IncomingRun(0).accept(frame(1, MAX_OBSERVATIONS + 1))
