"""Reads the whole database, a little at a time, so that damage is found while the rest of the disk still is well.

Each batch is read and checked, each row is looked for in the index and each entry of the index in the table: a subtree
that is gone from one of them is still in the other. Bounded work a step; a pass over 4 GB takes five hours.
"""

import sqlite3

from contracts.errors import IntegrityError
from gateway.outbox import scrub_rows, tables
from gateway.outbox.shelf import Shelf

STEP_BYTES = 256 * 1024
"""Read in a step, once a second: a hundredth of what a slow card reads, and two milliseconds of an append's wait."""
STEP_ROWS = 64
"""Rows in a step: a full transaction's worth of small ones."""
STEP_ENTRIES = 512
"""Entries of the index in a step."""


class Scrub:
    """One pass after another over an open database; on the writer thread, inside a transaction.

    Args:
        db: the database.
        shelf: its batches.

    Attributes:
        passes: passes that have ended.
    """

    def __init__(self, db: sqlite3.Connection, shelf: Shelf) -> None:
        self._db = db
        self._shelf = shelf
        self._row = 0
        self._entry: tuple[int, int] | None = None
        self.passes = 0

    def step(self, now_ns: int) -> bool:
        """Check what comes next.

        Args:
            now_ns: UTC ns, for what is set aside.

        Returns:
            Whether it was the last step of a pass.

        Raises:
            IntegrityError: table and index contradict each other, or a row cannot be read (reason ``damaged``).
            sqlite3.Error: SQLite found damage itself, or cannot read now.
        """
        if self._entry is None and self._check_rows(now_ns):
            return False
        if self._check_entries():
            return False
        self._row, self._entry = 0, None
        self.passes += 1
        return True

    def whole(self, now_ns: int) -> None:
        """Check everything now; see ``step``."""
        while not self.step(now_ns):
            pass

    def _check_rows(self, now_ns: int) -> bool:
        read_bytes = 0
        for batch_id, stream, first_seq, size_bytes in scrub_rows.ids_from(self._db, self._row, STEP_ROWS):
            if read_bytes >= STEP_BYTES:
                return True
            if scrub_rows.entry_of(self._db, stream, first_seq) != batch_id:
                raise _contradiction(f"the index does not know row {batch_id}")
            row = self._shelf.read(batch_id, now_ns)
            after = tables.next_first(self._db, row.stream, row.first_seq) if row is not None else None
            if row is not None and after is not None and row.last_seq >= after:
                raise _contradiction(f"row {batch_id} reaches into the next")
            if row is not None and row.is_open and scrub_rows.is_sealed_behind(self._db, row.stream, row.first_seq):
                # only the newest of a stream lie open: this one would never be offered
                tables.seal_batch(self._db, batch_id)
            self._row = batch_id
            read_bytes += size_bytes
        is_more = read_bytes > 0
        if not is_more:
            self._entry = (0, 0)
        return is_more

    def _check_entries(self) -> bool:
        entries = scrub_rows.entries_from(self._db, *(self._entry or (0, 0)), STEP_ENTRIES)
        for stream, first_seq, batch_id in entries:
            if scrub_rows.row_of(self._db, batch_id) != (stream, first_seq):
                raise _contradiction(f"the table does not know entry {stream}/{first_seq}")
            self._entry = stream, first_seq
        return bool(entries)


def _contradiction(cause: str) -> IntegrityError:
    return IntegrityError("scrub outbox", "batches", cause, "", "damaged")
