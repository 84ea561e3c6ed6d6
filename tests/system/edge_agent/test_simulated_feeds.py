"""Feeds against readers that are absent, slow or too many: nothing blocks, nothing grows, every loss is counted."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from contracts.errors import LinkError
from edge_agent.simulation import pty_feed, tcp_feed
from edge_agent.simulation.pty_feed import MAX_PENDING_BYTES, PtyFeed
from edge_agent.simulation.tcp_feed import MAX_CLIENTS, TcpFeed, open_tcp_feed

pytestmark = pytest.mark.system

LINE = "$WIMWV,095.0,T,6.2,M,A*00\r\n"


@pytest.fixture
async def pty() -> AsyncIterator[PtyFeed]:
    feed = PtyFeed(38400)
    yield feed
    await feed.close()
    await feed.close()


@pytest.fixture
def reader(pty: PtyFeed) -> Iterator[int]:
    line = os.open(pty.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    yield line
    os.close(line)


@pytest.fixture
async def tcp() -> AsyncIterator[TcpFeed]:
    feed = await open_tcp_feed()
    yield feed
    await feed.close()
    await feed.close()


def numbered(first: int, count: int) -> list[str]:
    return [f"$XXTXT,{number:07d}\r\n" for number in range(first, first + count)]


def drain(line: int) -> bytes:
    data = b""
    while True:
        try:
            chunk = os.read(line, 65536)
        except BlockingIOError:
            return data
        if not chunk:
            return data
        data += chunk


async def test_without_a_reader_everything_is_dropped_and_counted(pty: PtyFeed) -> None:
    for _ in range(1000):
        assert pty.send([LINE] * 10) is False
    assert pty.pending_bytes == 0
    assert pty.dropped == {"no_reader": 10_000}


async def test_a_reader_gets_bytes_as_they_were_sent(pty: PtyFeed, reader: int) -> None:
    assert pty.send([LINE]) is True
    assert pty.send([LINE]) is False
    await asyncio.sleep(0.05)
    assert drain(reader) == (LINE * 2).encode()
    assert pty.dropped == {}


async def test_a_reader_that_does_not_read_never_blocks_or_grows(pty: PtyFeed, reader: int) -> None:
    began = time.monotonic()
    for first in range(0, 20_000, 10):
        pty.send(numbered(first, 10))
        assert pty.pending_bytes <= MAX_PENDING_BYTES
    assert time.monotonic() - began < 10
    assert pty.dropped["overflow"] > 10_000
    received = b""
    for _ in range(200):
        received += drain(reader)
        pty.send([])
    lines = received.decode().splitlines()
    numbers = [int(line.removeprefix("$XXTXT,")) for line in lines]
    assert all(len(line) == len("$XXTXT,0000000") for line in lines), "a sentence was cut"
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 19_999
    assert len(numbers) + pty.dropped["overflow"] == 20_000


async def test_without_the_cap_it_would_grow(pty: PtyFeed, reader: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the cap."""
    del reader
    monkeypatch.setattr(pty_feed, "MAX_PENDING_BYTES", 10**9)
    for first in range(0, 20_000, 10):
        pty.send(numbered(first, 10))
    assert pty.pending_bytes > 2 * MAX_PENDING_BYTES


async def test_the_next_reader_does_not_read_old_news(pty: PtyFeed) -> None:
    line = os.open(pty.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    assert pty.send(numbered(0, 50)) is True
    os.close(line)
    assert pty.send(numbered(50, 5)) is False
    line = os.open(pty.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    assert pty.send(numbered(100, 1)) is True
    await asyncio.sleep(0.05)
    try:
        assert drain(line).decode().splitlines() == ["$XXTXT,0000100"]
    finally:
        os.close(line)


async def test_without_the_flush_it_would(pty: PtyFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: the kernel keeps what nobody read, and the next driver would stamp it with its own time."""
    monkeypatch.setattr(PtyFeed, "_forget", lambda _self: None)
    line = os.open(pty.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    pty.send(numbered(0, 50))
    os.close(line)
    pty.send([])
    line = os.open(pty.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    pty.send(numbered(100, 1))
    await asyncio.sleep(0.05)
    try:
        assert b"$XXTXT,0000007" in drain(line)
    finally:
        os.close(line)


async def test_a_closed_line_takes_nothing(pty: PtyFeed) -> None:
    await pty.close()
    assert pty.send([LINE]) is False


def test_a_rate_that_serial_ports_do_not_have_is_refused() -> None:
    with pytest.raises(KeyError):
        PtyFeed(12345)


def test_no_more_ptys_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> tuple[int, int]:
        raise OSError(28, "out of pty devices")

    monkeypatch.setattr("os.openpty", fail)
    with pytest.raises(LinkError, match="out of pty devices"):
        PtyFeed(4800)


async def test_every_client_gets_every_sentence(tcp: TcpFeed) -> None:
    link = tcp.link()
    clients = [await asyncio.open_connection(link["host"], link["port"]) for _ in range(3)]  # type: ignore[arg-type]  # link values are objects
    await asyncio.sleep(0.05)
    assert tcp.send([LINE]) is True
    assert tcp.send([LINE]) is False
    async with asyncio.timeout(5):
        for stream, writer in clients:
            assert await stream.readexactly(2 * len(LINE)) == (LINE * 2).encode()
            writer.close()


async def test_a_client_that_does_not_read_loses_sentences_and_nobody_else_does(tcp: TcpFeed) -> None:
    link = tcp.link()
    _, lazy = await asyncio.open_connection(link["host"], link["port"], limit=1024)  # type: ignore[arg-type]  # as above
    lazy.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's stub says BaseTransport
    stream, writer = await asyncio.open_connection(link["host"], link["port"])  # type: ignore[arg-type]  # as above
    received = 0
    await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        for _ in range(400):
            tcp.send([LINE] * 1000)
            received += len(await stream.readexactly(1000 * len(LINE)))
    assert received == 400_000 * len(LINE)
    assert tcp.dropped["slow_client"] > 0
    lazy.transport.abort()
    writer.close()


async def test_too_many_clients_are_turned_away(tcp: TcpFeed) -> None:
    link = tcp.link()
    clients = [await asyncio.open_connection(link["host"], link["port"]) for _ in range(MAX_CLIENTS)]  # type: ignore[arg-type]  # as above
    stream, extra = await asyncio.open_connection(link["host"], link["port"])  # type: ignore[arg-type]  # as above
    with suppress(ConnectionError):
        assert await asyncio.wait_for(stream.read(), 5) == b""
    assert tcp.dropped == {"too_many_clients": 1}
    for writer in [extra, *(writer for _, writer in clients)]:
        writer.transport.abort()


async def test_a_port_that_cannot_be_had_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_feed, "HOST", "192.0.2.1")
    with pytest.raises(LinkError, match="listen"):
        await open_tcp_feed()
