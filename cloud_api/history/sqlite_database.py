"""Opens the history file: durability settings, schema versions, and SQLite's errors in our own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from contracts.errors import ConfigError, IntegrityError, LinkError

APPLICATION_ID = 0x50545248
"""``PTRH``: says in the file's header whose it is, so that no other SQLite file is written to by mistake."""
BUSY_TIMEOUT_S = 5.0
"""There is one writer; only a backup or a checkpoint can hold it up, for less than this."""

_REASONS = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_INTERRUPT: "interrupted",
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create the history and bring its schema up to date.

    Args:
        path: the file; its folder is made if absent.

    Raises:
        ConfigError: the path cannot be used, the file is another program's, or a newer version wrote it.
        LinkError: it cannot be opened now.
        IntegrityError: it is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError("open history", str(path), exc.strerror or str(exc), "check history.path") from exc
    with translated("open history", path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL: the receipt that follows a commit makes the gateway delete its only other copy
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # the log of a busy hour would otherwise stay on the disk for ever
            connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
            _upgrade(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing history for queries only.

    Raises:
        ConfigError: there is none, or its schema is not this program's.
        LinkError: it cannot be opened now.
        IntegrityError: it is damaged.
    """
    if not path.is_file():
        raise ConfigError("open history", str(path), "no such file", "start the store role once", "missing")
    with translated("open history", path):
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA query_only = ON")
            _check_version(connection, path, is_exact=True)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def translated(operation: str, path: Path) -> Iterator[None]:
    """Turn errors of SQLite into ours.

    Raises:
        IntegrityError: the file is damaged (reason ``damaged``).
        LinkError: anything else that the database says (reason: ``disk_full``, ``busy``, ``interrupted`` or
            ``database``).
    """
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            hint = "restore the newest backup beside it; the gateways keep what has no receipt"
            raise IntegrityError(operation, str(path), str(exc), hint, "damaged") from exc
        reason = _REASONS.get(code, "database")
        raise LinkError(operation, str(path), str(exc), "", reason) from exc


def schema_steps() -> list[str]:
    """Return the SQL of each schema version, the first being version 1."""
    folder = files("cloud_api.history") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    version = _check_version(connection, path, is_exact=False)
    for number, script in enumerate(schema_steps()[version:], start=version + 1):
        # one transaction a step: a crash leaves the version before it, whole
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {number};\nCOMMIT;"
        )


def _check_version(connection: sqlite3.Connection, path: Path, *, is_exact: bool) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and tables:
        raise ConfigError("open history", str(path), "not a PortTrack history", "check history.path", "foreign_file")
    newest = len(schema_steps())
    if version > newest or (is_exact and version != newest):
        cause = f"schema version {version}, this program knows {newest}"
        raise ConfigError("open history", str(path), cause, "run the matching program version", "schema_version")
    return int(version)
