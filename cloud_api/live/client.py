"""One live client: a loop that pulls a frame when the last one is through.

There is no queue. A send is through when the kernel has taken all of it, so a client that reads slowly costs one frame
here and its socket's buffer there, and its next frame spans what it missed. Frames are not compressed: they are dense
(20 B a target) and shared by all clients, compression would be done again for each.
"""

import asyncio

import structlog
from aiohttp import WSCloseCode, web

from cloud_api.live.feed import LiveFeed, LiveTiming
from cloud_api.live.metrics import HubMetrics
from cloud_api.live.wire import FrameKind

MAX_CLIENT_MESSAGE_BYTES = 1024
"""A client has nothing to say: what it sends is read and dropped; more than this in one message closes it."""
WRITER_LIMIT_BYTES = 0
"""What may wait above the kernel before a send waits too: nothing, so that a frame is never old when it leaves."""

_log = structlog.get_logger(__name__)


class LiveClient:
    """One WebSocket.

    Args:
        request: the upgrade request.
        feed: where frames come from.
        metrics: counters.
        timing: paces.
    """

    def __init__(self, request: web.Request, feed: LiveFeed, metrics: HubMetrics, timing: LiveTiming) -> None:
        self._request = request
        self._feed = feed
        self._metrics = metrics
        self._timing = timing
        self._is_closing = False
        self._socket = web.WebSocketResponse(
            timeout=timing.close_timeout_s,
            heartbeat=timing.ping_s,
            compress=False,
            max_msg_size=MAX_CLIENT_MESSAGE_BYTES,
            writer_limit=WRITER_LIMIT_BYTES,
        )

    async def serve(self, tick: int | None) -> web.StreamResponse:
        """Send frames from ``tick`` on (None: a snapshot first) until the client leaves."""
        await self._socket.prepare(self._request)
        if self._request.transport is not None:
            # the transport's half of WRITER_LIMIT_BYTES: it asks for a pause as soon as anything is left in it
            self._request.transport.set_write_buffer_limits(high=0)
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(self._pump(tick), name="live-client")
            async for _ in self._socket:
                pass  # what a client says is dropped; reading sees its pongs and its close
            # where we close, reading ends first: the pump must live to say why
            if not self._is_closing:
                pump.cancel()
        return self._socket

    async def close(self, code: int) -> None:
        """Say goodbye; what is under way has ``close_timeout_s`` to be read, then the connection is cut. Idempotent."""
        self._is_closing = True
        transport = self._request.transport
        try:
            async with asyncio.timeout(self._timing.close_timeout_s):
                await self._socket.close(code=code)
        except (TimeoutError, ConnectionError, RuntimeError):
            # RuntimeError: the upgrade had not been answered yet
            _log.debug("live_client_cut", code=int(code))
        finally:
            if transport is not None:
                # closing lets the transport finish what it holds; aborting at once would lose the close frame
                transport.close()
                asyncio.get_running_loop().call_later(self._timing.close_timeout_s, transport.abort)

    def queued_bytes(self) -> int:
        """Return what was handed over and no kernel has taken yet."""
        transport = self._request.transport
        return 0 if transport is None else transport.get_write_buffer_size()

    async def _pump(self, tick: int | None) -> None:
        try:
            while not self._socket.closed:
                if tick is not None:
                    await self._feed.wait_beyond(tick)
                frame, kind = self._feed.frame_since(tick)
                reached = self._feed.tick
                async with asyncio.timeout(self._timing.send_timeout_s):
                    await self._socket.send_bytes(frame)
                self._count(frame, kind, tick, reached)
                tick = reached
        except TimeoutError:
            self._metrics.slow.inc()
            _log.warning("live_client_too_slow", tick=tick, send_timeout_s=self._timing.send_timeout_s)
            await self.close(WSCloseCode.TRY_AGAIN_LATER)
        except ConnectionError:
            _log.debug("live_client_gone", tick=tick)

    def _count(self, frame: bytes, kind: FrameKind, tick: int | None, reached: int) -> None:
        self._metrics.messages.labels(kind.name.lower()).inc()
        self._metrics.sent_bytes.inc(len(frame))
        if kind is FrameKind.DELTA and tick is not None:
            self._metrics.skipped.inc(reached - tick - 1)
