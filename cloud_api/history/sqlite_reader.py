"""Reads the history beside the writer: a few connections, each used by one thread at a time."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import TypeVar

from cloud_api.history import sqlite_queries, sqlite_series, sqlite_tracks
from cloud_api.history.accounting_policy import account
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
from cloud_api.history.sqlite_balances import balances
from cloud_api.history.sqlite_database import open_for_reading, translated
from contracts.errors import LinkError
from contracts.records import Record

READERS = 2
"""Connections: one long answer (a day's track) does not hold up a short one; more would only share one disk."""
MAX_WAITING = 64
"""Questions under way and waiting: at 0.1 s each they are answered before whoever asks gives up; more are refused."""
ANSWER_TIMEOUT_S = 10.0
"""Longest reading for one answer of the archive, so that a few large ones cannot keep both connections."""
_STEPS_A_LOOK = 20_000
"""Steps of SQLite's machine between two looks at the time: some 2 ms."""

Answer = TypeVar("Answer")


class SqliteHistoryReader:
    """``HistoryReader`` and ``HistoryArchive`` on one SQLite file that the writer has made.

    Args:
        path: the file.

    Raises:
        ConfigError, LinkError, IntegrityError: as ``open_for_reading``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._connections = [open_for_reading(path) for _ in range(READERS)]
        for connection in self._connections:
            self._free.put(connection)
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="history-reader")
        self._waiting = 0
        self._is_closed = False

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
        """See ``HistoryReader``."""
        return await self._ask_soon(
            lambda connection: sqlite_tracks.track(connection, mmsi, from_ns, to_ns, max_points)
        )

    async def track_page(self, mmsi: int, span: Span, after: Position | None, limit: int) -> Page[TrackPoint]:
        """See ``HistoryArchive``."""
        return await self._ask_soon(lambda connection: sqlite_tracks.track_page(connection, mmsi, span, after, limit))

    async def thinned_track(self, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
        """See ``HistoryArchive``."""
        return await self._ask_soon(lambda connection: sqlite_tracks.thinned_track(connection, mmsi, span, max_points))

    async def list_series(self, after: SeriesId | None, limit: int) -> list[SeriesSummary]:
        """See ``HistoryArchive``."""
        return await self._ask_soon(lambda connection: sqlite_series.list_series(connection, after, limit))

    async def series_page(self, series: SeriesId, span: Span, after: Position | None, limit: int) -> Page[SeriesPoint]:
        """See ``HistoryArchive``."""
        return await self._ask_soon(
            lambda connection: sqlite_series.series_page(connection, series, span, after, limit)
        )

    async def thinned_series(
        self, series: SeriesId, span: Span, max_points: int, channels: frozenset[str] | None = None
    ) -> ThinnedSeries:
        """See ``HistoryArchive``."""
        return await self._ask_soon(
            lambda connection: sqlite_series.thinned_series(connection, series, span, max_points, channels)
        )

    async def latest_observations(self, since_ns: int) -> list[tuple[str, str, Record]]:
        """See ``HistoryReader``."""
        return await self._ask_soon(lambda connection: sqlite_queries.latest_observations(connection, since_ns))

    async def accounting(self) -> list[StreamAccount]:
        """See ``HistoryReader``."""
        return [account(evidence) for evidence in await self._ask(sqlite_queries.evidence)]

    async def balances(self) -> list[StreamBalance]:
        """See ``HistoryReader``."""
        return await self._ask(balances)

    async def check(self) -> None:
        """See ``HistoryReader``."""
        await self._ask(lambda connection: connection.execute("SELECT count(*) FROM streams").fetchone())

    async def close(self) -> None:
        """See ``HistoryReader``."""
        if not self._is_closed:
            self._is_closed = True
            for connection in self._connections:
                # whoever still waits for a long answer gets a LinkError; the end of the process does not wait for it
                connection.interrupt()
            await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
            for connection in self._connections:
                connection.close()

    async def _ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        if self._waiting >= MAX_WAITING:
            raise LinkError("read history", str(self._path), f"{MAX_WAITING} questions wait", "try again", "busy")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
        finally:
            self._waiting -= 1

    async def _ask_soon(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Ask what must be answered within ``ANSWER_TIMEOUT_S`` or not at all."""

        def ask(connection: sqlite3.Connection) -> Answer:
            give_up_at = monotonic() + ANSWER_TIMEOUT_S
            connection.set_progress_handler(lambda: monotonic() > give_up_at, _STEPS_A_LOOK)
            try:
                return question(connection)
            finally:
                connection.set_progress_handler(None, 0)

        return await self._ask(ask)

    def _answer(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        connection = self._free.get()
        try:
            with translated("read history", self._path):
                # one transaction an answer, so that several statements see the same state
                connection.execute("BEGIN")
                try:
                    return question(connection)
                finally:
                    connection.execute("ROLLBACK")
        finally:
            self._free.put(connection)
