"""The histories that one suite is run against: each written through its own adapter and read through the port.

A backend is made by an async context manager in ``BACKENDS``; it names the server that answers, as the server does.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloud_api.archive.ports import HistoryArchive
from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.reader import InfluxHistoryReader
from cloud_api.history.models import CommitOutcome, ReceivedBatch, StreamAccount, StreamBalance, TrackPoint
from cloud_api.history.sql_clock_sets import SqlClockSets
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from contracts.records import Record
from tests.support.influx_server import running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, backfilling_sink, stored
from tests.support.operations_file import operations_file


class Reader(HistoryArchive, Protocol):
    """What every history can be asked."""

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]: ...

    async def latest_observations(self, since_ns: int) -> list[tuple[str, str, Record]]: ...

    async def check(self) -> None: ...


class Store(Protocol):
    """Writes batches durably; the same batch again changes nothing."""

    async def __call__(self, batches: Sequence[Batch]) -> None: ...


@dataclass
class Backend:
    """One history under test.

    Attributes:
        version: what answers, in its own words.
        store: writes.
        reader: reads.
        settle: does what the store does beside its writes until nothing is left of it.
    """

    version: str
    store: Store
    reader: Reader
    settle: Callable[[], Awaitable[None]]


@asynccontextmanager
async def sqlite_backend(folder: Path) -> AsyncIterator[Backend]:
    """The embedded history."""
    path = folder / "history.sqlite"
    writer = SqliteHistoryWriter(path)
    reader = SqliteHistoryReader(path)

    async def store(batches: Sequence[Batch]) -> None:
        outcomes = await writer.commit([ReceivedBatch(item, 0) for item in batches])
        assert set(outcomes) <= {CommitOutcome.COMMITTED, CommitOutcome.DUPLICATE}

    async def settle() -> None:
        """Commit until no point waits for its time any more: it is given in the transactions of later batches."""
        while await asyncio.to_thread(sqlite_points_waiting, path):
            await writer.commit([])

    try:
        yield Backend(f"SQLite {sqlite3.sqlite_version}", store, reader, settle)
    finally:
        await reader.close()
        await writer.close()


def sqlite_points_waiting(path: Path) -> int:
    """Return how many clocks were set whose points have not all got their time."""
    connection = sqlite3.connect(path)
    try:
        (waiting,) = connection.execute("SELECT count(*) FROM clock_sets WHERE is_applied = 0").fetchone()
        return int(waiting)
    finally:
        connection.close()


class NoLedger:
    """Balances of nobody: the suite asks for points, and what is accounted for has tests of its own."""

    async def accounting(self) -> list[StreamAccount]:
        return []

    async def balances(self) -> list[StreamBalance]:
        return []


@asynccontextmanager
async def influx_backend(folder: Path) -> AsyncIterator[Backend]:
    """InfluxDB 1.x, a server of its own."""
    with running_influx(folder) as server:
        queries = InfluxQueries(Server(server.url, DATABASE))
        await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 730 * DAY_NS))
        database = operations_file(folder / "operations.sqlite")
        parts = backfilling_sink(server.url, SqlClockSets(database))
        reader = InfluxHistoryReader(queries, NoLedger(), KEEP_DAYS * DAY_NS)

        async def store(batches: Sequence[Batch]) -> None:
            assert await parts.sink.write([point for item in batches for point in stored(item)]) == []

        async def settle() -> None:
            while await parts.backfill.step():
                pass

        try:
            yield Backend(server.version(), store, reader, settle)
        finally:
            await reader.close()
            await parts.backfill.close()
            await parts.sink.close()
            await database.close()


BACKENDS: dict[str, Callable[[Path], AbstractAsyncContextManager[Backend]]] = {
    "sqlite": sqlite_backend,
    "influxdb": influx_backend,
}
