"""The live wire over real sockets: resume, slow clients, caps, and how it ends."""

import asyncio
import base64
import os
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType

from cloud_api.live import client as client_module
from cloud_api.live import picture as picture_module
from cloud_api.live.feed import LiveTiming
from tests.support.cloud_observations import position, static
from tests.support.live_wire import Frame, decode
from tests.support.web_server import RunningServer, running_server

pytestmark = pytest.mark.system

FAST = LiveTiming(tick_s=0.02, heartbeat_s=0.1, send_timeout_s=1.0, close_timeout_s=0.3)
BY_HAND = LiveTiming(tick_s=600, heartbeat_s=600, send_timeout_s=0.5, close_timeout_s=0.3)
"""The test closes the ticks itself, so that the pace of the machine does not matter."""
CLOSE_1013 = bytes([0x88, 2]) + (1013).to_bytes(2, "big")
"""A close frame with its code (RFC 6455, 5.5.1)."""
MANY = 5_000
"""Targets of the slow-client tests: a frame of 100 KB, more than a reluctant socket takes."""


async def frame_of(live: aiohttp.ClientWebSocketResponse) -> Frame:
    message = await live.receive(timeout=5)
    assert message.type is WSMsgType.BINARY, message
    return decode(message.data)


async def open_raw(server: RunningServer) -> socket.socket:
    """Open the live wire on a socket with a small buffer, and read nothing of what it sends."""
    host, port = server.url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (host, int(port)))
    key = base64.b64encode(os.urandom(16)).decode()
    await loop.sock_sendall(
        raw,
        f"GET /ws/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
    )
    await wait_until(lambda: server.hub.client_count == 1)
    (one,) = server.hub._clients
    assert one._request.transport is not None
    # the kernel would take megabytes before a send has to wait
    one._request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return raw


async def change_all(server: RunningServer, turns: int) -> float:
    """Change all targets and close the tick, ``turns`` times; return the most bytes that waited above the kernel."""
    most = 0.0
    for _ in range(turns):
        tick = server.picture.tick + 1
        for target in server.picture.targets():
            target.position_tick = tick
            server.picture._targets.put(target.mmsi, target, tick)
        server.hub.feed.turn()
        await asyncio.sleep(0.005)
        most = max(most, server.hub.queued_bytes())
    return most


def fill(server: RunningServer) -> int:
    """Put ``MANY`` targets into the picture; return the size of a frame of all."""
    server.feed(*(position(200_000_000 + n) for n in range(MANY)))
    return len(server.hub.feed.frame_since(None)[0])


async def wait_until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 - what is waited for are figures, which wake nobody
            await asyncio.sleep(0.01)


async def test_snapshot_then_deltas_with_rising_ticks_and_a_heartbeat(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, server.session.ws_connect("/ws/live") as live:
        server.feed(position(), static())
        first = await frame_of(live)
        assert first.kind == "snapshot"
        frames = [await frame_of(live) for _ in range(3)]
        assert {frame.kind for frame in frames} == {"delta"}
        ticks = [first.tick, *(frame.tick for frame in frames)]
        assert ticks == sorted(set(ticks))
        assert sum(len(frame.targets) for frame in frames) == 1
        assert frames[-1].targets == []


async def test_a_client_that_comes_back_gets_what_it_missed(tmp_path: Path) -> None:
    async with running_server(tmp_path, timing=FAST, max_targets=2) as server:
        server.feed(position(1), position(2))
        async with server.session.ws_connect("/ws/live") as live:
            await frame_of(live)
            last = await frame_of(live)
        server.feed(position(3))
        await asyncio.sleep(0.1)
        async with server.session.ws_connect(f"/ws/live?since={last.epoch}:{last.tick}") as live:
            frame = await frame_of(live)
        assert (frame.kind, frame.gone, [one["mmsi"] for one in frame.targets]) == ("delta", [1], [3])
        assert frame.tick > last.tick
        assert server.figure("ws_resumes_total", result="replayed") == 1


@pytest.mark.parametrize("since", ["1:1", "rubbish", "{epoch}:4000000000"])
async def test_what_cannot_be_resumed_begins_with_a_snapshot(tmp_path: Path, since: str) -> None:
    async with running_server(tmp_path, timing=FAST) as server:
        query = since.replace("{epoch}", str(server.hub.feed.epoch))
        async with server.session.ws_connect(f"/ws/live?since={query}") as live:
            assert (await frame_of(live)).kind == "snapshot"
        assert server.figure("ws_resumes_total", result="snapshot") == 1


async def test_a_client_that_reads_nothing_holds_one_frame_and_is_closed_with_1013(tmp_path: Path) -> None:
    async with running_server(tmp_path, timing=BY_HAND) as server:
        frame_bytes = fill(server)
        raw = await open_raw(server)
        most = await change_all(server, 20)
        assert 0 < most <= 1.1 * frame_bytes
        await wait_until(lambda: server.figure("ws_slow_consumer_disconnects_total") == 1)
        await wait_until(lambda: server.hub.client_count == 0)
        raw.close()


async def test_a_slow_client_that_wakes_up_reads_why_it_was_closed(tmp_path: Path) -> None:
    timing = LiveTiming(tick_s=600, heartbeat_s=600, send_timeout_s=0.3, close_timeout_s=5)
    async with running_server(tmp_path, timing=timing) as server:
        fill(server)
        raw = await open_raw(server)
        await change_all(server, 5)
        await wait_until(lambda: server.figure("ws_slow_consumer_disconnects_total") == 1)
        received = bytearray()
        async with asyncio.timeout(10):
            while CLOSE_1013 not in received[-len(CLOSE_1013) :]:
                chunk = await asyncio.get_running_loop().sock_recv(raw, 1 << 20)
                assert chunk, "the connection ended without a close frame"
                received += chunk
        raw.close()


async def test_without_the_limit_such_a_client_would_hold_more_and_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "WRITER_LIMIT_BYTES", 2**40)
    async with running_server(tmp_path, timing=BY_HAND) as server:
        frame_bytes = fill(server)
        raw = await open_raw(server)
        assert await change_all(server, 20) > 10 * frame_bytes
        raw.close()


@pytest.mark.parametrize(("replay_s", "kind"), [(60, "delta"), (0.02, "snapshot")])
async def test_a_client_that_pauses_gets_one_frame_for_all_it_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replay_s: float, kind: str
) -> None:
    """The client pauses for twenty ticks; what follows the frame under way spans them, or is a snapshot."""
    monkeypatch.setattr(picture_module, "REPLAY_NS", int(replay_s * 1e9))
    timing = LiveTiming(tick_s=600, heartbeat_s=600, send_timeout_s=30)
    async with running_server(tmp_path, timing=timing) as server:
        fill(server)
        raw = await open_raw(server)
        await change_all(server, 20)
        async with asyncio.timeout(10):
            frames = await read_frames(raw, server.picture.tick)
        raw.close()
        assert frames[-1].tick - frames[-2].tick > 10
        assert frames[-1].kind == kind
        assert len(frames[-1].targets) == MANY
        assert server.figure("ws_ticks_skipped_total") == (
            0 if kind == "snapshot" else frames[-1].tick - len(frames) + 1
        )


async def read_frames(raw: socket.socket, until_tick: int) -> list[Frame]:
    """Read frames up to the one of ``until_tick``."""
    loop = asyncio.get_running_loop()
    buffer = bytearray()
    while b"\r\n\r\n" not in buffer:
        buffer += await loop.sock_recv(raw, 65_536)
    del buffer[: buffer.index(b"\r\n\r\n") + 4]
    frames: list[Frame] = []
    while not frames or frames[-1].tick < until_tick:
        while (found := cut_message(buffer)) is None:
            buffer += await loop.sock_recv(raw, 1 << 20)
        if found:
            frames.append(decode(found))
    return frames


def cut_message(buffer: bytearray) -> bytes | None:
    """Take one unmasked WebSocket message off the buffer: binary content, or nothing of a control frame."""
    if len(buffer) < 10:
        return None
    size, start = buffer[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(buffer[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(buffer[2:10], "big"), 10
    if len(buffer) < start + size:
        return None
    message = bytes(buffer[start : start + size]) if buffer[0] & 0x0F == 2 else b""
    del buffer[: start + size]
    return message


async def test_beyond_the_cap_clients_are_told_to_try_later(tmp_path: Path) -> None:
    async with running_server(tmp_path, timing=FAST, max_clients=2) as server:
        async with server.session.ws_connect("/ws/live") as one, server.session.ws_connect("/ws/live") as two:
            await frame_of(one)
            await frame_of(two)
            with pytest.raises(aiohttp.WSServerHandshakeError) as info:
                await server.session.ws_connect("/ws/live")
            assert info.value.status == 503
            assert info.value.headers is not None
            assert info.value.headers["Retry-After"] == "5"
        await asyncio.sleep(0.1)
        async with server.session.ws_connect("/ws/live") as three:
            await frame_of(three)
        assert server.figure("ws_refused_total", reason="full") == 1


async def test_a_page_of_another_origin_may_not_listen(tmp_path: Path) -> None:
    async with running_server(tmp_path, timing=FAST, allowed_origins=frozenset({"http://console.test"})) as server:
        for origin in (server.url, "http://console.test"):
            async with server.session.ws_connect("/ws/live", origin=origin) as live:
                await frame_of(live)
        with pytest.raises(aiohttp.WSServerHandshakeError) as info:
            await server.session.ws_connect("/ws/live", origin="http://evil.test")
        assert info.value.status == 403


async def test_a_server_that_ends_says_that_it_restarts(tmp_path: Path) -> None:
    session = aiohttp.ClientSession()
    async with running_server(tmp_path, timing=FAST) as server:
        live = await session.ws_connect(f"{server.url}/ws/live")
        await frame_of(live)

        async def last_word() -> int | None:
            async for _ in live:
                pass
            return live.close_code

        waiting = asyncio.create_task(last_word())
        await asyncio.sleep(0.05)
    assert await asyncio.wait_for(waiting, 5) == WSCloseCode.SERVICE_RESTART
    await session.close()


async def test_what_a_client_says_is_dropped_and_too_much_ends_it(tmp_path: Path) -> None:
    async with running_server(tmp_path, timing=FAST) as server, server.session.ws_connect("/ws/live") as live:
        await live.send_str("hello")
        for _ in range(3):
            await frame_of(live)
        await live.send_bytes(b"x" * 5_000)
        async for _ in live:
            pass
        assert live.close_code == WSCloseCode.MESSAGE_TOO_BIG
        await asyncio.sleep(0.05)
        assert server.hub.client_count == 0


async def test_fifty_clients_see_the_same_change_within_a_second(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        clients = [await server.session.ws_connect("/ws/live") for _ in range(50)]
        for live in clients:
            await frame_of(live)

        async def wait_for_change(live: aiohttp.ClientWebSocketResponse) -> int:
            while not (frame := await frame_of(live)).targets:
                pass
            return frame.tick

        waiting = [asyncio.create_task(wait_for_change(live)) for live in clients]
        fed_tick = server.hub.feed.tick
        server.feed(position())
        seen = await asyncio.gather(*waiting)
        # by ticks, of which there are five a second: a busy machine has long seconds
        assert max(seen) - fed_tick <= LiveTiming().heartbeat_s / LiveTiming().tick_s
        for live in clients:
            await live.close()
