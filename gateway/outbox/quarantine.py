"""Batches set aside on disk: refused by the cloud for ever, or damaged. Kept for a person to look at, within a cap.

A refused batch whose data is still here is not declared a gap: it may yet be repaired and sent. Once the cap pushes it
out nothing of it is left, and its range is declared. A damaged one is declared at once.
"""

import sqlite3

from gateway.outbox.tables import BatchRow

MAX_BATCHES = 1000
"""About 7 MB of ordinary batches: a whole day of one broken driver would not fit, and one shows the fault as well."""
MAX_BYTES = 32 * 1024 * 1024
"""A hundredth of the smallest card in use."""


def put(db: sqlite3.Connection, row: BatchRow, reason: str, now_ns: int, *, is_declared: bool) -> None:
    """Set a batch aside.

    Args:
        db: the database.
        row: the batch.
        reason: short snake_case word.
        now_ns: UTC ns.
        is_declared: its range has been declared a gap, or is one.
    """
    db.execute(
        "INSERT INTO quarantine (class, first_seq, last_seq, is_declared, reason, set_aside_at_ns, digest, data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.record_class.value, row.first_seq, row.last_seq, is_declared, reason[:64], now_ns, row.digest, row.data),
    )


def count(db: sqlite3.Connection) -> int:
    """Return how many batches are set aside."""
    return int(db.execute("SELECT count(*) FROM quarantine").fetchone()[0])


def push_out(db: sqlite3.Connection) -> list[tuple[str, int, int, bool]]:
    """Delete the oldest beyond the cap; returns (class, first_seq, last_seq, is_declared) of each."""
    gone: list[tuple[str, int, int, bool]] = []
    while True:
        number, size = db.execute("SELECT count(*), total(length(data)) FROM quarantine").fetchone()
        if number <= MAX_BATCHES and size <= MAX_BYTES:
            return gone
        row = db.execute(
            "SELECT id, class, first_seq, last_seq, is_declared FROM quarantine ORDER BY id LIMIT 1"
        ).fetchone()
        db.execute("DELETE FROM quarantine WHERE id = ?", (row[0],))
        gone.append((str(row[1]), int(row[2]), int(row[3]), bool(row[4])))
