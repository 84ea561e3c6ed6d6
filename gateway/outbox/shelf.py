"""The batches of one open database, kept in step with the totals of their streams. On the writer thread.

Every change of a batch goes through here: written, joined, replaced inside its range, set aside, deleted.
"""

import sqlite3
from collections import Counter
from dataclasses import replace
from typing import Protocol

import structlog

from contracts.errors import IntegrityError
from gateway.outbox import packing, tables
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.quarantine import SetAside
from gateway.outbox.salvage.carving import Found, prove
from gateway.outbox.salvage.rows import row_of
from gateway.outbox.streams import Stream, Streams

log = structlog.get_logger()


class SideFile(Protocol):
    """Where batches are set aside; see ``quarantine.Quarantine``."""

    def put(self, item: SetAside) -> None:
        """Keep a batch.

        Raises:
            OSError: it cannot be kept now.
        """
        ...

    def count(self) -> int:
        """Return how many are kept."""
        ...


class Shelf:
    """See the module.

    Args:
        db: the connection, inside a transaction of the caller's whenever something changes.
        owner: site id and gateway id.
        quarantine: where refused and damaged batches go.

    Attributes:
        db: the connection.
        streams: their streams.
        next_id: id of the next batch; never used twice while the gateway runs, because the uplink remembers ids.
        tally: what is to be counted once the transaction is on disk.
        damaged: (stream id, first, last) of batches found damaged, to be told once it is on disk.
    """

    def __init__(self, db: sqlite3.Connection, owner: tuple[str, str], quarantine: SideFile) -> None:
        self.db = db
        self._db = db
        self._quarantine = quarantine
        self.streams = Streams(db, *owner)
        self.next_id = tables.newest_id(db) + 1
        self.tally: Counter[str] = Counter()
        self.damaged: list[tuple[str, int, int]] = []

    def add(self, stream: Stream, row: BatchRow) -> int:
        """Write a batch; returns its id."""
        batch_id = self.next_id
        self.next_id += 1
        tables.add_batch(self._db, batch_id, row)
        self.streams.count(stream, row.last_seq - row.first_seq + 1, len(row.data))
        stream.take(row.first_seq, row.last_seq)
        return batch_id

    def replace(self, batch_id: int, row: BatchRow, new: BatchRow) -> BatchRow:
        """Give a batch another content inside its range; returns it."""
        tables.replace_batch(self._db, batch_id, new)
        self.streams.count(self.streams.by_key(row.stream), 0, len(new.data) - len(row.data))
        return new

    def remove(self, batch_id: int, row: BatchRow) -> None:
        """Delete a batch."""
        tables.remove_batch(self._db, batch_id)
        stream = self.streams.by_key(row.stream)
        self.streams.count(stream, row.first_seq - row.last_seq - 1, -len(row.data))
        stream.let_go(row.first_seq, row.last_seq)

    def absorb(self, before: tuple[int, BatchRow], joined: BatchRow, gone: tuple[int, BatchRow]) -> None:
        """Put the declaration of two neighbours (id, batch) in the place of the first and delete the second."""
        tables.remove_batch(self._db, gone[0])
        tables.replace_batch(self._db, before[0], joined)
        size_bytes = len(joined.data) - len(before[1].data) - len(gone[1].data)
        self.streams.count(self.streams.by_key(joined.stream), 0, size_bytes)

    def seal(self, stream: Stream) -> int:
        """Join what lies open of a stream and seal it; returns the number of batches made.

        The joined batch takes the place and the id of its first part, so that the order of ids stays that of age.
        """
        found = tables.open_batches(self._db, stream.key)
        ids = {row.first_seq: batch_id for batch_id, row in found}
        joined = packing.join([row for _, row in found])
        for parts, row in joined:
            batch_id = ids[row.first_seq]
            if len(parts) == 1:
                tables.seal_batch(self._db, batch_id)
                continue
            for part in parts[1:]:
                tables.remove_batch(self._db, ids[part.first_seq])
            tables.replace_batch(self._db, batch_id, row)
            self.streams.count(stream, 0, len(row.data) - sum(len(part.data) for part in parts))
        return len(joined)

    def read(self, batch_id: int, now_ns: int) -> BatchRow | None:
        """Return a batch, None if it is gone or cannot be read now.

        One whose row is damaged while its data prove themselves is put right. One whose data are damaged is set aside,
        and its range declared in its place.

        Raises:
            IntegrityError: more than this row is damaged (reason ``damaged``).
        """
        row = tables.batch(self._db, batch_id)
        if row is None:
            return None
        if packing.is_intact(row):
            self._check_index(batch_id, row)
            return row
        found = prove(row.data, ())
        if found is not None and found.batch.stream_id == row.stream_id and found.batch.first_seq == row.first_seq:
            return self._put_right(batch_id, row, found)
        row = self._within_neighbours(row)
        if not self._set_aside(row, packing.REASON_DAMAGED, now_ns):
            return None
        log.error("outbox_batch_damaged", stream_id=row.stream_id, first_seq=row.first_seq, last_seq=row.last_seq)
        self.tally["batches_damaged"] += 1
        self.damaged.append((row.stream_id, row.first_seq, row.last_seq))
        return self.replace(batch_id, row, packing.pack_gap(row, packing.REASON_DAMAGED))

    def refuse(self, batch_id: int, row: BatchRow, reason: str, now_ns: int) -> bool:
        """Set a batch aside that the cloud will never take, and declare its range; False if it cannot be done now.

        A declaration that is refused itself is only set aside: to declare it again would be refused again.
        """
        if not self._set_aside(row, reason, now_ns):
            return False
        self.tally["batches_refused"] += 1
        if row.content is Content.GAPS:
            self.remove(batch_id, row)
        else:
            self.replace(batch_id, row, packing.pack_gap(row, packing.REASON_REFUSED))
        return True

    def _check_index(self, batch_id: int, row: BatchRow) -> None:
        """Make sure that a receipt will find the batch: one that is not in the index would be sent for ever."""
        if not row.is_open and tables.find_batch(self._db, row.stream, row.first_seq, row.last_seq) != batch_id:
            raise IntegrityError("read batch", str(batch_id), "it is not in the index", "", "damaged")

    def _put_right(self, batch_id: int, row: BatchRow, found: Found) -> BatchRow:
        """Write a row anew from its data; ids and what is in the index stay."""
        self.tally["batches_put_right"] += 1
        log.warning("outbox_row_put_right", stream_id=row.stream_id, first_seq=row.first_seq)
        right = replace(row_of(found, row.stream), is_open=row.is_open)
        return self.replace(batch_id, row, right)

    def _within_neighbours(self, row: BatchRow) -> BatchRow:
        """Return a damaged row with an end that can be true: its own may be what is damaged."""
        stream = self.streams.by_key(row.stream)
        after = tables.next_first(self._db, row.stream, row.first_seq)
        highest = (after or stream.next_seq) - 1
        return row if row.last_seq <= highest else replace(row, last_seq=highest)

    def set_aside(self, item: SetAside) -> None:
        """Put a batch that is not here any more to those set aside.

        Raises:
            OSError: it cannot be kept now.
        """
        self._quarantine.put(item)

    def set_aside_count(self) -> int:
        """Return how many batches are set aside."""
        return self._quarantine.count()

    def _set_aside(self, row: BatchRow, reason: str, now_ns: int) -> bool:
        item = SetAside(row.stream_id, row.first_seq, row.last_seq, reason[:64], now_ns, row.data)
        try:
            self._quarantine.put(item)
        except OSError:
            # what cannot be kept as evidence now stays where it is: the next receipt or read tries again
            self.tally["quarantine_failures"] += 1
            return False
        return True
