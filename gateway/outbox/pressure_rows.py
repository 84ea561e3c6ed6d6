"""What making room asks of the database: which batch is next, and how full the file is. Decides nothing."""

import sqlite3
from dataclasses import dataclass

from gateway.outbox import tables
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow, is_intact
from gateway.outbox.space_policy import FileUse
from gateway.outbox.thinning import MINUTE_NS

MAX_WINDOW_BATCHES = 1024
"""Batches looked through for the end of a minute: two minutes at eight a second, twice what a group commit makes."""
MAX_WINDOW_RECORDS = 40_000
"""Records thinned together, some 40 MB of them in memory: two minutes at 330 a second. A feed that is busier is cut
there, and may keep two positions of a ship in the minute of the cut."""


@dataclass(frozen=True, slots=True)
class Brief:
    """A batch without its data."""

    batch_id: int
    first_seq: int
    last_seq: int
    is_open: bool
    content: Content
    is_time_known: bool
    at_ns: int
    mono_ns: int
    boot_id: str

    def minute(self) -> tuple[str, int]:
        """Return the minute of its first record."""
        return self.boot_id, self.mono_ns // MINUTE_NS


_BRIEF = (
    "SELECT id, first_seq, last_seq, is_open, content, is_time_known, oldest_at_ns, oldest_mono_ns, boot_id "
    "FROM batches WHERE stream = ? AND first_seq >= ? "
)


def oldest_with_records(db: sqlite3.Connection, stream: int, from_seq: int) -> Brief | None:
    """Return the first batch from a number on that holds more than gaps."""
    row = db.execute(_BRIEF + "AND content < 2 ORDER BY first_seq LIMIT 1", (stream, from_seq)).fetchone()
    return _brief(row) if row else None


def first_not_thinned(db: sqlite3.Connection, stream: int, from_seq: int) -> int | None:
    """Return the first number of the first batch from a number on that is not thinned, None if all are."""
    row = db.execute(_BRIEF + "AND content = 0 ORDER BY first_seq LIMIT 1", (stream, from_seq)).fetchone()
    return int(row[1]) if row else None


def behind_newest(db: sqlite3.Connection, stream: int) -> int:
    """Return a number that lies behind the beginning of every batch of a stream."""
    query = "SELECT first_seq FROM batches WHERE stream = ? ORDER BY first_seq DESC LIMIT 1"
    row = db.execute(query, (stream,)).fetchone()
    return int(row[0]) + 1 if row else 0


def next_window(db: sqlite3.Connection, stream: int, first_seq: int) -> list[Brief]:
    """Return the batches to thin together: from one that is not thinned to one of the next minute but one.

    Nothing where the stream does not reach so far: the minute is not over. Only sealed batches are looked at.
    """
    window: list[Brief] = []
    records = 0
    for row in db.execute(_BRIEF + "ORDER BY first_seq LIMIT ?", (stream, first_seq, MAX_WINDOW_BATCHES)):
        brief = _brief(row)
        if brief.is_open:
            break
        window.append(brief)
        records += brief.last_seq - brief.first_seq + 1
        # the first batch may reach into the minute of the second: both have to be over
        begun = window[min(1, len(window) - 1)].minute()
        is_over = brief.boot_id != begun[0] or brief.minute()[1] > begun[1]
        if is_over or records >= MAX_WINDOW_RECORDS or len(window) == MAX_WINDOW_BATCHES:
            return window
    return []


def gap_before(db: sqlite3.Connection, stream: int, first_seq: int) -> tuple[int, BatchRow] | None:
    """Return (id, batch) of the batch that ends right before a number, if it holds nothing but gaps and is intact."""
    row = db.execute(
        "SELECT id, last_seq, content FROM batches WHERE stream = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT 1",
        (stream, first_seq),
    ).fetchone()
    if row is None or row[1] != first_seq - 1 or row[2] != Content.GAPS:
        return None
    found = tables.batch(db, row[0])
    # a damaged one stays alone: it is set aside when it is read
    return (row[0], found) if found is not None and is_intact(found) else None


def mark_content(db: sqlite3.Connection, batch_id: int, content: Content) -> None:
    """Say what kind of content a batch has; the content stays."""
    db.execute("UPDATE batches SET content = ? WHERE id = ?", (content, batch_id))


_SIZES = ("page_count", "freelist_count", "page_size")


def file_use(db: sqlite3.Connection) -> FileUse:
    """Return the size of the file and of its pages in use, as the transaction sees them."""
    pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in _SIZES)
    return FileUse(pages * size, (pages - free) * size)


def hand_back(db: sqlite3.Connection, amount_bytes: int) -> None:
    """Cut unused pages off the file, so many bytes of them."""
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    for _ in range(max(1, amount_bytes // page_bytes)):
        # one page a statement: it returns a row without columns a page, and the module steps such a statement once
        db.execute("PRAGMA incremental_vacuum(1)")


def _brief(row: tuple[int, int, int, int, int, int, int, int, str]) -> Brief:
    return Brief(row[0], row[1], row[2], bool(row[3]), Content(row[4]), bool(row[5]), row[6], row[7], row[8])
