"""The rows of the outbox: every statement that reads or writes them, and nothing that decides.

All functions run inside a transaction that the caller began. What is counted of a stream is kept by ``streams``.
"""

import sqlite3
import zlib
from collections.abc import Collection, Iterable
from typing import Any

from contracts.errors import IntegrityError
from contracts.records import RecordClass
from gateway.outbox.models import Content, Lane
from gateway.outbox.packing import BatchRow

MAX_RUNS_A_SOURCE = 8
"""Runs remembered of each source. A driver that said Hello ends every earlier run of its source (it holds the lock),
so that one would do; eight leave a trace for diagnosis."""

_INT64_MAX = 2**63 - 1


def clamp(number: int) -> int:
    """Bring a number from the wire into what a column can hold."""
    return max(-_INT64_MAX, min(_INT64_MAX, number))


def store_id(db: sqlite3.Connection) -> str:
    """Return the id of this database."""
    (value,) = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
    return str(value)


def stored_no(db: sqlite3.Connection, source: str, run_id: str) -> int:
    """Return the last number stored of a run, 0 if none."""
    row = db.execute("SELECT last_no FROM runs WHERE source = ? AND run_id = ?", (source, run_id)).fetchone()
    return int(row[0]) if row else 0


def remember_run(db: sqlite3.Connection, source: str, run_id: str, last_no: int) -> None:
    """Write the last number of a run; forgets runs beyond ``MAX_RUNS_A_SOURCE``."""
    changed = db.execute(
        "UPDATE runs SET last_no = ? WHERE source = ? AND run_id = ?", (last_no, source, run_id)
    ).rowcount
    if changed:
        return
    db.execute("INSERT INTO runs (source, run_id, last_no) VALUES (?, ?, ?)", (source, run_id, last_no))
    db.execute(
        "DELETE FROM runs WHERE source = ?1 AND id NOT IN "
        "(SELECT id FROM runs WHERE source = ?1 ORDER BY id DESC LIMIT ?2)",
        (source, MAX_RUNS_A_SOURCE),
    )


def newest_id(db: sqlite3.Connection) -> int:
    """Return the highest id of a batch, 0 if there is none."""
    return int(db.execute("SELECT ifnull(max(id), 0) FROM batches").fetchone()[0])


def add_batch(db: sqlite3.Connection, batch_id: int, row: BatchRow) -> None:
    """Write a batch under a new id."""
    db.execute(
        "INSERT INTO batches (id, stream, first_seq, last_seq, is_open, content, is_time_known, oldest_at_ns, "
        "oldest_mono_ns, boot_id, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch_id, row.stream, row.first_seq, row.last_seq, row.is_open, row.content, row.is_time_known,
            clamp(row.oldest_at_ns), clamp(row.oldest_mono_ns), row.boot_id, row.crc, row.data,
        ),
    )  # fmt: skip


def replace_batch(db: sqlite3.Connection, batch_id: int, row: BatchRow) -> None:
    """Give a batch another content; its id, stream and first number stay."""
    db.execute(
        "UPDATE batches SET last_seq = ?, is_open = ?, content = ?, is_time_known = ?, oldest_at_ns = ?, crc = ?, "
        "data = ? WHERE id = ?",
        (
            row.last_seq, row.is_open, row.content, row.is_time_known, clamp(row.oldest_at_ns), row.crc, row.data,
            batch_id,
        ),
    )  # fmt: skip


def seal_batch(db: sqlite3.Connection, batch_id: int) -> None:
    """Make an open batch a sealed one, as it is."""
    db.execute("UPDATE batches SET is_open = 0 WHERE id = ?", (batch_id,))


def remove_batch(db: sqlite3.Connection, batch_id: int) -> None:
    """Delete a batch."""
    db.execute("DELETE FROM batches WHERE id = ?", (batch_id,))


_INTEGERS = (0, 1, 3, 4, 5, 6, 7, 8, 9, 11)
_CONTENTS = frozenset(Content)
_COLUMNS = (
    "SELECT batches.id, stream, stream_id, first_seq, last_seq, is_open, content, is_time_known, oldest_at_ns, "
    "oldest_mono_ns, boot_id, batches.crc, data FROM batches JOIN streams ON streams.id = stream "
)


def batch(db: sqlite3.Connection, batch_id: int) -> BatchRow | None:
    """Return one batch, None if it is gone.

    Raises:
        IntegrityError: it is there and cannot be read, or its stream is not known (reason ``damaged``).
    """
    row = db.execute(_COLUMNS + "WHERE batches.id = ?", (batch_id,)).fetchone()
    if row is None and db.execute("SELECT 1 FROM batches WHERE id = ?", (batch_id,)).fetchone():
        raise IntegrityError("read batch", str(batch_id), "its stream is not known", "", "damaged")
    return _batch_row(row)[1] if row else None


def open_batches(db: sqlite3.Connection, stream: int) -> list[tuple[int, BatchRow]]:
    """Return the open batches of a stream with their ids, in order: they are always its newest."""
    found: list[tuple[int, BatchRow]] = []
    for row in db.execute(_COLUMNS + "WHERE stream = ? ORDER BY first_seq DESC", (stream,)):
        batch_id, item = _batch_row(row)
        if not item.is_open:
            break
        found.append((batch_id, item))
    return found[::-1]


def open_records(db: sqlite3.Connection, stream: int) -> int:
    """Return how many records of a stream lie open."""
    records = 0
    query = "SELECT first_seq, last_seq, is_open FROM batches WHERE stream = ? ORDER BY first_seq DESC"
    for first_seq, last_seq, is_open in db.execute(query, (stream,)):
        if not is_open:
            break
        records += last_seq - first_seq + 1
    return records


def find_batch(db: sqlite3.Connection, stream: int, first_seq: int, last_seq: int) -> int | None:
    """Return the id of the sealed batch with exactly this range, None if there is none."""
    row = db.execute(
        "SELECT id FROM batches WHERE stream = ? AND first_seq = ? AND last_seq = ? AND is_open = 0",
        (stream, clamp(first_seq), clamp(last_seq)),
    ).fetchone()
    return int(row[0]) if row else None


def sealed_of_stream(db: sqlite3.Connection, stream: int, limit: int) -> list[tuple[int, int]]:
    """Return (id, size) of the first sealed batches of a stream, in order."""
    query = "SELECT id, length(data) FROM batches WHERE stream = ? AND is_open = 0 ORDER BY first_seq LIMIT ?"
    return db.execute(query, (stream, limit)).fetchall()


def sealed_in_lane(
    db: sqlite3.Connection, lane: Lane, live_from: int, not_of: Collection[int], limit: int
) -> Iterable[tuple[int, int]]:
    """Return (id, size) of the first sealed batches of the live or the backlog lane, in order of writing.

    Args:
        db: the database.
        lane: which.
        live_from: id at which the live lane begins.
        not_of: streams that have a lane of their own.
        limit: at most so many.
    """
    where = "id >= ?" if lane is Lane.LIVE else "id < ?"
    marks = ", ".join("?" * len(not_of))
    query = (
        f"SELECT id, length(data) FROM batches WHERE {where} AND is_open = 0 AND stream NOT IN ({marks}) "  # noqa: S608 - literals and marks
        "ORDER BY id LIMIT ?"
    )
    return db.execute(query, (live_from, *not_of, limit))


def next_first(db: sqlite3.Connection, stream: int, first_seq: int) -> int | None:
    """Return the first number of the batch behind a number of a stream, None if there is none."""
    query = "SELECT first_seq FROM batches WHERE stream = ? AND first_seq > ? ORDER BY first_seq LIMIT 1"
    row = db.execute(query, (stream, first_seq)).fetchone()
    return int(row[0]) if row else None


def first_number(db: sqlite3.Connection, stream: int) -> int | None:
    """Return the lowest number of a stream that lies here, None if none does."""
    query = "SELECT first_seq FROM batches WHERE stream = ? ORDER BY first_seq LIMIT 1"
    row = db.execute(query, (stream,)).fetchone()
    return int(row[0]) if row else None


def last_number(db: sqlite3.Connection, stream: int, first_seq: int) -> int:
    """Return the last number of the batch that begins with a number; it is there."""
    query = "SELECT last_seq FROM batches WHERE stream = ? AND first_seq = ?"
    return int(db.execute(query, (stream, first_seq)).fetchone()[0])


def ranges(db: sqlite3.Connection, stream: int) -> Iterable[tuple[int, int]]:
    """Return the range of every batch of a stream, lowest first."""
    return db.execute("SELECT first_seq, last_seq FROM batches WHERE stream = ? ORDER BY first_seq", (stream,))


def oldest_of(db: sqlite3.Connection, stream: int) -> tuple[int, int, str] | None:
    """Return (oldest_at_ns, oldest_mono_ns, boot_id) of the first batch of a stream, None if it has none."""
    row = db.execute(
        "SELECT oldest_at_ns, oldest_mono_ns, boot_id FROM batches WHERE stream = ? ORDER BY first_seq LIMIT 1",
        (stream,),
    ).fetchone()
    return (int(row[0]), int(row[1]), str(row[2])) if row else None


def _batch_row(row: tuple[Any, ...]) -> tuple[int, BatchRow]:
    """Return (id, batch).

    Raises:
        IntegrityError: a column is not of the kind that was written (reason ``damaged``).
    """
    is_sound = all(isinstance(row[at], int) for at in _INTEGERS) and isinstance(row[10], str)
    if not is_sound or not isinstance(row[12], bytes) or not 0 < row[3] <= row[4] or row[6] not in _CONTENTS:
        raise IntegrityError("read batch", str(row[0]), "a column is not what was written", "", "damaged")
    return row[0], BatchRow(row[1], row[2], row[3], row[4], bool(row[5]), Content(row[6]), bool(row[7]), *row[8:])


def stream_rows(db: sqlite3.Connection) -> list[tuple[int, str, bool, int, int, int]]:
    """Return (id, stream_id, is_current, next_seq, records, bytes) of each stream.

    Raises:
        IntegrityError: a row is not what was written (reason ``damaged``).
    """
    query = "SELECT id, stream_id, is_current, next_seq, records, bytes, crc FROM streams ORDER BY id"
    found = db.execute(query).fetchall()
    for row in found:
        if row[-1] != crc_of_stream(*row[1:-1]):
            raise IntegrityError("read stream", str(row[1])[:120], "its row is not what was written", "", "damaged")
    return [(row[0], row[1], bool(row[2]), *row[3:-1]) for row in found]


def add_stream(db: sqlite3.Connection, stream_id: str, *, is_current: bool, next_seq: int) -> int:
    """Write a stream without batches; returns its key."""
    name = RecordClass(stream_id.rpartition(".")[2]).value
    crc = crc_of_stream(stream_id, is_current, next_seq, 0, 0)
    cursor = db.execute(
        "INSERT INTO streams (stream_id, class, is_current, next_seq, records, bytes, crc) "
        "VALUES (?, ?, ?, ?, 0, 0, ?)",
        (stream_id, name, is_current, next_seq, crc),
    )
    return int(cursor.lastrowid or 0)


def write_stream(db: sqlite3.Connection, key: int, next_seq: int, records: int, size_bytes: int) -> None:
    """Write the numbers of a stream."""
    stream_id, is_current = db.execute("SELECT stream_id, is_current FROM streams WHERE id = ?", (key,)).fetchone()
    crc = crc_of_stream(stream_id, is_current, next_seq, records, size_bytes)
    db.execute(
        "UPDATE streams SET next_seq = ?, records = ?, bytes = ?, crc = ? WHERE id = ?",
        (next_seq, records, size_bytes, crc, key),
    )


def crc_of_stream(stream_id: object, is_current: object, next_seq: object, records: object, size_bytes: object) -> int:
    """Return what a row of a stream is recognised by; of any values, because it is asked of damaged rows, too."""
    flag = int(is_current) if isinstance(is_current, int) else is_current
    return zlib.crc32(f"{stream_id} {flag} {next_seq} {records} {size_bytes}".encode())


def remove_stream(db: sqlite3.Connection, key: int) -> None:
    """Forget a stream that has no batches."""
    db.execute("DELETE FROM streams WHERE id = ?", (key,))
