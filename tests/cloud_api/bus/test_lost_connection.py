"""A lost connection is noticed although the client never says so: it can hang while it closes its TLS stream."""

import asyncio
import random
import ssl

import pytest
from prometheus_client import CollectorRegistry

from cloud_api.bus import nats_bus
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.nats_bus import NatsBus


class HungClient:
    """A NATS client that is closed and never calls back, as far as the bus looks at it."""

    is_connected = True

    async def close(self) -> None:
        return


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> NatsBus:
    monkeypatch.setattr(nats_bus, "LOOK_S", 0.01)
    context = ssl.create_default_context()
    return NatsBus(["tls://localhost:1"], context, "cloud", BusMetrics(CollectorRegistry()), random.Random(1))


async def test_a_client_that_hangs_while_it_closes_counts_as_lost(
    bus: NatsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = HungClient()
    monkeypatch.setattr(bus, "_client", client)
    waiting = asyncio.create_task(bus._wait_lost())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    client.is_connected = False
    async with asyncio.timeout(2):
        await waiting


async def test_without_a_look_at_its_state_the_bus_would_wait_for_ever(
    bus: NatsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    client = HungClient()
    client.is_connected = False
    monkeypatch.setattr(bus, "_client", client)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await bus._lost.wait()


class DeadSubscription:
    """What a lost connection leaves: messages that nobody has taken."""

    def __init__(self) -> None:
        self._pending_queue: asyncio.Queue[bytes] = asyncio.Queue()
        for _ in range(256):
            self._pending_queue.put_nowait(b"batch")


async def test_a_lost_connection_leaves_no_messages_behind(bus: NatsBus) -> None:
    left = DeadSubscription()
    bus._started.append(left)  # type: ignore[arg-type]
    bus._let_go()
    assert left._pending_queue.empty()
    assert bus._started == []
    assert bus._metrics.dropped.labels("connection_lost")._value.get() == 256
