"""The statements of the moving between memory and disk. Decides nothing."""

import sqlite3


def all_ids(db: sqlite3.Connection) -> list[int]:
    """Return the ids of all batches, oldest first."""
    return [int(row[0]) for row in db.execute("SELECT id FROM batches ORDER BY id")]


def ranges_within(db: sqlite3.Connection, stream: int, first_seq: int, last_seq: int) -> list[tuple[int, int]]:
    """Return (first, last) of each batch of a stream that shares a number with a range, in order."""
    # batches are disjoint, so that only the nearest that begins before can reach into it
    query = (
        "SELECT first_seq, last_seq FROM batches WHERE stream = ?1 AND first_seq <= ?3 AND first_seq >= coalesce(("
        "SELECT max(first_seq) FROM batches WHERE stream = ?1 AND first_seq <= ?2), ?2) AND last_seq >= ?2 "
        "ORDER BY first_seq"
    )
    return db.execute(query, (stream, first_seq, last_seq)).fetchall()


def ranges_of(db: sqlite3.Connection, stream: int, from_seq: int) -> list[tuple[int, int]]:
    """Return (first, last) of each batch of a stream that ends at a number or behind it, in order."""
    query = "SELECT first_seq, last_seq FROM batches WHERE stream = ? AND last_seq >= ? ORDER BY first_seq"
    return db.execute(query, (stream, from_seq)).fetchall()


def note_probe(db: sqlite3.Connection) -> None:
    """Change a row that means nothing: whoever does it learns whether the disk takes anything."""
    db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', hex(randomblob(4)))")
