"""The TCP link against real servers: data, refusal, silence, a peer that goes away."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from contracts.errors import LinkError
from edge_agent.links.tcp_link import TcpLink
from firmware_configs.links import TcpLink as TcpLinkConfig
from tests.support.nmea_lines import sentence

pytestmark = pytest.mark.system

WAIT_S = 5.0
WIND = sentence("WIMWV,57.5,R,13.0,M,A")


@asynccontextmanager
async def server(serve: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[int]:
    """Listen on a free port and call ``serve`` for each connection; yields the port."""
    writers: list[asyncio.StreamWriter] = []

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        serve(writer)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def link_to(port: int, *, silence_timeout_s: float = 60.0) -> TcpLink:
    return TcpLink(
        TcpLinkConfig(
            kind="tcp", host="127.0.0.1", port=port, connect_timeout_s=2.0, silence_timeout_s=silence_timeout_s
        )
    )


def silent(_: asyncio.StreamWriter) -> None:
    """Accept and say nothing."""


async def test_bytes_arrive_and_a_cancelled_read_loses_none() -> None:
    writers: list[asyncio.StreamWriter] = []
    async with server(writers.append) as port:
        link = link_to(port)
        await link.open()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await link.read()
        writers[0].write(WIND * 3)
        data = b""
        async with asyncio.timeout(WAIT_S):
            while len(data) < len(WIND) * 3:
                data += await link.read()
        assert data == WIND * 3
        assert link.counters == {"bytes": len(WIND) * 3, "opens": 1}
        await link.close()


async def test_a_refused_port_is_a_link_error_with_a_hint() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, connections are refused
        with pytest.raises(LinkError) as caught:
            await link_to(reserved.getsockname()[1]).open()
    assert caught.value.reason == "open_failed"
    assert "check host and port" in str(caught.value)


async def test_a_host_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())  # fills the backlog: the next SYN is not answered
        more = socket.socket()
        more.setblocking(False)
        with suppress(BlockingIOError):
            more.connect(full.getsockname())
        config = TcpLinkConfig(
            kind="tcp", host="127.0.0.1", port=full.getsockname()[1], connect_timeout_s=0.2, silence_timeout_s=1
        )
        with pytest.raises(LinkError) as caught:
            async with asyncio.timeout(WAIT_S):
                await TcpLink(config).open()
        more.close()
    assert caught.value.reason == "open_failed"
    assert "no answer in 0.2 s" in caught.value.cause


async def test_silence_is_a_fault_also_when_the_owner_cancels_and_repeats_its_reads() -> None:
    async with server(silent) as port:
        link = link_to(port, silence_timeout_s=0.3)
        await link.open()
        caught: LinkError | None = None
        async with asyncio.timeout(WAIT_S):
            while caught is None:
                try:
                    async with asyncio.timeout(0.05):
                        await link.read()
                except LinkError as exc:
                    caught = exc
                except TimeoutError:
                    continue
        assert caught.reason == "silent"
        assert link.counters == {"opens": 1, "silences": 1}
        await link.close()


async def test_a_peer_that_closes_or_resets_is_a_link_error_and_the_link_can_be_opened_again() -> None:
    def goodbye(writer: asyncio.StreamWriter) -> None:
        writer.write(WIND)
        writer.close()

    async with server(goodbye) as port:
        link = link_to(port)
        for _ in range(2):
            await link.open()
            async with asyncio.timeout(WAIT_S):
                assert await link.read() == WIND
                with pytest.raises(LinkError) as caught:
                    await link.read()
            assert caught.value.reason == "lost"
            await link.close()
        assert link.counters["opens"] == 2

    def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with server(reset) as port:
        link = link_to(port)
        await link.open()
        with pytest.raises(LinkError) as caught:
            async with asyncio.timeout(WAIT_S):
                await link.read()
        assert caught.value.reason == "lost"
        await link.close()


async def test_a_flood_is_read_in_pieces_of_bounded_size() -> None:
    flood = WIND * 40_000

    async with server(lambda writer: writer.write(flood)) as port:
        link = link_to(port)
        await link.open()
        size = 0
        async with asyncio.timeout(WAIT_S):
            while size < len(flood):
                data = await link.read()
                assert len(data) <= 64 * 1024
                size += len(data)
        assert size == len(flood)
        await link.close()


async def test_close_may_be_called_at_any_time_and_reading_a_closed_link_says_so() -> None:
    link = link_to(1)
    await link.close()
    with pytest.raises(LinkError) as caught:
        await link.read()
    assert caught.value.reason == "closed"
