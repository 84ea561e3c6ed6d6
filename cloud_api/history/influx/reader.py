"""Reads the history from an InfluxDB by InfluxQL, which 1.x, 2.x and 3.x answer; balances come from the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import time_ns
from typing import Protocol

from cloud_api.history.influx import latest, sensor_series, tracks
from cloud_api.history.influx.answering import rows_of
from cloud_api.history.influx.placing_policy import RETENTION_MARGIN_NS
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.models import StreamAccount, StreamBalance, TrackPoint
from cloud_api.history.reading import (
    Page,
    Position,
    SeriesId,
    SeriesPoint,
    SeriesSummary,
    Span,
    ThinnedSeries,
    ThinnedTrack,
)
from contracts.errors import LinkError
from contracts.records import Record

MAX_WAITING = 64
"""Questions under way and waiting; more are refused."""
MAX_AT_ONCE = 4
"""Questions that the server works at for us at a time: it has writes to take as well."""


class Balances(Protocol):
    """Who knows the balances of streams: the ledger."""

    async def accounting(self) -> list[StreamAccount]:
        """See ``HistoryReader``."""
        ...

    async def balances(self) -> list[StreamBalance]:
        """See ``HistoryReader``."""
        ...


class InfluxHistoryReader:
    """``HistoryReader`` and ``HistoryArchive`` on one server.

    Args:
        queries: the server.
        ledger: the balances.
        keep_ns: how long the server keeps points, ns; None: for ever.
        has_minutes: it keeps minutes of sensors for longer.
        now_ns: UTC ns.
    """

    def __init__(
        self,
        queries: QueryEndpoint,
        ledger: Balances,
        keep_ns: int | None,
        *,
        has_minutes: bool = True,
        now_ns: Callable[[], int] = time_ns,
    ) -> None:
        self._queries = queries
        self._ledger = ledger
        self._keep_ns = keep_ns if has_minutes else None
        self._has_minutes = has_minutes
        self._now_ns = now_ns
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting = 0

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
        """See ``HistoryReader``."""
        async with self._turn():
            return await tracks.track(self._queries, mmsi, Span(from_ns, to_ns), max_points)

    async def track_page(self, mmsi: int, span: Span, after: Position | None, limit: int) -> Page[TrackPoint]:
        """See ``HistoryArchive``."""
        async with self._turn():
            return await tracks.track_page(self._queries, mmsi, span, after, limit)

    async def thinned_track(self, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
        """See ``HistoryArchive``."""
        async with self._turn():
            return await tracks.thinned_track(self._queries, mmsi, span, max_points)

    async def list_series(self, after: SeriesId | None, limit: int) -> list[SeriesSummary]:
        """See ``HistoryArchive``."""
        async with self._turn():
            return await sensor_series.list_series(self._queries, after, limit, has_minutes=self._has_minutes)

    async def series_page(self, series: SeriesId, span: Span, after: Position | None, limit: int) -> Page[SeriesPoint]:
        """See ``HistoryArchive``."""
        async with self._turn():
            return await sensor_series.series_page(self._queries, series, span, after, limit)

    async def thinned_series(
        self, series: SeriesId, span: Span, max_points: int, channels: frozenset[str] | None = None
    ) -> ThinnedSeries:
        """See ``HistoryArchive``."""
        border_ns = 0 if self._keep_ns is None else self._now_ns() - self._keep_ns + RETENTION_MARGIN_NS
        async with self._turn():
            return await sensor_series.thinned_series(self._queries, series, span, max_points, channels, border_ns)

    async def latest_observations(self, since_ns: int) -> list[tuple[str, str, Record]]:
        """See ``HistoryReader``."""
        async with self._turn():
            return await latest.latest_observations(self._queries, since_ns)

    async def accounting(self) -> list[StreamAccount]:
        """See ``HistoryReader``."""
        return await self._ledger.accounting()

    async def balances(self) -> list[StreamBalance]:
        """See ``HistoryReader``."""
        return await self._ledger.balances()

    async def check(self) -> None:
        """See ``HistoryReader``."""
        async for line in self._queries.ask("SHOW MEASUREMENTS LIMIT 1"):
            rows_of(line)

    async def close(self) -> None:
        """See ``HistoryReader``."""
        await self._queries.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            cause = f"{MAX_WAITING} questions are waiting already"
            raise LinkError("read history", "history server", cause, "ask again", "busy")
        self._waiting += 1
        try:
            async with self._at_once:
                yield
        finally:
            self._waiting -= 1
