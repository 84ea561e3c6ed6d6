"""The hand-over socket with the product's own driver end, in one process."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.handover.protocol import FrameReader, FromDriver, Hello, Observations, Stored, Welcome, encode_frame
from edge_agent.handover.protocol import decode_from_gateway as decode
from edge_agent.handover.socket_path import short_path
from gateway.counters import Counters
from gateway.supervisor import server as module
from gateway.supervisor.server import HandOverServer
from tests.support.gateway_doubles import Events, SlowStore
from tests.support.gateway_records import ais

pytestmark = pytest.mark.system


class Faults(Events):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def misbehaved(self, reason: str, cause: str) -> None:
        assert cause
        self.faults.append(reason)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._frames = FrameReader()

    async def say(self, *messages: FromDriver) -> None:
        for message in messages:
            self.writer.write(encode_frame(message))
        await self.writer.drain()

    async def hear(self) -> object:
        while True:
            data = await self.reader.read(1000)
            if not data:
                return None
            bodies = self._frames.feed(data)
            if bodies:
                return decode(bodies[-1])


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "handover.sock"


class Room:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SlowStore()
        self.events = Faults()
        self.counters = Counters()
        self.server = HandOverServer(path, {"ais": self.events}, self.store, self.counters)

        self.clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_unix_connection(self.path))
        self.clients.append(client)
        return client

    async def close(self) -> None:
        for client in self.clients:
            client.writer.close()
            with suppress(ConnectionError):
                await client.writer.wait_closed()
        await self.server.close()


@pytest.fixture
async def room(path: Path) -> AsyncIterator[Room]:
    made = Room(path)
    await made.server.start()
    yield made
    await made.close()


async def test_the_socket_is_the_gateways_alone(room: Room) -> None:
    assert room.path.stat().st_mode & 0o777 == 0o600


async def test_a_folder_may_lie_deeper_than_the_path_of_a_socket(path: Path) -> None:
    deep = path.parent / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    room = Room(deep / "handover.sock")
    await room.server.start()
    with short_path(room.path) as address:
        client = Client(*await asyncio.open_unix_connection(address))
    room.clients.append(client)
    await client.say(Hello("ais", "r", 1))
    assert await client.hear() == Welcome(0)
    await room.close()


async def test_a_stale_socket_is_taken_over(path: Path) -> None:
    first, second = Room(path), Room(path)
    await first.server.start()
    await first.server.close()
    await second.server.start()
    client = await second.connect()
    await client.say(Hello("ais", "r", 1))
    assert await client.hear() == Welcome(0)
    await second.close()


async def test_an_unknown_source_is_closed_and_counted(room: Room) -> None:
    client = await room.connect()
    await client.say(Hello("nobody", "r", 1))
    assert await client.hear() is None
    assert room.counters.total("handover_refused_unknown_source") == 1


async def test_the_newest_connection_of_a_source_counts(room: Room) -> None:
    first = await room.connect()
    await first.say(Hello("ais", "r", 1))
    assert await first.hear() == Welcome(0)
    second = await room.connect()
    await second.say(Hello("ais", "r", 1))
    assert await second.hear() == Welcome(0)
    with pytest.raises((ConnectionError, AssertionError)):
        assert await first.hear() is not None
    await second.say(Observations(1, [ais(1)]))
    assert await second.hear() == Stored(1)


async def test_a_hole_closes_the_connection_and_is_counted(room: Room) -> None:
    client = await room.connect()
    await client.say(Hello("ais", "r", 1))
    assert await client.hear() == Welcome(0)
    await client.say(Observations(5, [ais(5)]))
    assert await client.hear() is None
    assert room.events.faults == ["bad_frame"]


async def test_a_disk_in_trouble_closes_and_the_driver_comes_back(room: Room) -> None:
    client = await room.connect()
    await client.say(Hello("ais", "r", 1), Observations(1, [ais(1)]))
    room.store.is_broken = True
    while await client.hear() is not None:
        pass
    assert room.counters.total("handover_interrupted") == 1
    assert room.events.faults == []
    room.store.is_broken = False
    again = await room.connect()
    await again.say(Hello("ais", "r", 1), Observations(1, [ais(1)]))
    while await again.hear() != Stored(1):
        pass


async def test_connections_are_bounded(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPARE_CONNECTIONS", 1)
    clients = [await room.connect() for _ in range(3)]
    assert await clients[2].hear() is None
    assert room.counters.total("handover_crowded_out") == 1
