"""What only the bus over NATS does, against the real nats-server: a cap of its own, and no fall back to plain text."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud_api.bus import nats_session
from contracts.topics import Channel, Topic
from tests.support.buses import Bench, Plant, running, running_plain_nats, running_plant, until, up
from tests.support.mqtt_client import MqttClient

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with running_plant("nats", tmp_path_factory.mktemp("broker")) as running_one:
        yield running_one


@pytest.fixture
async def gateway(plant: Plant) -> AsyncIterator[MqttClient]:
    client = plant.gateway()
    await until(lambda: client.is_connected)
    yield client
    client.close()


async def test_a_slow_consumer_drops_at_its_cap_by_count(
    plant: Plant, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_session, "PENDING_MESSAGES", 5)
    bench = Bench("nats", [plant.broker.url], plant.identity())
    gate = asyncio.Event()

    async def wait(_topic: Topic, _data: bytes) -> None:
        await gate.wait()

    await bench.bus.subscribe(Channel.RECORDS, wait)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        for number in range(20):
            up(str(number).encode(), gateway)
        # five wait, and the one in the handler if it was taken before the others arrived
        await until(lambda: bench.count("bus_dropped_total", reason="slow_consumer") >= 14)
        gate.set()
        await until(lambda: handled(bench) + bench.count("bus_dropped_total", reason="slow_consumer") == 20)
        assert handled(bench) <= 6


def handled(bench: Bench) -> float:
    return bench.count("bus_messages_total", channel="up/records")


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[int]:
    with running_plain_nats(tmp_path) as port:
        yield port


async def test_without_the_check_a_plain_server_would_be_spoken_to(
    plant: Plant, plain_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of what ``test_bus_of_any_broker`` asks for: nats-py itself falls back to plain text."""
    monkeypatch.setattr(nats_session, "_demand_tls", lambda _client, _subject: None)
    bench = Bench("nats", [plant.server_url(plain_server)], plant.identity())
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
