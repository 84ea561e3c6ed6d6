import asyncio
import time

import pytest

from contracts.payloads import Wind
from edge_agent.clock import ClockProbe, Moment, Stamper
from edge_agent.drivers.vitals import SILENCE_S, Vitals
from edge_agent.handover import sink as sink_module
from edge_agent.handover.outgoing import OutgoingRun
from edge_agent.handover.sink import HandOverSink


def a_sink(capacity: int) -> tuple[HandOverSink, OutgoingRun, Vitals]:
    outgoing = OutgoingRun("run", capacity=capacity)
    vitals = Vitals(0.0)
    return HandOverSink(outgoing, Stamper("wind", "mast", "boot", ClockProbe(lambda: None)), vitals), outgoing, vitals


def put(sink: HandOverSink, count: int) -> None:
    for _ in range(count):
        sink.put(Wind(), None, Moment(1_000, 1))


async def test_a_put_wakes_the_client() -> None:
    sink, outgoing, _ = a_sink(10)
    assert not sink.has_news.is_set()
    put(sink, 1)
    assert sink.has_news.is_set()
    assert sink.last_observed_at_ns == 1_000
    assert outgoing.pending == 1


async def test_a_driver_waits_for_room_and_goes_on_when_the_gateway_has_stored() -> None:
    sink, outgoing, _ = a_sink(10)
    await sink.room()
    put(sink, 6)
    waiting = asyncio.create_task(sink.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    outgoing.welcome(0)
    outgoing.store(1)
    sink.note_stored()
    await waiting


async def test_a_driver_that_waits_for_room_shows_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk of the gateway is not a hang of the driver: it must not be killed for it."""
    monkeypatch.setattr(sink_module, "_SIGN_INTERVAL_S", 0.0)
    sink, _, vitals = a_sink(10)
    put(sink, 6)
    assert not vitals.is_alive(time.monotonic() + SILENCE_S)
    waiting = asyncio.create_task(sink.room())
    for _ in range(3):
        await asyncio.sleep(0)
    assert vitals.is_alive(time.monotonic() + SILENCE_S / 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
