"""The run against the gateway's end of it, with a connection that loses whatever is in flight."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import PeerError
from contracts.limits import MAX_RECORD_BYTES
from contracts.payloads import Log, Wind
from contracts.records import Clock, ClockState, Observation
from edge_agent.handover.incoming import IncomingRun
from edge_agent.handover.outgoing import CAPACITY, READ_ALLOWANCE, WINDOW, OutgoingRun
from edge_agent.handover.protocol import (
    MAX_FRAME_BYTES,
    MAX_OBSERVATIONS,
    Observations,
    decode_from_driver,
    decode_from_gateway,
    encode_frame,
)


def observation(number: int, raw: str | None = None) -> Observation:
    return Observation(
        number, Clock(ClockState.UNSYNCED), number, "boot", "wind", Wind(speed_mps=float(number)), None, raw
    )


def filled(count: int, **settings_: int) -> OutgoingRun:
    run = OutgoingRun("run", **settings_)
    for number in range(1, count + 1):
        assert run.add(observation(number))
    return run


def numbers(frame: Observations | None) -> list[int]:
    assert frame is not None
    assert [item.mono_ns for item in frame.items] == list(range(frame.first_no, frame.first_no + len(frame.items)))
    return list(range(frame.first_no, frame.first_no + len(frame.items)))


def test_nothing_is_sent_before_the_welcome() -> None:
    run = filled(1)
    assert run.next_frame() is None
    assert run.welcome(0)
    assert numbers(run.next_frame()) == [1]
    assert run.next_frame() is None


def test_what_was_sent_is_kept_until_it_is_stored() -> None:
    run = filled(3)
    run.welcome(0)
    run.next_frame()
    assert (run.pending, run.in_flight) == (3, 3)
    run.store(2)
    assert (run.pending, run.in_flight, run.stored_no, run.last_no) == (1, 1, 2, 3)


def test_a_new_connection_resends_behind_what_the_gateway_has() -> None:
    """Sent 1..5, stored 2 acknowledged, connection lost; the gateway had committed 3 as well."""
    run = filled(5)
    run.welcome(0)
    run.next_frame()
    run.store(2)
    run.lose()
    assert run.next_frame() is None
    assert run.welcome(3)
    assert numbers(run.next_frame()) == [4, 5]


def test_without_going_back_a_lost_frame_would_be_a_hole() -> None:
    """Mutation proof of the test above: a run that goes on behind what it had sent is refused by the gateway's end."""
    run = filled(6)
    run.welcome(0)
    run.next_frame()
    run.lose()
    run.welcome(2)
    run._sent_no = 5
    frame = run.next_frame()
    assert frame is not None
    with pytest.raises(PeerError):
        IncomingRun(2).accept(frame)


def test_a_late_answer_of_an_earlier_connection_is_believed() -> None:
    run = filled(5)
    run.welcome(0)
    run.store(4)
    assert numbers(run.next_frame()) == [5]


def test_an_answer_seen_before_changes_nothing() -> None:
    run = filled(3)
    run.welcome(0)
    run.store(2)
    run.store(1)
    assert run.stored_no == 2


@pytest.mark.parametrize("stored_no", [4, -1])
def test_a_gateway_that_has_what_was_never_made_is_refused(stored_no: int) -> None:
    run = filled(3)
    run.welcome(0)
    with pytest.raises(PeerError) as caught:
        run.store(stored_no)
    assert caught.value.reason == "bad_frame"
    assert run.pending == 3


def test_a_gateway_that_lost_its_disk_gets_a_new_run_with_everything_that_is_held() -> None:
    run = filled(5)
    run.welcome(0)
    run.next_frame()
    run.store(3)
    run.lose()
    assert not run.welcome(0)
    assert run.next_frame() is None
    run.begin_again("run-2")
    assert run.welcome(0)
    frame = run.next_frame()
    assert frame is not None
    assert (run.run_id, frame.first_no) == ("run-2", 1)
    assert [item.mono_ns for item in frame.items] == [4, 5]
    assert len(IncomingRun(0).accept(frame)) == 2


def test_without_a_new_run_a_lost_disk_would_be_a_hole_for_ever() -> None:
    """Mutation proof of the test above: the same numbers, sent on, are refused by the gateway's end."""
    run = filled(5)
    run.welcome(0)
    run.store(3)
    frame = run.next_frame()
    assert frame is not None
    with pytest.raises(PeerError):
        IncomingRun(0).accept(frame)


def test_a_frame_holds_at_most_128_and_the_window_at_most_its_size() -> None:
    run = filled(1000, window=300)
    run.welcome(0)
    assert [len(numbers(run.next_frame())) for _ in range(3)] == [MAX_OBSERVATIONS, MAX_OBSERVATIONS, 44]
    assert run.next_frame() is None
    run.store(100)
    assert numbers(run.next_frame()) == list(range(301, 401))


def test_frames_of_the_largest_observations_stay_below_the_cap() -> None:
    run = OutgoingRun("run")
    for number in range(1, 2 * MAX_OBSERVATIONS + 1):
        assert run.add(observation(number, raw="x" * (MAX_RECORD_BYTES - 200)))
    run.welcome(0)
    sent = 0
    while (frame := run.next_frame()) is not None:
        assert len(encode_frame(frame)) <= MAX_FRAME_BYTES
        sent += len(frame.items)
    assert sent == 2 * MAX_OBSERVATIONS


def test_a_sentence_that_makes_a_record_too_large_is_left_off_and_counted() -> None:
    run = OutgoingRun("run")
    assert run.add(observation(1, raw="x" * MAX_RECORD_BYTES))
    run.welcome(0)
    frame = run.next_frame()
    assert frame is not None
    assert frame.items[0].raw is None
    assert run.rejected == {"raw_too_large": 1}


def test_a_record_that_is_too_large_gets_no_number() -> None:
    run = OutgoingRun("run")
    large = Log("info", "x" * MAX_RECORD_BYTES)
    assert not run.add(Observation(1, Clock(ClockState.UNSYNCED), 1, "boot", "log", large))
    assert (run.last_no, run.rejected) == (0, {"record_too_large": 1})


def test_at_the_cap_the_driver_is_told_to_stop_reading_and_the_rest_is_counted() -> None:
    run = filled(CAPACITY - READ_ALLOWANCE)
    assert run.has_room
    for number in range(run.last_no + 1, CAPACITY + 1):
        assert run.add(observation(number))
    assert not run.has_room
    assert not run.add(observation(CAPACITY + 1))
    assert (run.pending, run.rejected) == (CAPACITY, {"handover_full": 1})
    run.welcome(0)
    run.store(READ_ALLOWANCE)
    assert run.has_room


def test_the_window_is_smaller_than_the_cap() -> None:
    assert WINDOW < CAPACITY


class Connection(RuleBasedStateMachine):
    """Frames and answers are delivered, lost or late, the gateway loses its disk; it never shows a hole or a twin.

    The model of what must be on disk at the end is the list 1, 2, 3, … of everything that was numbered, less what a
    lost disk took with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run = OutgoingRun("0", capacity=50, window=9)
        self.made = 0
        self.runs = 0
        self.disk: list[int] = []
        self.lost: list[int] = []
        self.disk_of_run: dict[str, int] = {}
        self.is_connected = False
        self.wire: list[Observations] = []
        self.answers: list[int] = []
        self.incoming = IncomingRun(0)

    @rule(count=st.integers(1, 20))
    def observe(self, count: int) -> None:
        for _ in range(count):
            if self.run.add(observation(self.made + 1)):
                self.made += 1

    @precondition(lambda self: not self.is_connected)
    @rule()
    def connect(self) -> None:
        stored_no = self.disk_of_run.get(self.run.run_id, 0)
        if not self.run.welcome(stored_no):
            self.runs += 1
            self.run.begin_again(str(self.runs))
            return
        self.incoming = IncomingRun(stored_no)
        self.is_connected = True

    @precondition(lambda self: self.is_connected)
    @rule()
    def send(self) -> None:
        frame = self.run.next_frame()
        if frame is not None:
            self.wire.append(frame)

    @precondition(lambda self: self.wire)
    @rule()
    def commit(self) -> None:
        new = self.incoming.accept(self.wire.pop(0))
        self.disk.extend(item.mono_ns for item in new)
        self.disk_of_run[self.run.run_id] = self.incoming.last_no
        self.answers.append(self.incoming.last_no)

    @precondition(lambda self: self.answers)
    @rule()
    def answer(self) -> None:
        self.run.store(self.answers.pop(0))

    @precondition(lambda self: self.is_connected)
    @rule()
    def cut(self) -> None:
        self.is_connected = False
        self.wire.clear()
        self.answers.clear()
        self.run.lose()

    @rule()
    def lose_disk(self) -> None:
        """Only what the gateway had committed goes; a frame on the wire finds an empty database and is cut off."""
        self.lost += self.disk
        self.disk.clear()
        self.disk_of_run.clear()
        if self.is_connected:
            self.cut()

    @invariant()
    def the_disk_has_no_twin(self) -> None:
        assert len(set(self.disk)) == len(self.disk)

    @invariant()
    def the_run_keeps_what_is_not_on_disk(self) -> None:
        assert self.run.pending <= 50
        assert self.run.last_no - self.run.stored_no == self.run.pending

    def teardown(self) -> None:
        """Everything that was made is on the disk, or was on the one that was lost."""
        for _ in range(2):
            if not self.is_connected:
                self.connect()
        while self.run.pending:
            self.send()
            while self.wire:
                self.commit()
            while self.answers:
                self.answer()
        assert sorted(set(self.disk) | set(self.lost)) == list(range(1, self.made + 1))


TestConnection = Connection.TestCase
TestConnection.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("decode", [decode_from_driver, decode_from_gateway])
def test_a_text_that_is_no_utf_8_is_a_bad_frame(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(PeerError) as caught:
        decode(b'{"type":"\xff"}')
    assert caught.value.reason == "bad_frame"
