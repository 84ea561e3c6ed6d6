"""The ledger of all streams in the operations database, SQLite or PostgreSQL.

One transaction a group of batches. A stream is held from before its rows are read until the commit: on PostgreSQL by a
lock on its row, taken in order of stream so that workers never wait in a ring; on SQLite by the write lock of the file,
taken at the beginning. Read committed is enough: whoever has the lock reads what the one before has committed.

Several groups of one process may be at work, so what is cached is only what was committed: numbers of streams, which
never change, and hulls of boots, which only grow or become part of the folded one. An old view of them costs a read, or
makes a row again that had been folded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history import ranges, sql_ledger_rows
from cloud_api.history.ledger_policy import BookRows, StreamBook, boot_hulls
from cloud_api.history.models import CommitOutcome, CommitPlan, ReceivedBatch, SeqRange
from cloud_api.history.sql_ledger_boots import fold_boots
from cloud_api.history.sql_ledger_rows import Window
from cloud_api.operations.database import OperationsDatabase

MARKS_KEPT_NS = 3600 * 10**9
"""How long the mark of each record is kept after it was received. A resend follows within seconds of a lost receipt;
at 2,000 records a second an hour is 29 MB. What comes later is told by its boot."""
COMMITS_A_SWEEP = 64
"""Commits between two deletions of old marks: about a minute of a quiet port."""
MAX_CACHED = 65_536
"""Streams kept in memory, each with the hulls of the boots that its last batches named, hardly ever more than one:
13,000 gateways of five; beyond it all are read anew."""

Hulls = dict[int, SeqRange]


@dataclass(frozen=True, slots=True)
class _Opened:
    """Books of the streams of some batches.

    Attributes:
        refs: numbers of the streams that are known to the database.
        books: by stream id.
        hulls: of boots of a stream, by its number, as the database has them: those that its batches name at least.
    """

    refs: dict[str, int]
    books: dict[str, StreamBook]
    hulls: dict[int, Hulls]


class SqlStreamLedger:
    """``StreamLedger`` on the operations database.

    Args:
        database: migrated.
    """

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database
        self._refs: dict[str, int] = {}
        self._hulls: dict[int, Hulls] = {}
        self._commits = 0

    async def plan(self, batches: Sequence[ReceivedBatch]) -> list[CommitPlan]:
        """See ``StreamLedger``."""
        async with self._database.reading("plan commit") as connection:
            opened = await self._open(connection, batches, await self._find(connection, batches))
        self._remember(opened)
        return [opened.books[item.batch.stream_id].take(item) for item in batches]

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """See ``StreamLedger``."""
        if not batches:
            return []
        async with self._database.transaction("commit ledger") as connection:
            refs = await self._find(connection, batches)
            unknown = set(_ids(batches)) - refs.keys()
            if unknown:
                await sql_ledger_rows.make_streams(connection, unknown)
                refs |= await sql_ledger_rows.find_streams(connection, sorted(unknown))
            await sql_ledger_rows.lock_streams(connection, refs.values())
            opened = await self._open(connection, batches, refs)
            outcomes = [opened.books[item.batch.stream_id].take(item).outcome for item in batches]
            await _write(connection, opened, batches)
            await self._sweep(connection, batches)
        self._remember(opened)
        return outcomes

    def _remember(self, opened: _Opened) -> None:
        """Keep what the database has for certain: called after the transaction."""
        if len(self._refs) + len(opened.refs) > MAX_CACHED:
            self._refs.clear()
        if len(self._hulls) + len(opened.hulls) > MAX_CACHED:
            self._hulls.clear()
        self._refs.update(opened.refs)
        self._hulls.update(opened.hulls)

    async def _find(self, connection: AsyncConnection, batches: Sequence[ReceivedBatch]) -> dict[str, int]:
        """Return the numbers of the streams that the database knows."""
        found = {stream_id: self._refs[stream_id] for stream_id in _ids(batches) if stream_id in self._refs}
        unknown = sorted(set(_ids(batches)) - found.keys())
        return found | await sql_ledger_rows.find_streams(connection, unknown) if unknown else found

    async def _open(
        self, connection: AsyncConnection, batches: Sequence[ReceivedBatch], refs: dict[str, int]
    ) -> _Opened:
        """Open the books of some batches with what the database has near them."""
        rows = {ref: BookRows() for ref in refs.values()}
        present = [item for item in batches if item.batch.stream_id in refs]
        hulls: dict[int, Hulls] = {}
        if present:
            windows = [
                Window(refs[item.batch.stream_id], SeqRange(item.batch.first_seq, item.batch.last_seq))
                for item in present
            ]
            await sql_ledger_rows.read_covered(connection, windows, rows)
            known = [one for one in windows if ranges.intersect([one.range], sorted(rows[one.stream_ref].covered))]
            await sql_ledger_rows.read_details(connection, known, rows)
            cached = {ref: self._hulls.get(ref, {}) for ref in rows}
            named: dict[int, set[int]] = {ref: set() for ref in rows}
            wanted = {one.stream_ref for one in known}
            for item in present:
                ref, boots = refs[item.batch.stream_id], boot_hulls(item.batch.records)
                named[ref] |= boots.keys()
                if not _are_inside(boots, cached[ref]):
                    wanted.add(ref)
            await sql_ledger_rows.read_boots(connection, {ref: named[ref] for ref in wanted}, rows)
            for ref, one in rows.items():
                if ref not in wanted:
                    one.boots = dict(cached[ref])
            hulls = {ref: dict(one.boots) for ref, one in rows.items()}
        books = {
            stream_id: StreamBook(rows[refs[stream_id]] if stream_id in refs else BookRows())
            for stream_id in _ids(batches)
        }
        return _Opened(refs, books, hulls)

    async def _sweep(self, connection: AsyncConnection, batches: Sequence[ReceivedBatch]) -> None:
        """Forget marks that are old, now and then."""
        self._commits += 1
        if self._commits % COMMITS_A_SWEEP == 0:
            newest_ns = max(item.received_at_ns for item in batches)
            await sql_ledger_rows.forget_marks(connection, newest_ns - MARKS_KEPT_NS)


async def _write(connection: AsyncConnection, opened: _Opened, batches: Sequence[ReceivedBatch]) -> None:
    changes = {opened.refs[stream_id]: book.changes() for stream_id, book in opened.books.items()}
    newest_ns: dict[int, int] = {}
    for item in batches:
        ref = opened.refs[item.batch.stream_id]
        newest_ns[ref] = max(newest_ns.get(ref, 0), item.received_at_ns)
    await sql_ledger_rows.write_changes(connection, changes, newest_ns)
    grown = [ref for ref, one in changes.items() if one.boots.keys() - opened.hulls.get(ref, {}).keys()]
    await fold_boots(connection, grown)
    for ref, one in changes.items():
        opened.hulls.setdefault(ref, {}).update(one.boots)


def _are_inside(boots: Hulls, hulls: Hulls) -> bool:
    """Tell whether every boot of a batch is known, and its numbers lie inside of the boot's hull."""
    return all(
        (known := hulls.get(boot)) is not None and ranges.intersect([hull], [known]) == [hull]
        for boot, hull in boots.items()
    )


def _ids(batches: Sequence[ReceivedBatch]) -> list[str]:
    return list(dict.fromkeys(item.batch.stream_id for item in batches))
