"""The rows of the outbox: every statement that reads or writes them, and nothing that decides.

All functions run inside a transaction that the caller began; totals in ``streams`` change with the rows they count.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.records import RecordClass
from gateway.outbox.eviction import Candidate

MAX_RUNS_A_SOURCE = 8
"""Runs remembered of each source. A driver that said Hello ends every earlier run of its source (it holds the lock),
so that one would do; eight leave a trace for diagnosis."""

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with what is needed to judge it; times as its oldest record gave them."""

    record_class: RecordClass
    first_seq: int
    last_seq: int
    is_gap: bool
    is_time_known: bool
    oldest_at_ns: int
    oldest_mono_ns: int
    boot_id: str
    digest: str
    data: bytes


def clamp(number: int) -> int:
    """Bring a number from the wire into what a column can hold."""
    return max(-_INT64_MAX, min(_INT64_MAX, number))


def store_id(db: sqlite3.Connection) -> str:
    """Return the id of this database."""
    (value,) = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
    return str(value)


def next_numbers(db: sqlite3.Connection) -> dict[RecordClass, int]:
    """Return the next number of each class that has one."""
    return {RecordClass(name): number for name, number in db.execute("SELECT class, next_seq FROM streams")}


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


def add_pending(db: sqlite3.Connection, name: RecordClass, rows: Sequence[tuple[int, bytes]], next_seq: int) -> None:
    """Write records and the number that follows them."""
    db.executemany(
        "INSERT INTO pending (class, seq, data) VALUES (?, ?, ?)", ((name.value, seq, data) for seq, data in rows)
    )
    size = sum(len(data) for _, data in rows)
    db.execute(
        "INSERT INTO streams (class, next_seq, records, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (class) "
        "DO UPDATE SET next_seq = ?2, records = records + ?3, bytes = bytes + ?4",
        (name.value, next_seq, len(rows), size),
    )


def count_pending(db: sqlite3.Connection) -> dict[RecordClass, int]:
    """Return how many records of each class are not sealed yet."""
    return {
        RecordClass(name): count for name, count in db.execute("SELECT class, count(*) FROM pending GROUP BY class")
    }


def oldest_pending(db: sqlite3.Connection, name: RecordClass, limit: int) -> list[tuple[int, bytes]]:
    """Return the next records of a class that are to be sealed, in order."""
    return db.execute(
        "SELECT seq, data FROM pending WHERE class = ? ORDER BY seq LIMIT ?", (name.value, limit)
    ).fetchall()


def remove_pending(db: sqlite3.Connection, name: RecordClass, last_seq: int) -> None:
    """Delete the pending records up to ``last_seq``, and their share of the totals."""
    condition = "FROM pending WHERE class = ? AND seq <= ?"
    parameters = (name.value, last_seq)
    count, size = db.execute(f"SELECT count(*), total(length(data)) {condition}", parameters).fetchone()
    db.execute(f"DELETE {condition}", parameters)
    add_totals(db, name, -count, -int(size))


def add_totals(db: sqlite3.Connection, name: RecordClass, records: int, size_bytes: int) -> None:
    """Change the totals of a class."""
    db.execute(
        "UPDATE streams SET records = records + ?, bytes = bytes + ? WHERE class = ?", (records, size_bytes, name.value)
    )


def add_batch(db: sqlite3.Connection, row: BatchRow) -> int:
    """Write a batch and count it; returns its id."""
    cursor = db.execute(
        "INSERT INTO batches (class, first_seq, last_seq, is_alarm, is_gap, is_time_known, oldest_at_ns, "
        "oldest_mono_ns, boot_id, digest, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.record_class.value, row.first_seq, row.last_seq, row.record_class is RecordClass.ALARM, row.is_gap,
            row.is_time_known, clamp(row.oldest_at_ns), clamp(row.oldest_mono_ns), row.boot_id, row.digest, row.data,
        ),
    )  # fmt: skip
    add_totals(db, row.record_class, row.last_seq - row.first_seq + 1, len(row.data))
    return int(cursor.lastrowid or 0)


def replace_batch(db: sqlite3.Connection, batch_id: int, row: BatchRow) -> None:
    """Give a batch another content; id, class and range stay."""
    (size,) = db.execute("SELECT length(data) FROM batches WHERE id = ?", (batch_id,)).fetchone()
    db.execute(
        "UPDATE batches SET is_gap = ?, digest = ?, data = ? WHERE id = ?",
        (row.is_gap, row.digest, row.data, batch_id),
    )
    add_totals(db, row.record_class, 0, len(row.data) - size)


def remove_batch(db: sqlite3.Connection, batch_id: int, row: BatchRow) -> None:
    """Delete a batch and its share of the totals."""
    db.execute("DELETE FROM batches WHERE id = ?", (batch_id,))
    add_totals(db, row.record_class, row.first_seq - row.last_seq - 1, -len(row.data))


_COLUMNS = "class, first_seq, last_seq, is_gap, is_time_known, oldest_at_ns, oldest_mono_ns, boot_id, digest, data"


def batch(db: sqlite3.Connection, batch_id: int) -> BatchRow | None:
    """Return one batch, None if it is gone."""
    row = db.execute(f"SELECT {_COLUMNS} FROM batches WHERE id = ?", (batch_id,)).fetchone()  # noqa: S608 - a literal
    return _batch_row(row) if row else None


def find_batch(db: sqlite3.Connection, name: str, first_seq: int, last_seq: int) -> int | None:
    """Return the id of the batch with exactly this range, None if there is none."""
    row = db.execute(
        "SELECT id FROM batches WHERE class = ? AND first_seq = ? AND last_seq = ?",
        (name, clamp(first_seq), clamp(last_seq)),
    ).fetchone()
    return int(row[0]) if row else None


def next_batches(db: sqlite3.Connection, exclude: Collection[int], limit: int) -> list[tuple[int, int]]:
    """Return (id, size) of the batches to send next: alarms first, then by order of sealing."""
    chosen: list[tuple[int, int]] = []
    wanted = limit + len(exclude)
    for where in ("is_alarm = 1", "is_alarm = 0"):
        rows = db.execute(f"SELECT id, length(data) FROM batches WHERE {where} ORDER BY id LIMIT ?", (wanted,))  # noqa: S608 - two literals
        chosen += [(number, size) for number, size in rows if number not in exclude]
    return chosen[:limit]


def evictable(db: sqlite3.Connection) -> list[tuple[RecordClass, int, bool, int]]:
    """Return (class, id, is_time_known, oldest_at_ns) of the oldest batch of each class that still holds records."""
    found = []
    for name in RecordClass:
        row = db.execute(
            "SELECT id, is_time_known, oldest_at_ns FROM batches WHERE class = ? AND is_gap = 0 ORDER BY id LIMIT 1",
            (name.value,),
        ).fetchone()
        if row:
            found.append((name, int(row[0]), bool(row[1]), int(row[2])))
    return found


def candidates(db: sqlite3.Connection, now_ns: int | None) -> list[Candidate]:
    """Return what may be given up.

    Args:
        db: the database.
        now_ns: UTC ns by a clock that can be believed, else None: then nothing has an age.
    """
    return [
        Candidate(name, number, (now_ns - at_ns) / 1e9 if is_known and now_ns is not None else None)
        for name, number, is_known, at_ns in evictable(db)
    ]


def oldest_of(db: sqlite3.Connection, name: RecordClass) -> tuple[int, int, str] | None:
    """Return (oldest_at_ns, oldest_mono_ns, boot_id) of the first batch of a class, None if it has none."""
    row = db.execute(
        "SELECT oldest_at_ns, oldest_mono_ns, boot_id FROM batches WHERE class = ? ORDER BY first_seq LIMIT 1",
        (name.value,),
    ).fetchone()
    return (int(row[0]), int(row[1]), str(row[2])) if row else None


def stream_totals(db: sqlite3.Connection) -> Iterable[tuple[RecordClass, int, int, int]]:
    """Return (class, next_seq, records, bytes) of each class."""
    for name, next_seq, records, size in db.execute("SELECT class, next_seq, records, bytes FROM streams"):
        yield RecordClass(name), next_seq, records, size


def used_bytes(db: sqlite3.Connection) -> int:
    """Return the size of the pages in use."""
    values = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")]
    return int((values[0] - values[1]) * values[2])


def _batch_row(row: tuple[Any, ...]) -> BatchRow:
    return BatchRow(RecordClass(row[0]), row[1], row[2], bool(row[3]), bool(row[4]), *row[5:])
