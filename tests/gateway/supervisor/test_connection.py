"""The hand-over protocol's gateway end, on streams without a socket."""

import asyncio
import time
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import LinkError, PeerError
from contracts.payloads import Gap
from edge_agent.clock_reference import ClockReference, ClockReferences
from edge_agent.handover.protocol import (
    FrameReader,
    FromDriver,
    Heartbeat,
    Hello,
    Observations,
    Stored,
    Welcome,
    decode_from_gateway,
    encode_frame,
)
from gateway.supervisor import appends
from gateway.supervisor import connection as module
from gateway.supervisor.connection import DriverConnection
from tests.support.gateway_doubles import Events, SlowStore
from tests.support.gateway_records import ais, observation

HELLO = Hello(source="ais", run_id="r", pid=7)


class Pipe:
    """The writer's side of a stream: what the gateway answers."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def answers(self) -> list[Any]:
        return [decode_from_gateway(body) for body in FrameReader().feed(bytes(self.data))]


class Bench:
    def __init__(self, *messages: FromDriver, stored_no: int = 0) -> None:
        self.reader = asyncio.StreamReader()
        self.pipe = Pipe()
        self.store = SlowStore(stored_no)
        self.events = Events()
        self.clocks = ClockReferences()
        writer = cast("asyncio.StreamWriter", self.pipe)
        self.connection = DriverConnection(self.reader, writer, self.store, self.clocks)
        for message in messages:
            self.reader.feed_data(encode_frame(message))

    async def serve(self) -> None:
        await self.connection.serve(await self.connection.greet(), self.events)


async def test_observations_are_answered_when_they_are_on_disk() -> None:
    bench = Bench(HELLO, Heartbeat(is_link_up=True), Observations(1, [ais(1), ais(2)]))
    bench.reader.feed_eof()
    await bench.serve()
    assert bench.pipe.answers() == [Welcome(0), Stored(2)]
    assert bench.store.items == [ais(1), ais(2)]
    assert (bench.events.hellos, bench.events.count, len(bench.events.beats)) == ([7], 2, 1)


async def test_what_is_stored_is_trimmed_off_a_resend() -> None:
    bench = Bench(HELLO, Observations(1, [ais(1), ais(2), ais(3)]), stored_no=2)
    bench.reader.feed_eof()
    await bench.serve()
    assert bench.pipe.answers() == [Welcome(2), Stored(3)]
    assert bench.store.items == [ais(3)]


async def test_small_frames_behind_a_slow_commit_are_stored_together() -> None:
    bench = Bench(HELLO, *(Observations(number, [ais(number)]) for number in range(1, 51)))
    bench.reader.feed_eof()
    bench.store.gate.clear()
    task = asyncio.create_task(bench.serve())
    for _ in range(100):
        await asyncio.sleep(0)
    bench.store.gate.set()
    await task
    assert bench.store.items == [ais(number) for number in range(1, 51)]
    assert bench.store.appends <= 2
    assert bench.pipe.answers()[-1] == Stored(50)


@pytest.mark.parametrize("is_protected", [True, False])
async def test_what_comes_while_a_group_gathers_is_part_of_it(
    monkeypatch: pytest.MonkeyPatch, *, is_protected: bool
) -> None:
    """The disk stands still like a group that gathers; with its mutation proof: one append at a time is not."""
    monkeypatch.setattr(appends, "APPEND_INTERVAL_S", 0.0)
    monkeypatch.setattr(appends, "MAX_APPENDS", 16 if is_protected else 1)
    bench = Bench(HELLO)
    bench.store.gate.clear()
    task = asyncio.create_task(bench.serve())
    for number in range(1, 5):
        bench.reader.feed_data(encode_frame(Observations(number, [ais(number)])))
        for _ in range(20):
            await asyncio.sleep(0)
    assert (bench.store.waiting == 4) is is_protected
    bench.store.gate.set()
    bench.reader.feed_eof()
    await task
    assert bench.store.items == [ais(number) for number in range(1, 5)]
    assert bench.pipe.answers()[-1] == Stored(4)


async def test_an_append_that_fails_is_not_passed_over_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appends, "APPEND_INTERVAL_S", 0.0)
    bench = Bench(HELLO)
    bench.store.gate.clear()
    task = asyncio.create_task(bench.serve())
    for number in range(1, 4):
        bench.reader.feed_data(encode_frame(Observations(number, [ais(number)])))
        for _ in range(20):
            await asyncio.sleep(0)
    bench.store.is_broken = True
    bench.store.gate.set()
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert caught.group_contains(LinkError)
    assert not caught.group_contains(PeerError)
    assert bench.pipe.answers() == [Welcome(0)]


async def test_a_disk_that_stands_still_stops_the_reading_and_is_not_the_drivers_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 4)
    bench = Bench(HELLO, *(Observations(number, [ais(number)]) for number in range(1, 51)))
    bench.reader.feed_eof()
    bench.store.gate.clear()
    task = asyncio.create_task(bench.serve())
    for _ in range(200):
        await asyncio.sleep(0)
    assert bench.events.holds[-1] is True
    assert bench.store.waiting <= 4
    assert bench.store.items == []
    bench.store.gate.set()
    await task
    assert bench.events.holds[-1] is False
    assert bench.store.items == [ais(number) for number in range(1, 51)]


async def test_a_disk_that_refuses_ends_the_connection_without_an_answer() -> None:
    bench = Bench(HELLO, Observations(1, [ais(1)]))
    bench.store.is_broken = True
    with pytest.raises(ExceptionGroup) as caught:
        await bench.serve()
    assert caught.group_contains(LinkError)
    assert bench.pipe.answers() == [Welcome(0)]


@pytest.mark.parametrize(
    "message",
    [
        Observations(3, [ais(3)]),
        Observations(0, [ais(3)]),
        Observations(1, [observation(Gap(first_seq=1, last_seq=5, reason="x"))]),
        Observations(1, [observation(ais(1).payload, source="other")]),
        HELLO,
    ],
)
async def test_what_breaks_the_protocol_is_a_peer_error(message: FromDriver) -> None:
    bench = Bench(HELLO, message)
    with pytest.raises(ExceptionGroup) as caught:
        await bench.serve()
    assert caught.group_contains(PeerError)
    assert bench.store.items == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Heartbeat(is_link_up=True), "bad_frame"),
        (Hello(source="../../etc", run_id="r", pid=1), "bad_frame"),
        (Hello(source="ais", run_id="", pid=1), "bad_frame"),
        (Hello(source="ais", run_id="r", pid=1, version=9), "version"),
    ],
)
async def test_a_stranger_is_not_greeted(message: FromDriver, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        await Bench(message).connection.greet()
    assert caught.value.reason == reason


async def test_who_never_says_hello_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_TIMEOUT_S", 0.001)
    with pytest.raises(LinkError):
        await Bench().connection.greet()


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_value_or_one_peer_error(data: bytes) -> None:
    async def run() -> None:
        bench = Bench()
        bench.reader.feed_data(data)
        bench.reader.feed_eof()
        reason = "none"
        try:
            await bench.connection.greet()
        except PeerError as exc:
            reason = exc.reason
        assert reason in {"none", "bad_frame", "frame_too_large", "version"}

    asyncio.run(run())


async def test_what_one_driver_knows_of_utc_is_told_to_every_other() -> None:
    known = ClockReference("ais", 1_800_000_000_000_000_000, time.monotonic_ns(), 250.0)
    receiver = Bench(HELLO, Heartbeat(is_link_up=True, clock=known))
    receiver.reader.feed_eof()
    await receiver.serve()
    other = Bench(HELLO, Observations(1, [ais(1)]))
    other.clocks.take(receiver.clocks.best(time.monotonic_ns()))
    other.reader.feed_eof()
    await other.serve()
    assert other.pipe.answers() == [Welcome(0, clock=known), Stored(1, known)]


async def test_a_driver_that_speaks_for_another_receiver_breaks_the_protocol() -> None:
    bench = Bench(HELLO, Heartbeat(is_link_up=True, clock=ClockReference("gnss", 1, 1, 1.0)))
    with pytest.raises(ExceptionGroup) as caught:
        await bench.serve()
    assert caught.group_contains(PeerError)
    assert bench.clocks.best(1) is None
