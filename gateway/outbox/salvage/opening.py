"""Opens the outbox whatever state its files are in: looks first, salvages where it must, and then opens."""

import sqlite3
from pathlib import Path

from contracts.errors import IntegrityError, LinkError
from gateway.outbox.database import check_version, open_database
from gateway.outbox.durable_files import make_folder
from gateway.outbox.mark_file import mark_path, read_mark
from gateway.outbox.salvage import set_aside
from gateway.outbox.salvage.inspection import Finding, inspect
from gateway.outbox.salvage.models import Damage
from gateway.outbox.salvage.rescue import Case, salvage


def open_outbox(path: Path, owner: tuple[str, str]) -> tuple[sqlite3.Connection, list[Damage]]:
    """Open the database, making, migrating or salvaging it as needed.

    Args:
        path: database file.
        owner: site id and gateway id.

    Returns:
        The connection (autocommit; the caller begins and commits), and what was salvaged and is not told yet.

    Raises:
        LinkError: the files cannot be read or written now (disk full, permissions, I/O); try again later.
        SchemaTooNewError: a newer program wrote the database; nothing was changed.
    """
    try:
        make_folder(path.parent)
        set_aside.finish(path)
        check_version(path)
        finding = inspect(path, read_mark(mark_path(path)))
        if finding is None:
            try:
                return _opened(path), set_aside.untold(path)
            except IntegrityError as exc:
                finding = Finding(exc.cause)
        replace_damaged(path, owner, finding)
        return _opened(path), set_aside.untold(path)
    except (OSError, sqlite3.Error) as exc:
        hint = "check free space and permissions of data_dir"
        raise LinkError("open outbox", str(path), str(exc), hint, "disk") from exc
    except IntegrityError as exc:
        hint = "the disk itself may be failing: replace it"
        raise LinkError("open outbox", str(path), exc.cause, hint, "disk") from exc


def replace_damaged(path: Path, owner: tuple[str, str], finding: Finding) -> None:
    """Salvage a damaged database and put the new one in its place; no connection is open.

    Raises:
        OSError: the disk does not take it now; nothing is lost, the next start begins again.
        sqlite3.Error: the same.
    """
    mark = read_mark(mark_path(path))
    salvage(Case(path, owner, finding.cause, mark, finding.committed_frames))
    set_aside.finish(path)


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database that was looked at, and begin its log anew.

    What a killed process left in the log behind the last commit would lie there beyond what is written next, and look
    like the rest of a damaged transaction.
    """
    db = open_database(path)
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db
