import sqlite3
from pathlib import Path

import pytest

from contracts.errors import ConfigError, IntegrityError, LinkError
from gateway.outbox import database, tables


def make(path: Path) -> str:
    db = database.open_database(path)
    name = tables.store_id(db)
    tables.add_stream(db, f"puerto-test.gw-1.{name}.track", is_current=True, next_seq=42)
    db.close()
    return name


def test_a_new_database_has_an_id_of_16_hex_that_stays(tmp_path: Path) -> None:
    name = make(tmp_path / "data" / "outbox.db")
    assert len(name) == 16
    assert int(name, 16) >= 0
    db = database.open_database(tmp_path / "data" / "outbox.db")
    assert tables.store_id(db) == name
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA page_size").fetchone() == (database.PAGE_BYTES,)
    assert db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    db.close()


def test_a_damaged_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(IntegrityError):
        database.open_database(path)
    assert path.read_bytes() == b"not a database at all" * 500


def test_a_database_of_a_newer_program_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    make(path)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.execute(f"PRAGMA application_id = {database.APPLICATION | 99}")
    # the writer is still there, or was killed: its version may lie in its log only
    before = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in ("", "-wal")}
    with pytest.raises(database.SchemaTooNewError) as caught:
        database.open_database(path)
    assert before == {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in ("", "-wal")}
    newer.close()
    assert isinstance(caught.value, ConfigError)
    assert "99" in caught.value.cause
    assert "up to 2" in caught.value.cause
    assert list(tmp_path.glob("*.damaged-*")) == []


def test_a_version_that_its_copy_does_not_confirm_is_damage_and_no_newer_program(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    make(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 66")
    db.close()
    with pytest.raises(IntegrityError):
        database.open_database(path)


def test_a_folder_that_cannot_be_made_is_an_error_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError) as caught:
        database.open_database(tmp_path / "file" / "outbox.db")
    assert caught.value.reason == "disk"


def test_schema_files_are_numbered_without_holes() -> None:
    numbers = [int(file.name[:4]) for file in sorted(database.SCHEMA_DIR.glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
