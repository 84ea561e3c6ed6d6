"""The histories that one suite is run against: each written through its own adapter and read through the port.

A backend is made by an async context manager in ``BACKENDS``; it names the server that answers, as the server does.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
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
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from contracts.records import Record
from tests.support.influx_server import running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, influx_sink, stored


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
    """

    version: str
    store: Store
    reader: Reader


@asynccontextmanager
async def sqlite_backend(folder: Path) -> AsyncIterator[Backend]:
    """The embedded history."""
    path = folder / "history.sqlite"
    writer = SqliteHistoryWriter(path)
    reader = SqliteHistoryReader(path)

    async def store(batches: Sequence[Batch]) -> None:
        outcomes = await writer.commit([ReceivedBatch(item, 0) for item in batches])
        assert set(outcomes) <= {CommitOutcome.COMMITTED, CommitOutcome.DUPLICATE}

    try:
        yield Backend(f"SQLite {sqlite3.sqlite_version}", store, reader)
    finally:
        await reader.close()
        await writer.close()


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
        sink, reader = influx_sink(server.url), InfluxHistoryReader(queries, NoLedger(), KEEP_DAYS * DAY_NS)

        async def store(batches: Sequence[Batch]) -> None:
            assert await sink.write([point for item in batches for point in stored(item)]) == []

        try:
            yield Backend(server.version(), store, reader)
        finally:
            await reader.close()
            await sink.close()


BACKENDS: dict[str, Callable[[Path], AbstractAsyncContextManager[Backend]]] = {
    "sqlite": sqlite_backend,
    "influxdb": influx_backend,
}
