"""Looks at the files of an outbox before SQLite may change them, and tells whether this is all that was committed.

Read only. Beside what SQLite itself would find (a broken tree), it finds what SQLite takes for sound: a log that it
would read only in part, a database that has gone back, a file that is empty, numbers that contradict each other.
"""

import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.errors import IntegrityError
from contracts.ids import split_stream_id
from gateway.outbox import database, tables
from gateway.outbox.database import BUSY_TIMEOUT_S, is_damage, version_of
from gateway.outbox.mark import Mark
from gateway.outbox.salvage.layout import HEADER_BYTES, MAGIC, RESERVED_AT, header_page_size
from gateway.outbox.salvage.sources import Source
from gateway.outbox.salvage.stowing import MAX_ID
from gateway.outbox.salvage.wal import Log, WalState, read_log

_FORMATS = frozenset({1, 2})
"""Write and read version of a file: with a rollback journal or with a log."""

_STORE_ID = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Damage.

    Attributes:
        cause: what is wrong, in plain words.
        committed_frames: frames of the log that are surely all that was committed; None where that is not known: then
            a last transaction that is broken had been committed, or may have been.
    """

    cause: str
    committed_frames: int | None = None


def inspect(path: Path, mark: Mark) -> Finding | None:
    """Return the damage of a database, None if it may be opened.

    Raises:
        OSError: the files cannot be read now.
        sqlite3.Error: the database cannot be opened now, for a reason that is not damage.
    """
    log, main_size, header = _logged(path)
    cause = _trouble_outside(log, main_size, header, mark)
    if cause or main_size == 0:
        return Finding(cause) if cause else None
    try:
        return _read_only(path, mark)
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        if is_damage(exc):
            return Finding(str(exc))
        if _is_being_made(exc):
            return None
        raise


def _trouble_outside(log: Log, main_size: int, header: bytes, mark: Mark) -> str:
    """Return what is wrong that can be told without reading the database, empty if nothing is."""
    if main_size == 0 and (log.frames or mark.streams):
        return "the database file is missing or empty, its log or its mark is not"
    if header[:16] == MAGIC and not {*header[18:20]} <= _FORMATS:
        # SQLite would open it read only, for ever
        return "the header names a format of the file that this program never wrote"
    if header[:16] == MAGIC and any(header[RESERVED_AT : RESERVED_AT + 1]):
        # SQLite believes it: it would find rows and where they go on at other places, and work on what it finds
        return "the header reserves a part of each page, which this program never did"
    if log.state is WalState.DAMAGED:
        return "the log is damaged before its last transaction"
    if log.state is WalState.TORN and not mark.is_sure:
        return "the last transaction of the log is broken, and the mark cannot tell whether it was committed"
    return ""


def _is_being_made(error: Exception) -> bool:
    """Tell whether the power was cut while the database was made: its rollback journal waits for one who may write."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY


def _logged(path: Path) -> tuple[Log, int, bytes]:
    with Source(path) as main, Source(path.with_name(path.name + "-wal")) as wal:
        header = main.read(0, HEADER_BYTES)
        return read_log(wal.read, wal.size, header_page_size(header)), main.size, header


def _read_only(path: Path, mark: Mark) -> Finding | None:
    # a connection that may write would bring the log into the file when it is closed
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        version, is_confirmed = version_of(db)
        if not is_confirmed:
            return Finding(f"the schema's version {version} contradicts the application id")
        if path.stat().st_size <= database.FULL_CHECK_MAX_BYTES:
            (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                return Finding(str(answer))
        if version == 1:
            return None
        if not _schema_of_this_version() <= _schema(db):
            return Finding("the schema is not what was written")
        return _contradiction(db, mark)
    finally:
        db.close()


def _schema(db: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Return (name, statement) of tables and indexes, but those that a migration empties and drops."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'old%'")
    return frozenset((str(name), str(sql)) for name, sql in rows)


@cache
def _schema_of_this_version() -> frozenset[tuple[str, str]]:
    db = database.open_in_memory()
    try:
        return _schema(db)
    finally:
        db.close()


def _contradiction(db: sqlite3.Connection, mark: Mark) -> Finding | None:
    try:
        rows = tables.stream_rows(db)
    except IntegrityError as exc:
        return Finding(exc.cause)
    known = {stream_id: next_seq for _, stream_id, _, next_seq, _, _ in rows}
    gone_back = [
        name
        for name, numbers in mark.streams.items()
        if numbers.is_current and not _is_at_least(known.get(name), numbers.next_seq)
    ]
    highest_ids = db.execute(
        "SELECT (SELECT max(id) FROM batches), (SELECT max(id) FROM runs), "
        "(SELECT max(seq) FROM sqlite_sequence WHERE name = 'runs')"
    ).fetchone()
    if not all(item is None or _is_between(item, 0, MAX_ID) for item in highest_ids):
        return Finding("a row has a number that leaves none for the next")
    store = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
    if store is not None and not (isinstance(store[0], str) and _STORE_ID.fullmatch(store[0])):
        return Finding("the id of the store is not what was written")
    for key, stream_id, is_current, next_seq, _, _ in rows:
        cause = ""
        if is_current and (store is None or split_stream_id(stream_id)[2] != store[0]):
            cause = "a stream is not of this database"
        highest = db.execute("SELECT max(first_seq) FROM batches WHERE stream = ?", (key,)).fetchone()[0]
        if not cause and not _is_at_least(next_seq, (highest or 0) + 1):
            cause = f"the next number of {stream_id} is below numbers that were given out"
        if cause:
            return Finding(cause)
    if gone_back:
        return Finding(f"the database has gone back: {', '.join(gone_back)}")
    return None


def _is_between(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def _is_at_least(value: object, least: int) -> bool:
    return isinstance(value, int) and value >= least
