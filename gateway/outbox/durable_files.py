"""Makes durable what the outbox is about to build on: names of folders, and what a killed process left unwritten.

A file in a folder whose name is lost is lost. And SQLite, opening a log that it finds, believes each whole transaction
in it, whether it reached the disk or only the kernel: after a kill in the middle of a commit it would tell a driver
"stored" of records that the next power cut takes. So all of it is synced before the first answer. The database file
itself needs none: what a checkpoint copies into it stays in the log until SQLite has synced the copy.
"""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and its parents where they are missing; its own name is made durable by ``prepare_folder``.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
        sync_folder(folder.parent.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def prepare_folder(database: Path) -> None:
    """Make the folder of a database if need be, and sync its name and what an earlier process left in it.

    Only while no connection is open: closing a file takes away the locks that this process has on it.

    Raises:
        OSError: the folder cannot be made, or the disk fails.
    """
    make_folder(database.parent)
    log = database.with_name(database.name + "-wal")
    if log.exists():
        _sync(log)
    sync_folder(database.parent)
    if os.access(database.parent.parent, os.R_OK):  # else somebody else made this folder, and keeps its name
        sync_folder(database.parent.parent)


def sync_folder(folder: Path) -> None:
    """Make names made or changed in a folder durable.

    Raises:
        OSError: the folder cannot be synced.
    """
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
