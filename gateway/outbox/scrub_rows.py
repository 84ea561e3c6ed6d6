"""The rows of batches as the table has them and as the index has them, each asked without the other."""

import sqlite3


def ids_from(db: sqlite3.Connection, batch_id: int, limit: int) -> list[tuple[int, int, int, int]]:
    """Return (id, stream, first_seq, size) of the batches above an id, as the table has them."""
    query = "SELECT id, stream, first_seq, length(data) FROM batches NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?"
    return db.execute(query, (batch_id, limit)).fetchall()


def entries_from(db: sqlite3.Connection, stream: int, first_seq: int, limit: int) -> list[tuple[int, int, int]]:
    """Return (stream, first_seq, id) of the batches behind a place of the index, as the index has them."""
    query = (
        "SELECT stream, first_seq, id FROM batches INDEXED BY batches_range WHERE (stream, first_seq) > (?, ?) "
        "ORDER BY stream, first_seq LIMIT ?"
    )
    return db.execute(query, (stream, first_seq, limit)).fetchall()


def entry_of(db: sqlite3.Connection, stream: int, first_seq: int) -> int | None:
    """Return the id that the index has for a first number."""
    query = "SELECT id FROM batches INDEXED BY batches_range WHERE stream = ? AND first_seq = ?"
    row = db.execute(query, (stream, first_seq)).fetchone()
    return int(row[0]) if row else None


def row_of(db: sqlite3.Connection, batch_id: int) -> tuple[int, int] | None:
    """Return (stream, first_seq) that the table has for an id."""
    row = db.execute("SELECT stream, first_seq FROM batches NOT INDEXED WHERE id = ?", (batch_id,)).fetchone()
    return (row[0], row[1]) if row else None


def is_sealed_behind(db: sqlite3.Connection, stream: int, first_seq: int) -> bool:
    """Tell whether a sealed batch lies behind a number of a stream."""
    query = "SELECT 1 FROM batches WHERE stream = ? AND first_seq > ? AND is_open = 0 LIMIT 1"
    return db.execute(query, (stream, first_seq)).fetchone() is not None
