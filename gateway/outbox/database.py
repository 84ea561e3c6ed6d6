"""Opens the outbox database: pragmas, schema, versions.

A damaged database is no reason not to start, and none to delete it; that is ``salvage``'s, which opens through this
module. A database of a newer program is not damage: it is left as it is, and said.
"""

import secrets
import sqlite3
from pathlib import Path

from contracts.errors import ConfigError, IntegrityError, LinkError
from gateway.outbox.durable_files import prepare_folder

SCHEMA_DIR = Path(__file__).parent / "schema"
PAGE_BYTES = 512
"""A commit writes each page that it touches whole: ten of them, mostly for one row each. At 75 messages/s and a commit
every 100 ms a byte of payload is written 1.9 times with these pages and 2.7 times with 1 KiB; every 250 ms 0.9 and 1.2
times (3.0 with SQLite's own 4 KiB). What a large batch costs more system calls is a tenth of its time. See ADR 0101."""
CHECKPOINT_PAGES = 8000
"""Length of the write-ahead log, 4 MB: what is acknowledged within it never reaches the database file."""
FULL_CHECK_MAX_BYTES = 64 * 1024 * 1024
"""Databases up to this size are checked whole at the start (about 2 s on an SD card); larger ones would hold up the
start for minutes: there every batch is checked when it is read, and by a slow scrub."""
WAL_LIMIT_BYTES = 8 * 1024 * 1024
"""The write-ahead log is cut back to this after a checkpoint, so that one burst does not keep the space for ever. Above
its usual length: a log that keeps its size is synced without a change of the file's own record."""
REPACK_MAX_BYTES = 16 * 1024 * 1024
"""A database of an earlier version with other pages is written anew while no more than this is in use; a fuller one
keeps its pages until a start that finds it drained."""
BUSY_TIMEOUT_S = 2.0
"""Only a technician's tool can hold a lock: the gateway has one connection."""


APPLICATION = 0x50540000
"""With the version in its low bits this is the file's application id: the version a second time, so that a flipped bit
is not taken for a newer program."""

_DAMAGE_WORDS = ("Could not decode", "no such ", "unsupported file format")
"""Errors without a code of their own: text that is not UTF-8; a schema or a header that is not what was written."""


class SchemaTooNewError(ConfigError):
    """The database was written by a newer program; it is left as it is. Install that program, or move the file."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database, making it or bringing its schema up to date as needed.

    Rows of an earlier version may still wait to be moved: see ``migration``.

    Returns:
        The connection, in autocommit; the caller begins and commits.

    Raises:
        IntegrityError: the file is damaged (reason ``damaged``).
        LinkError: the file cannot be opened or made now (disk full, permissions, I/O); try again later.
        SchemaTooNewError: a newer program wrote it; nothing was changed.
    """
    check_version(path)
    try:
        prepare_folder(path)
        return _open_checked(path)
    except (OSError, sqlite3.Error) as exc:
        hint = "check free space and permissions of data_dir"
        raise LinkError("open outbox", str(path), str(exc), hint, "disk") from exc


def open_in_memory() -> sqlite3.Connection:
    """Make a database that no file holds, with a store id of its own."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA page_size = 1024")
    _bring_up_to_date(connection)
    return connection


def check_version(path: Path) -> None:
    """Refuse a database that a newer program wrote; reads only, and leaves what cannot be read to the opening.

    Raises:
        SchemaTooNewError: it is of a newer version.
    """
    try:
        if not path.exists():
            return
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        try:
            version, is_confirmed = version_of(connection)
        finally:
            connection.close()
    except (OSError, sqlite3.Error, UnicodeDecodeError):
        return
    newest = _schema_files()[-1][0]
    if version > newest and is_confirmed:
        cause = f"it has schema version {version}, this program knows up to {newest}"
        hint = "install the program that wrote it, or move outbox.db* away to begin anew; the file was not changed"
        raise SchemaTooNewError("open outbox", str(path), cause, hint, "schema_too_new")


def is_damage(error: Exception) -> bool:
    """Tell whether an error says that the file itself is broken, as against full, locked or out of reach.

    One that cannot be read is of a schema that SQLite quotes and that is no text any more.
    """
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code == sqlite3.SQLITE_ERROR:
        return str(error).startswith(_DAMAGE_WORDS)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def repack(connection: sqlite3.Connection) -> bool:
    """Write a small database of an earlier version anew, with the pages that this version would make it with.

    Raises:
        sqlite3.Error: it could not be done; the database is as it was.
    """
    sizes = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
    ]
    page_bytes, pages, free_pages = sizes
    if page_bytes == PAGE_BYTES or (pages - free_pages) * page_bytes > REPACK_MAX_BYTES:
        return False
    try:
        # pages cannot change their size under a write-ahead log
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA journal_mode = WAL")
    return True


def _open_checked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            # only now do they have their effect; later the second would still write a page at each opening
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        _bring_up_to_date(connection)
        connection.execute("SELECT stream_id, next_seq, records, bytes FROM streams").fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
        connection.close()
        if is_damage(exc):
            raise IntegrityError("open outbox", str(path), str(exc), "", "damaged") from exc
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _schema_files() -> list[tuple[int, Path]]:
    return [(int(file.name[:4]), file) for file in sorted(SCHEMA_DIR.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Apply the numbered files that the database has not seen, each in one transaction with its version."""
    version, is_confirmed = version_of(connection)
    if not is_confirmed or version > _schema_files()[-1][0]:
        raise IntegrityError("open outbox", "schema", f"its version {version} contradicts its id", "", "damaged")
    for number, file in _schema_files():
        if number > version:
            script = file.read_text(encoding="utf-8")
            versions = f"PRAGMA user_version = {number};\nPRAGMA application_id = {APPLICATION | number};"
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{versions}\nCOMMIT;")
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('store_id', ?)", (secrets.token_hex(8),))


def version_of(connection: sqlite3.Connection) -> tuple[int, bool]:
    """Return the version of the schema, and whether the application id says the same; version 1 had none."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return version, application == (APPLICATION | version if version > 1 else 0)
