"""A database that is found damaged while it is open: its files are salvaged as they lie."""

import sqlite3
from pathlib import Path

import pytest

from gateway.outbox import tables
from gateway.outbox.database import open_database
from gateway.outbox.mark_file import mark_path
from gateway.outbox.salvage import images
from gateway.outbox.salvage.closing import close_as_it_lies
from gateway.outbox.salvage.inspection import Finding
from gateway.outbox.salvage.opening import open_outbox, replace_damaged
from gateway.outbox.salvage.wal import FRAME_HEADER_BYTES, HEADER_BYTES
from tests.gateway.outbox.salvage.test_opening import OWNER, contents, fill, put


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_log_stays_beside_the_file_that_it_would_overwrite(tmp_path: Path, *, is_kept: bool) -> None:
    """With its mutation proof: closed as always, the file is not what it was and the log is gone."""
    path = tmp_path / "outbox.db"
    fill(path)
    files = path, path.with_name("outbox.db-wal")
    db = open_database(path)
    db.execute("DELETE FROM batches WHERE first_seq < 60")
    before = [file.read_bytes() for file in files]
    if is_kept:
        close_as_it_lies(db, path)
    else:
        db.close()
    assert ([file.read_bytes() if file.exists() else b"" for file in files] == before) is is_kept


def test_it_is_closed_though_no_page_of_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    fill(path)
    db = open_database(path)
    path.write_bytes(b"\xee" * path.stat().st_size)
    close_as_it_lies(db, path)
    assert path.read_bytes() == b"\xee" * path.stat().st_size
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_rollback_has_left_in_the_log_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_known: bool, is_first: bool
) -> None:
    """Timeline: 121 to 320 are placed, written to the log, and undone; 121 to 130 are placed anew; damage is found.

    Where the undone transaction was the first of its round, the next one begins the log anew: with other salts.
    With its mutation proofs: where nobody knows what was committed, numbers above 130 come back, though a driver brings
    their records again under other numbers.
    """
    path = tmp_path / "outbox.db"
    name = fill(path)
    mark_path(path).unlink()
    db = open_database(path)
    db.execute("PRAGMA cache_size = 12")
    if not is_first:
        tables.remember_run(db, "ais", "run", 121)
    db.execute("BEGIN IMMEDIATE")
    for first in range(121, 321, 10):
        put(db, name, 1, first, first + 9)
    db.execute("ROLLBACK")
    db.execute("BEGIN IMMEDIATE")
    put(db, name, 1, 121, 130)
    tables.write_stream(db, 1, 131, 120, 1)
    db.execute("COMMIT")
    frames = close_as_it_lies(db, path)
    written = path.with_name("outbox.db-wal").stat().st_size - HEADER_BYTES
    assert frames is not None
    assert 0 < frames < written // (512 + FRAME_HEADER_BYTES)
    if is_first and not is_known:
        monkeypatch.setattr(images, "_not_undone", lambda earlier: earlier)
    replace_damaged(path, OWNER, Finding("found while it was open", frames if is_known or is_first else None))
    db, damages = open_outbox(path, OWNER)
    kept, _ = contents(db, name)
    assert set(range(121, 131)) <= set(kept)
    assert (max(kept) == 130) is is_known
    assert not is_known or [damage.lost for damage in damages] == [{}]
    db.close()
