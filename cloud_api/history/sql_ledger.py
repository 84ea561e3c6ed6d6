"""The ledger of all streams in the operations database, SQLite or PostgreSQL.

One transaction a group of batches. A stream is held from before its rows are read until the commit: on PostgreSQL by a
lock on its row, taken in order of stream so that workers never wait in a ring; on SQLite by the write lock of the file,
taken at the beginning. Read committed is enough: whoever has the lock reads what the one before has committed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history import ranges, sql_ledger_rows
from cloud_api.history.ledger_policy import BookRows, StreamBook, boot_hulls
from cloud_api.history.models import CommitOutcome, CommitPlan, ReceivedBatch, SeqRange
from cloud_api.history.sql_ledger_rows import Window
from cloud_api.operations.database import OperationsDatabase

MARKS_KEPT_NS = 3600 * 10**9
"""How long the mark of each record is kept after it was received. A resend follows within seconds of a lost receipt;
at 2,000 records a second an hour is 29 MB. What comes later is told by its boot."""
COMMITS_A_SWEEP = 64
"""Commits between two deletions of old marks: about a minute of a quiet port."""
MAX_CACHED = 65_536
"""Streams kept in memory, each with the hulls of its boots: 13,000 gateways of five; beyond it all are read anew."""


class SqlStreamLedger:
    """``StreamLedger`` on the operations database.

    Args:
        database: migrated.
    """

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database
        self._streams: dict[str, int] = {}
        self._hulls: dict[int, dict[int, SeqRange]] = {}
        self._commits = 0

    async def plan(self, batches: Sequence[ReceivedBatch]) -> list[CommitPlan]:
        """See ``StreamLedger``."""
        async with self._database.reading("plan commit") as connection:
            await self._know(connection, batches)
            books = await self._open(connection, batches)
        return [books[item.batch.stream_id].take(item) for item in batches]

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """See ``StreamLedger``."""
        async with self._writing() as connection:
            await self._know(connection, batches)
            unknown = {item.batch.stream_id for item in batches} - self._streams.keys()
            if unknown:
                await sql_ledger_rows.make_streams(connection, unknown)
                await self._know(connection, batches)
            refs = {self._streams[item.batch.stream_id] for item in batches}
            await sql_ledger_rows.lock_streams(connection, refs)
            books = await self._open(connection, batches)
            outcomes = [books[item.batch.stream_id].take(item).outcome for item in batches]
            await self._write(connection, books, batches)
            await self._sweep(connection, batches)
        return outcomes

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that will write; numbers that a rolled-back one has seen are forgotten."""
        try:
            async with self._database.transaction("commit ledger") as connection:
                yield connection
        except BaseException:
            self._streams.clear()
            self._hulls.clear()
            raise

    async def _know(self, connection: AsyncConnection, batches: Sequence[ReceivedBatch]) -> None:
        """Bring the numbers of streams that are known to the database into the cache."""
        wanted = {item.batch.stream_id for item in batches}
        if len(self._streams) + len(wanted) > MAX_CACHED:
            self._streams.clear()
        unknown = wanted - self._streams.keys()
        if unknown:
            self._streams.update(await sql_ledger_rows.find_streams(connection, sorted(unknown)))

    async def _open(self, connection: AsyncConnection, batches: Sequence[ReceivedBatch]) -> dict[str, StreamBook]:
        """Return the books of the streams of some batches, with what the database has near them."""
        known_ids = [stream_id for stream_id in _ids(batches) if stream_id in self._streams]
        rows = {self._streams[stream_id]: BookRows() for stream_id in known_ids}
        windows = [
            Window(self._streams[item.batch.stream_id], SeqRange(item.batch.first_seq, item.batch.last_seq))
            for item in batches
            if item.batch.stream_id in self._streams
        ]
        if windows:
            await sql_ledger_rows.read_covered(connection, windows, rows)
            known = [one for one in windows if ranges.intersect([one.range], sorted(rows[one.stream_ref].covered))]
            await sql_ledger_rows.read_details(connection, known, rows)
            await self._read_boots(connection, batches, rows, {one.stream_ref for one in known})
        return {
            stream_id: StreamBook(rows[self._streams[stream_id]] if stream_id in self._streams else BookRows())
            for stream_id in _ids(batches)
        }

    async def _read_boots(
        self,
        connection: AsyncConnection,
        batches: Sequence[ReceivedBatch],
        rows: Mapping[int, BookRows],
        known: set[int],
    ) -> None:
        """Fill in the hulls of boots: from the cache where that is enough, for a hull only ever grows."""
        wanted = known | {
            self._streams[item.batch.stream_id]
            for item in batches
            if item.batch.stream_id in self._streams and not self._is_inside(item)
        }
        await sql_ledger_rows.read_boots(connection, {ref: rows[ref] for ref in wanted})
        if len(self._hulls) + len(wanted) > MAX_CACHED:
            self._hulls.clear()
        for ref, one in rows.items():
            if ref in wanted:
                self._hulls[ref] = dict(one.boots)
            else:
                one.boots = dict(self._hulls[ref])

    def _is_inside(self, item: ReceivedBatch) -> bool:
        """Tell whether every boot of a batch is known, and its numbers lie inside of the boot's hull."""
        hulls = self._hulls.get(self._streams[item.batch.stream_id])
        if hulls is None:
            return False
        return all(
            (known := hulls.get(boot)) is not None and ranges.intersect([hull], [known]) == [hull]
            for boot, hull in boot_hulls(item.batch.records).items()
        )

    async def _write(
        self, connection: AsyncConnection, books: Mapping[str, StreamBook], batches: Sequence[ReceivedBatch]
    ) -> None:
        changes = {self._streams[stream_id]: book.changes() for stream_id, book in books.items()}
        newest_ns: dict[int, int] = {}
        for item in batches:
            ref = self._streams[item.batch.stream_id]
            newest_ns[ref] = max(newest_ns.get(ref, 0), item.received_at_ns)
        await sql_ledger_rows.write_changes(connection, changes, newest_ns)
        for ref, one in changes.items():
            self._hulls.setdefault(ref, {}).update(one.boots)

    async def _sweep(self, connection: AsyncConnection, batches: Sequence[ReceivedBatch]) -> None:
        """Forget marks that are old, now and then."""
        self._commits += 1
        if self._commits % COMMITS_A_SWEEP == 0:
            newest_ns = max(item.received_at_ns for item in batches)
            await sql_ledger_rows.forget_marks(connection, newest_ns - MARKS_KEPT_NS)


def _ids(batches: Sequence[ReceivedBatch]) -> list[str]:
    return list(dict.fromkeys(item.batch.stream_id for item in batches))
