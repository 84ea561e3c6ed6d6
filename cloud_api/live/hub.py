"""Admits live clients, keeps count of them and sees them off.

*Source:* docs/live_wire.md.
"""

import asyncio
import time
from collections.abc import Callable

from aiohttp import WSCloseCode, web

from cloud_api.live.client import LiveClient
from cloud_api.live.feed import LiveFeed, LiveTiming
from cloud_api.live.metrics import HubMetrics
from cloud_api.live.picture import LivePicture

MAX_CLIENTS = 500
"""Ten control rooms of fifty screens, about 5 MB/s at 500 reports/s; beyond it one process serves nobody well: 503."""


class LiveHub:
    """Serves ``/ws/live``; ``run`` must be running.

    Args:
        picture: what is shown.
        metrics: counters.
        timing: paces; the defaults are those of docs/live_wire.md.
        max_clients: cap of clients at a time.
        utc_ns: this server's clock.
    """

    def __init__(
        self,
        picture: LivePicture,
        metrics: HubMetrics,
        timing: LiveTiming | None = None,
        max_clients: int = MAX_CLIENTS,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._timing = timing or LiveTiming()
        self._metrics = metrics
        self._max_clients = max_clients
        self._clients: set[LiveClient] = set()
        self._is_closing = False
        self.feed = LiveFeed(picture, self._timing, utc_ns)
        metrics.queue_bytes.set_function(self.queued_bytes)

    @property
    def client_count(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    async def run(self) -> None:
        """Keep the ticker going, for ever."""
        await self.feed.run()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one client until it leaves.

        Raises:
            HTTPServiceUnavailable: ``max_clients`` are connected, or the server is closing.
        """
        self._admit()
        client = LiveClient(request, self.feed, self._metrics, self._timing)
        self._clients.add(client)
        self._metrics.connections.set(len(self._clients))
        try:
            return await client.serve(self._resume_tick(request))
        finally:
            self._clients.discard(client)
            self._metrics.connections.set(len(self._clients))

    async def close(self, code: int = WSCloseCode.SERVICE_RESTART) -> None:
        """Take no more clients and close all with ``code``; idempotent.

        Args:
            code: 1012 where the server comes back (clients reconnect at once), 1001 where it goes away.
        """
        self._is_closing = True
        await asyncio.gather(*(client.close(code) for client in list(self._clients)))

    def queued_bytes(self) -> float:
        """Return what was handed over to all clients and no kernel has taken yet."""
        return float(sum(client.queued_bytes() for client in self._clients))

    def _admit(self) -> None:
        if self._is_closing or len(self._clients) >= self._max_clients:
            self._metrics.refused.labels("closing" if self._is_closing else "full").inc()
            raise web.HTTPServiceUnavailable(
                text="the server is closing" if self._is_closing else f"{self._max_clients} live clients are connected",
                headers={"Retry-After": "5"},
            )

    def _resume_tick(self, request: web.Request) -> int | None:
        since = request.query.get("since")
        if since is None:
            return None
        tick = self.feed.resume_tick(since)
        self._metrics.resumes.labels("snapshot" if tick is None else "replayed").inc()
        return tick
