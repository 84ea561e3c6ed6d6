"""Opens the outbox database: pragmas, schema, and what to do with a damaged file.

A damaged database is set aside, never deleted and never a reason not to start: what peers do there (delete it, or
refuse to run until someone comes) costs the backlog or the watch. The new database has a new store id, so its numbers
never continue those of the old one.
"""

import os
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import IntegrityError, LinkError

SCHEMA_DIR = Path(__file__).parent / "schema"
FULL_CHECK_MAX_BYTES = 64 * 1024 * 1024
"""Databases up to this size are checked whole at the start (about 2 s on an SD card); larger ones would hold up the
start for minutes: there every batch is checked by its digest when it is read."""
WAL_LIMIT_BYTES = 4 * 1024 * 1024
"""The write-ahead log is cut back to this after a checkpoint, so that one burst does not keep the space for ever."""
BUSY_TIMEOUT_S = 2.0
"""Only a technician's tool can hold a lock: the gateway has one connection."""
MAX_SET_ASIDE = 4
"""Damaged databases kept for diagnosis; beyond it the oldest is deleted, because they share the disk with the new."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A database that was set aside: where it is now, why, and the ranges that it held, as far as it could be read."""

    path: Path
    cause: str
    held: dict[str, int]


def open_database(path: Path) -> tuple[sqlite3.Connection, Damage | None]:
    """Open the database, making or migrating it as needed.

    Returns:
        The connection (autocommit; the caller begins and commits) and the damage found on the way, if any.

    Raises:
        LinkError: the file cannot be opened or made now (disk full, permissions, I/O); try again later.
    """
    damage: Damage | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return _open_checked(path), None
        except IntegrityError as exc:
            damage = set_aside(path, exc.cause)
        return _open_checked(path), damage
    except (OSError, sqlite3.Error) as exc:
        hint = "check free space and permissions of data_dir"
        raise LinkError("open outbox", str(path), str(exc), hint, "disk") from exc
    except IntegrityError as exc:
        hint = "the disk itself may be failing: replace it"
        raise LinkError("open outbox", str(path), exc.cause, hint, "disk") from exc


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the file itself is broken, as against full, locked or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path, cause: str) -> Damage:
    """Move a damaged database (with its log) out of the way, and read from it what can be read.

    Raises:
        OSError: the files cannot be renamed.
    """
    held = _ranges_held(path)
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.replace(aside.with_name(aside.name + suffix))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    _forget_oldest(path)
    return Damage(aside, cause, held)


def sync_folder(folder: Path) -> None:
    """Make names made or changed in a folder durable.

    Raises:
        OSError: the folder cannot be synced.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open_checked(path: Path) -> sqlite3.Connection:
    is_new = not path.exists()
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        if path.stat().st_size <= FULL_CHECK_MAX_BYTES:
            _check_whole(connection, path)
        _migrate(connection, path)
        connection.execute("SELECT class, next_seq, records, bytes FROM streams").fetchall()
    except sqlite3.DatabaseError as exc:
        connection.close()
        if is_damage(exc):
            raise IntegrityError("open outbox", str(path), str(exc), "", "damaged") from exc
        raise
    except BaseException:
        connection.close()
        raise
    if is_new:
        sync_folder(path.parent)
    return connection


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise IntegrityError("check outbox", str(path), str(answer), "", "damaged")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the numbered files that the database has not seen, each in one transaction with its version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    files = sorted(SCHEMA_DIR.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    newest = int(files[-1].name[:4])
    if version > newest:
        cause = f"schema version {version}, this program knows {newest}"
        raise IntegrityError("open outbox", str(path), cause, "", "schema_too_new")
    for file in files:
        number = int(file.name[:4])
        if number > version:
            script = file.read_text(encoding="utf-8")
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('store_id', ?)", (secrets.token_hex(8),))


def _ranges_held(path: Path) -> dict[str, int]:
    """Return the last number of each class in a damaged database, as far as it can be read."""
    held: dict[str, int] = {}
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    except sqlite3.Error:
        return held
    try:
        for name, next_seq in connection.execute("SELECT class, next_seq FROM streams"):
            held[str(name)] = int(next_seq) - 1
    except (sqlite3.Error, ValueError, TypeError):
        return held
    finally:
        connection.close()
    return held


def _forget_oldest(path: Path) -> None:
    kept = sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]"))
    for old in kept[:-MAX_SET_ASIDE]:
        old.unlink(missing_ok=True)
        old.with_name(old.name + "-wal").unlink(missing_ok=True)
