"""Writes the history: one thread, one transaction a group of batches, durable before it answers."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from cloud_api.history import sqlite_clock_sets, sqlite_coverage
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange
from cloud_api.history.series import ReferenceCache, SeriesKey, series_key
from cloud_api.history.sqlite_database import open_for_writing, translated
from cloud_api.history.sqlite_merging import store_known
from cloud_api.history.sqlite_retention import Expiry, expire_some
from contracts.ids import split_stream_id
from contracts.payloads import Gap
from contracts.records import ClockState, Record

_ENCODER = msgspec.json.Encoder()
_CLOCKS = {state: state.value for state in ClockState}
"""A look here costs a third of one at ``value``."""
_VALUE_ERRORS = (OverflowError, UnicodeEncodeError, sqlite3.DataError, sqlite3.IntegrityError)
"""What one batch's content can cause: numbers over 64 bit, text that is not Unicode, a number twice in a stream."""

_INSERT_POINT = """
    INSERT INTO points (stream_ref, seq, series_ref, observed_at_ns, clock_state, clock_error_ms, mono_ns, boot_ref,
                        payload, raw, mean_of, original_at_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class SqliteHistoryWriter:
    """``HistoryWriter`` on one SQLite file.

    Args:
        path: the file.

    Raises:
        ConfigError, LinkError, IntegrityError: as ``open_for_writing``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_for_writing(path)
        self._references = ReferenceCache()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history-writer")
        self._is_closed = False

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """See ``HistoryWriter``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, list(batches))

    async def expire(self, before_ns: int, max_bytes: int, minutes_before_ns: int = 0) -> Expiry:
        """See ``Forgetful``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._expire, before_ns, max_bytes, minutes_before_ns)

    async def close(self) -> None:
        """See ``HistoryWriter``."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._thread.shutdown(wait=True)

    def _expire(self, before_ns: int, max_bytes: int, minutes_before_ns: int) -> Expiry:
        with translated("expire batches", self._path):
            return expire_some(self._connection, before_ns, max_bytes, minutes_before_ns)

    def _commit(self, batches: list[ReceivedBatch]) -> list[CommitOutcome]:
        connection = self._connection
        with translated("commit batches", self._path):
            try:
                connection.execute("BEGIN IMMEDIATE")
                outcomes = [self._store_apart(item) for item in batches]
                sqlite_clock_sets.apply_some(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._references.clear()
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return outcomes

    def _store_apart(self, item: ReceivedBatch) -> CommitOutcome:
        """Store one batch so that what is wrong with it undoes it alone."""
        connection = self._connection
        connection.execute("SAVEPOINT batch")
        try:
            outcome = self._store(item)
        except _VALUE_ERRORS:
            self._references.clear()
            connection.execute("ROLLBACK TO batch")
            outcome = CommitOutcome.UNSTORABLE
        connection.execute("RELEASE batch")
        return outcome

    def _store(self, item: ReceivedBatch) -> CommitOutcome:
        connection, batch = self._connection, item.batch
        stream_ref = self._references.stream(connection, batch.stream_id)
        span = SeqRange(batch.first_seq, batch.last_seq)
        nearest = sqlite_coverage.nearest(connection, stream_ref, span)
        if nearest is not None and nearest.last_seq >= batch.first_seq:
            return store_known(
                connection, stream_ref, batch, item.received_at_ns,
                lambda records: self._insert_points(stream_ref, batch.stream_id, records),
            )  # fmt: skip
        points = []
        for record in batch.records:
            if isinstance(record.payload, Gap):
                reason, last_seq = record.payload.reason, record.last_seq()
                row = (stream_ref, record.seq, last_seq, reason, record.observed_at_ns)
                connection.execute(sqlite_coverage.INSERT_GAP, row)
                sqlite_coverage.declare(connection, stream_ref, reason, last_seq - record.seq + 1)
            else:
                points.append(record)
        self._insert_points(stream_ref, batch.stream_id, points)
        acknowledged = (stream_ref, batch.first_seq, batch.last_seq, item.received_at_ns)
        connection.execute(sqlite_coverage.INSERT_LEDGER, acknowledged)
        sqlite_coverage.append(connection, stream_ref, span, nearest)
        return CommitOutcome.COMMITTED

    def _insert_points(self, stream_ref: int, stream_id: str, records: list[Record]) -> None:
        site, gateway, _, _ = split_stream_id(stream_id)
        timed = sqlite_clock_sets.timed(self._connection, site, gateway, records)
        points = [self._point(stream_ref, series_key(site, gateway, record), record) for record in timed]
        self._connection.executemany(_INSERT_POINT, points)
        sqlite_clock_sets.note(self._connection, site, gateway, records)

    def _point(self, stream_ref: int, key: SeriesKey, record: Record) -> tuple[object, ...]:
        return (
            stream_ref,
            record.seq,
            self._references.series(self._connection, key),
            record.observed_at_ns,
            _CLOCKS[record.clock.state],
            record.clock.error_ms,
            record.mono_ns,
            self._references.boot(self._connection, record.boot_id),
            _ENCODER.encode(record.payload).decode(),
            record.raw,
            record.mean_of,
            record.original_at_ns,
        )
