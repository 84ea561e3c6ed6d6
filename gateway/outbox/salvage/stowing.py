"""Puts batches that were found into a new database, each number once."""

import sqlite3

from contracts.batch import Batch
from contracts.codec import decode_batch, encode_batch
from contracts.payloads import Gap
from gateway.outbox import packing, tables
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.salvage.carving import Found
from gateway.outbox.salvage.overlap_policy import merge
from gateway.outbox.salvage.ranges import Range, union
from gateway.outbox.salvage.rows import row_of

PART_BATCHES = 500
"""Batches a transaction."""
MAX_ID = 2**48
"""Ids above are of damaged rows: the next ones would run out of room."""


class Stower:
    """See the module.

    Args:
        db: the new database, in autocommit.
        room_bytes: batches that may be put in; what is more than that stays where it was found.

    Attributes:
        left_batches: batches for which there was no room.
    """

    def __init__(self, db: sqlite3.Connection, room_bytes: int) -> None:
        self._db = db
        self._room_bytes = room_bytes
        self._keys: dict[str, int] = {}
        self._in_transaction = 0
        self.left_batches = 0

    def put(self, found: Found, rowid: int = 0) -> None:
        """Put in a batch; of what is there already with the same first number both are kept, each number once.

        Args:
            found: the batch; those found earlier are newer.
            rowid: its id in the old database, which keeps the order of age; 0 if not known.
        """
        if len(found.data) > self._room_bytes:
            self.left_batches += 1
            return
        self._begin()
        row = row_of(found, self.key_of(found.batch.stream_id))
        there = self._row_at(row.stream, row.first_seq, row.stream_id)
        if there is None:
            self._add(row, rowid)
            return
        batch_id, old = there
        if _covers(old, row):
            return
        pieces = [] if _covers(row, old) else merge(self._batch(batch_id), found.batch)
        tables.remove_batch(self._db, batch_id)
        if not pieces:
            self._add(row, batch_id)
        for index, piece in enumerate(pieces):
            self.put(_found(piece), batch_id if index == 0 else 0)

    def key_of(self, stream_id: str) -> int:
        """Return the key of a stream, which is made if need be: it only drains here."""
        if stream_id not in self._keys:
            self._keys[stream_id] = tables.add_stream(self._db, stream_id, is_current=False, next_seq=1)
        return self._keys[stream_id]

    def part_overlaps(self) -> None:
        """Leave each number in one batch: batches with different first numbers may overlap."""
        for stream_id, key in self._keys.items():
            before: tuple[int, BatchRow] | None = None
            at = 0
            while there := self._row_from(key, at, stream_id):
                batch_id, row = there
                at = row.first_seq + 1
                if before is None or row.first_seq > before[1].last_seq:
                    before = there
                    continue
                self._begin()
                if _covers(before[1], row):
                    tables.remove_batch(self._db, batch_id)
                    continue
                pieces = merge(self._batch(batch_id), self._batch(before[0]))
                tables.remove_batch(self._db, before[0])
                tables.remove_batch(self._db, batch_id)
                for index, piece in enumerate(pieces):
                    self._add(row_of(_found(piece), key), before[0] if index == 0 else 0)
                at, before = before[1].first_seq, None

    def declare(self, stream_id: str, ranges: list[Range]) -> None:
        """Put in a declared gap for each range."""
        key = self.key_of(stream_id)
        for first, last in ranges:
            self._begin()
            self._add(packing.pack_declaration(key, stream_id, first, last, packing.REASON_DAMAGED), 0)

    def saved(self) -> dict[str, list[Range]]:
        """Return the ranges that lie in the new database, by stream id."""
        query = "SELECT first_seq, last_seq FROM batches WHERE stream = ? ORDER BY first_seq"
        return {name: union(self._db.execute(query, (key,))) for name, key in self._keys.items()}

    def finish(self, next_numbers: dict[str, int]) -> None:
        """Write the totals of the streams and commit; streams without a batch are forgotten."""
        self._begin()
        for name, key in self._keys.items():
            query = (
                "SELECT count(*), total(last_seq - first_seq + 1), total(length(data)) FROM batches WHERE stream = ?"
            )
            count, records, size_bytes = self._db.execute(query, (key,)).fetchone()
            if count:
                tables.write_stream(self._db, key, next_numbers[name], int(records), int(size_bytes))
            else:
                tables.remove_stream(self._db, key)
        self._db.execute("COMMIT")

    def _begin(self) -> None:
        if self._in_transaction >= PART_BATCHES:
            self._db.execute("COMMIT")
            self._in_transaction = 0
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        self._in_transaction += 1

    def _add(self, row: BatchRow, wanted_id: int) -> None:
        is_free = (
            0 < wanted_id < MAX_ID
            and not self._db.execute("SELECT 1 FROM batches WHERE id = ?", (wanted_id,)).fetchone()
        )
        tables.add_batch(self._db, wanted_id if is_free else tables.newest_id(self._db) + 1, row)
        self._room_bytes -= len(row.data)

    def _row_at(self, key: int, first_seq: int, stream_id: str) -> tuple[int, BatchRow] | None:
        there = self._row_from(key, first_seq, stream_id)
        return there if there and there[1].first_seq == first_seq else None

    def _row_from(self, key: int, first_seq: int, stream_id: str) -> tuple[int, BatchRow] | None:
        row = self._db.execute(
            "SELECT id, first_seq, last_seq, content, crc FROM batches WHERE stream = ? AND first_seq >= ? "
            "ORDER BY first_seq LIMIT 1",
            (key, first_seq),
        ).fetchone()
        if row is None:
            return None
        batch_id, first, last, content, crc = row
        return batch_id, BatchRow(key, stream_id, first, last, False, Content(content), False, 0, 0, "", crc, b"")

    def _batch(self, batch_id: int) -> Batch:
        (data,) = self._db.execute("SELECT data FROM batches WHERE id = ?", (batch_id,)).fetchone()
        return decode_batch(data)


def _covers(row: BatchRow, other: BatchRow) -> bool:
    """Tell whether nothing of ``other`` is missing in ``row``."""
    is_inside = row.first_seq <= other.first_seq and other.last_seq <= row.last_seq
    is_same = row.crc == other.crc and row.first_seq == other.first_seq and row.last_seq == other.last_seq
    return is_same or (is_inside and (row.content is Content.RECORDS or other.content is Content.GAPS))


def _found(batch: Batch) -> Found:
    records = sum(not isinstance(item.payload, Gap) for item in batch.records)
    return Found(batch, encode_batch(batch), records)
