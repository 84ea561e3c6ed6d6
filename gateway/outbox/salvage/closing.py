"""Closes a database that was found damaged while it was open, and leaves its files as they lie.

SQLite brings the log into the file when the last connection is closed: over the older images of its pages. But work on
a damaged page, whose cells SQLite takes for what they are not, may have left out of the newer images what the older
ones still hold. So a reader stays until the writer is gone; a reader brings nothing into a file that it may not write.

Source: SQLite, "Write-Ahead Logging": closing the last connection; "WAL-mode File Format" 2.1: the wal-index header.
"""

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import structlog

_INDEX = struct.Struct("=II I BBH I")
"""The beginning of the log's index, in the order of bytes of this machine: version, nothing, count of changes,
is it made, order of bytes of checksums, page size, frames of the log that are committed."""
_VERSION = 3007000

log = structlog.get_logger()


def close_as_it_lies(db: sqlite3.Connection, path: Path) -> int | None:
    """Close the only connection of a damaged database without a byte of its file or its log being written.

    Args:
        db: the connection; what it has not committed is undone.
        path: database file.

    Returns:
        How many frames of the log are committed: what lies behind them was undone, and its numbers may have been given
        out again. None where that is not known.
    """
    frames = _committed_frames(path.with_name(path.name + "-shm"))
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
            _hold(reader)
            db.close()
    except sqlite3.Error as exc:
        # it is closed as always then: what the newer images hold is saved
        log.warning("outbox_log_not_kept", path=str(path), cause=str(exc))
        db.close()
    return frames


def _hold(reader: sqlite3.Connection) -> None:
    """Have a connection take the file's lock, which it keeps; that what it reads is damaged does not matter."""
    try:
        reader.execute("PRAGMA schema_version").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        log.info("outbox_reader_finds_damage", cause=str(exc))


def _committed_frames(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            head = file.read(_INDEX.size)
    except OSError:
        return None
    if len(head) < _INDEX.size:
        return None
    version, _, _, is_made, _, _, frames = _INDEX.unpack(head)
    return int(frames) if version == _VERSION and is_made == 1 else None
