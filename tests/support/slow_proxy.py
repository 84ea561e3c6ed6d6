"""A TCP proxy that lets so many bytes a second through to the server, all connections together; answers pass at once.

with running_slow_proxy(port_of_the_server) as proxy:
    client.connect("127.0.0.1", proxy.port)
    proxy.bytes_per_s = 50_000.0      # None: as fast as it goes
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

CHUNK_BYTES = 8_192
JOIN_TIMEOUT_S = 10.0


class SlowProxy:
    """See the module; runs on a thread of its own.

    Attributes:
        port: on 127.0.0.1.
        bytes_per_s: pace towards the server; None: no limit.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.bytes_per_s: float | None = None
        self._server_port = server_port
        self._is_listening = threading.Event()
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="slow-proxy")

    def start(self) -> None:
        self._thread.start()
        assert self._is_listening.wait(JOIN_TIMEOUT_S), "the proxy does not listen"

    def stop(self) -> None:
        assert self._stop is not None
        loop, event = self._stop
        loop.call_soon_threadsafe(event.set)
        self._thread.join(JOIN_TIMEOUT_S)

    async def _run(self) -> None:
        self._turn = asyncio.Lock()
        stop = asyncio.Event()
        self._stop = (asyncio.get_running_loop(), stop)
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        self._is_listening.set()
        await stop.wait()
        listening.close()
        # what is still open ends with the loop, whose end cancels its tasks
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._open |= {writer, requests}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, requests, is_slow=True))
                group.create_task(self._pass_on(answers, writer, is_slow=False))
        finally:
            for end in (writer, requests):
                self._open.discard(end)
                end.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if is_slow:
                    async with self._turn:
                        pace = self.bytes_per_s
                        await asyncio.sleep(len(data) / pace if pace else 0)
                writer.write(data)
                await writer.drain()
            writer.write_eof()


@contextlib.contextmanager
def running_slow_proxy(server_port: int) -> Iterator[SlowProxy]:
    """Run a proxy until the block ends."""
    proxy = SlowProxy(server_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
