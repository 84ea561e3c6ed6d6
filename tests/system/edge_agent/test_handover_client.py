"""The hand-over client on a real Unix socket, in this process, so that its parts can be held still."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from contracts.errors import LinkError
from contracts.payloads import Wind
from edge_agent.clock import ClockProbe, Moment, Stamper
from edge_agent.drivers.vitals import SILENCE_S, Vitals
from edge_agent.handover import client as client_module
from edge_agent.handover.client import HandOverClient
from edge_agent.handover.outgoing import OutgoingRun
from edge_agent.handover.protocol import ActiveAlarm
from edge_agent.handover.sink import HandOverSink
from edge_agent.handover.source_lock import SourceLock, lock_path
from edge_agent.runtime import EXIT_CRASHED, EXIT_NO_GATEWAY, Agent, AgentSettings, run_agent
from firmware_configs.hardware_profile import Source
from tests.support.handover_gateway import HandOverGateway

pytestmark = pytest.mark.system


class Bench:
    def __init__(self, path: Path, gone_s: float = 10.0) -> None:
        self.vitals = Vitals(time.monotonic())
        self.outgoing = OutgoingRun("run")
        self.adopted: list[ActiveAlarm] = []
        stamper = Stamper("wind", None, "boot", ClockProbe(lambda: None))
        self.sink = HandOverSink(self.outgoing, stamper, self.vitals)
        self.client = HandOverClient(
            path, "wind", os.getpid(), self.outgoing, self.sink, self.vitals, self.adopted.extend, gone_s
        )

    def put(self, count: int) -> None:
        for number in range(count):
            self.sink.put(Wind(speed_mps=float(number)), None, Moment(time.time_ns(), time.monotonic_ns()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.client.run())
            yield
            task.cancel()


async def test_a_driver_that_hangs_falls_silent_and_one_that_waits_does_not(
    gateway: HandOverGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof included: with the promise always believed, the hung driver would beat on."""
    monkeypatch.setattr(client_module, "BEAT_INTERVAL_S", 0.02)
    bench = Bench(gateway.path)
    async with bench.running():
        bench.vitals.touch(time.monotonic(), expect_s=15.0)  # a long wait that was announced
        await gateway.until(lambda: len(gateway.heartbeats) > 5, 5, "it beats")
        bench.vitals.touch(time.monotonic() - SILENCE_S - 1)  # last word longer ago than it holds
        await asyncio.sleep(0.1)
        silent_at = len(gateway.heartbeats)
        await asyncio.sleep(0.3)
        assert len(gateway.heartbeats) == silent_at
        monkeypatch.setattr(bench.vitals, "is_alive", lambda _now_s: True)
        await gateway.until(lambda: len(gateway.heartbeats) > silent_at + 5, 5, "it would beat")


async def test_a_hung_driver_still_hands_over_what_it_had(gateway: HandOverGateway) -> None:
    bench = Bench(gateway.path)
    async with bench.running():
        bench.vitals.touch(time.monotonic() - 60)
        bench.put(500)
        await gateway.until(lambda: len(gateway.all()) == 500, 5, "500 observations")
        assert gateway.heartbeats == []


async def test_a_gateway_that_never_greets_is_no_gateway(
    gateway: HandOverGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.handover.connection.WELCOME_TIMEOUT_S", 0.1)
    gateway.is_greeting = False
    bench = Bench(gateway.path, gone_s=0.5)
    with pytest.raises(LinkError) as caught:
        await bench.client.run()
    assert caught.value.reason == "gateway_gone"


async def test_a_gateway_that_talks_nonsense_is_left_counted_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "handover.sock"

    async def nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x05\x00\x00\x00hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(nonsense, path)
    bench = Bench(path, gone_s=0.5)
    bench.put(3)
    with pytest.raises(LinkError):
        await bench.client.run()
    assert bench.vitals.rejected()["handover_bad_frame"] >= 2
    assert bench.outgoing.pending == 3
    server.close()
    await server.wait_closed()


async def test_a_gateway_that_stores_nothing_is_given_up_after_its_time(
    gateway: HandOverGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STORED_TIMEOUT_S", 0.2)
    monkeypatch.setattr(client_module, "BEAT_INTERVAL_S", 0.05)
    gateway.is_storing = False
    bench = Bench(gateway.path)
    async with bench.running():
        bench.put(10)
        await gateway.until(lambda: len(gateway.hellos) >= 2, 5, "a second connection")
        assert len({hello.run_id for hello in gateway.hellos}) == 1
        gateway.is_storing = True
        await gateway.until(lambda: len(gateway.all()) == 10, 5, "all stored")
    assert bench.outgoing.pending == 0


async def test_finishing_hands_everything_over_and_returns(gateway: HandOverGateway) -> None:
    bench = Bench(gateway.path)
    bench.put(3000)
    bench.client.finish()
    async with asyncio.timeout(10):
        await bench.client.run()
    assert len(gateway.all()) == 3000


def settings(path: Path, lock_timeout_s: float = 15.0) -> AgentSettings:
    adapter: TypeAdapter[Source] = TypeAdapter(Source)
    source = adapter.validate_python(
        {"source": "wind", "driver": "nmea", "link": {"kind": "replay", "path": "/nonexistent"}}
    )
    return AgentSettings(source=source, socket_path=path, lock_timeout_s=lock_timeout_s)


async def test_a_source_that_stays_taken_ends_with_75(gateway: HandOverGateway) -> None:
    holder = SourceLock(lock_path(gateway.path, "wind"))
    assert holder.try_acquire(os.getpid())
    assert await run_agent(settings(gateway.path, lock_timeout_s=0.3)) == EXIT_NO_GATEWAY
    assert gateway.hellos == []
    holder.release()


async def test_a_crashed_driver_hands_over_what_it_had_numbered(
    gateway: HandOverGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Agent(settings(gateway.path), asyncio.Event())

    async def crash() -> None:
        sink: HandOverSink = agent._client._sink
        for _ in range(300):
            sink.put(Wind(), None, Moment(time.time_ns(), time.monotonic_ns()))
        raise ZeroDivisionError

    monkeypatch.setattr(agent._reconnection, "run", crash)
    async with asyncio.timeout(10):
        assert await agent.run() == EXIT_CRASHED
    assert len(gateway.all()) == 300
