"""Makes durable what the outbox is about to build on: names of folders, and what a killed process left unwritten.

A file whose folder's name is lost is lost. And SQLite, opening a log that it finds, believes each whole transaction in
it, whether it reached the disk or only the kernel: after a kill in the middle of a commit it would tell a driver
"stored" of records that the next power cut takes. So everything is synced before the first answer.
"""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and its parents where they are missing, durably.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_left_behind(database: Path) -> None:
    """Sync what an earlier process wrote of a database and perhaps did not live to sync.

    Only while no connection is open: closing a file takes away the locks that this process has on it.

    Raises:
        OSError: the disk fails.
    """
    for file in (database, database.with_name(database.name + "-wal")):
        if file.exists():
            _sync(file)
    sync_folder(database.parent)
    if os.access(database.parent.parent, os.R_OK):  # else it was made by somebody else, whose name to keep it is
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
