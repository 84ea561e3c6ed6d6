"""A networked instrument as a TCP server that sends its sentences to every client, as a terminal server does.

It refuses more than ``MAX_CLIENTS``; a client that does not read loses sentences, and only it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from contracts.errors import LinkError

HOST = "127.0.0.1"
"""The demonstration is for this machine only."""
MAX_CLIENTS = 16
"""A real terminal server takes four to eight."""
MAX_UNSENT_BYTES = 64 * 1024
"""Kept for a client that does not read; then sentences to it are dropped. Ten minutes of a weather mast."""


class TcpFeed:
    """One simulated instrument. Make it with ``open_tcp_feed``."""

    def __init__(self) -> None:
        self._clients: set[asyncio.StreamWriter] = set()
        self._dropped: Counter[str] = Counter()
        self._has_newcomer = False
        self._server: asyncio.Server | None = None
        self._port = 0

    async def open(self) -> None:
        """Listen on a free port.

        Raises:
            LinkError: the port cannot be had.
        """
        try:
            self._server = await asyncio.start_server(self._serve, HOST, 0)
        except OSError as exc:
            raise LinkError("listen", HOST, exc.strerror or str(exc), "", "refused") from exc
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def dropped(self) -> dict[str, int]:
        """Sentences dropped since the start (``slow_client``), and clients refused (``too_many_clients``)."""
        return dict(self._dropped)

    def link(self) -> dict[str, object]:
        """Return the link settings of the server."""
        return {"kind": "tcp", "host": HOST, "port": self._port}

    def send(self, lines: Sequence[str]) -> bool:
        """Send sentences to all clients; returns whether one has connected since the last call."""
        data = "".join(lines).encode("ascii")
        for client in self._clients if data else ():
            if client.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self._dropped["slow_client"] += len(lines)
            else:
                client.write(data)
        has_newcomer, self._has_newcomer = self._has_newcomer, False
        return has_newcomer

    async def close(self) -> None:
        """Stop listening and cut all clients."""
        if self._server is None:
            return
        self._server.close()
        for client in list(self._clients):
            client.transport.abort()
        async with asyncio.timeout(1):
            await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MAX_CLIENTS:
            self._dropped["too_many_clients"] += 1
            writer.transport.abort()
            return
        self._clients.add(writer)
        self._has_newcomer = True
        try:
            # what a client says is read and ignored: only its end matters
            while await reader.read(_READ):
                pass
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            writer.transport.abort()


_READ = 1024


async def open_tcp_feed() -> TcpFeed:
    """Return a feed that listens.

    Raises:
        LinkError: as ``TcpFeed.open``.
    """
    feed = TcpFeed()
    await feed.open()
    return feed
