"""What the opening makes of damaged files, and of a salvage that is cut off anywhere."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from contracts.batch import Batch
from contracts.codec import decode_batch, encode_batch
from contracts.errors import LinkError
from contracts.payloads import Gap
from contracts.records import RecordClass, record_from
from gateway.outbox import packing, tables
from gateway.outbox.database import open_database
from gateway.outbox.gaps import gap_record
from gateway.outbox.mark import Numbers
from gateway.outbox.mark_file import MarkFile, mark_path, read_mark
from gateway.outbox.salvage import set_aside
from gateway.outbox.salvage.carving import Found
from gateway.outbox.salvage.models import Damage
from gateway.outbox.salvage.opening import open_outbox
from gateway.outbox.salvage.rows import row_of
from tests.support.gateway_records import GATEWAY, SITE, ais, crane_cycle

OWNER = (SITE, GATEWAY)
OLD = Path(__file__).parents[1] / "old_databases" / "version_1.db"


def fill(path: Path, batches: int = 12) -> str:
    """Make a store with batches of ten, of which the third has its receipt; returns the name of its stream."""
    db = open_database(path)
    name = f"{SITE}.{GATEWAY}.{tables.store_id(db)}.track"
    key = tables.add_stream(db, name, is_current=True, next_seq=batches * 10 + 1)
    for number in range(1, batches + 1):
        first = number * 10 - 9
        if number != 3:
            put(db, name, key, first, first + 9)
    tables.write_stream(db, key, batches * 10 + 1, (batches - 1) * 10, 1)
    tables.remember_run(db, "ais", "run", batches * 10)
    db.close()
    mark = MarkFile(mark_path(path))
    mark.write({name: Numbers(batches * 10 + 1, 1)})
    mark.write({name: Numbers(batches * 10 + 1, 1)})
    mark.close()
    return name


def put(db: sqlite3.Connection, name: str, key: int, first: int, last: int) -> None:
    records = [record_from(ais(seq), seq) for seq in range(first, last + 1)]
    batch = Batch(stream_id=name, record_class=RecordClass.TRACK, first_seq=first, last_seq=last, records=records)
    row = row_of(Found(batch, encode_batch(batch), last - first + 1), key)
    tables.add_batch(db, tables.newest_id(db) + 1, row)


def contents(db: sqlite3.Connection, name: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the numbers that have their record, and the declared ranges, of a stream."""
    kept, gaps = [], []
    query = "SELECT data FROM batches JOIN streams ON streams.id = stream WHERE stream_id = ? ORDER BY first_seq"
    for (data,) in db.execute(query, (name,)):
        for record in decode_batch(data).records:
            if isinstance(record.payload, Gap):
                gaps.append((record.seq, record.last_seq()))
            else:
                kept.append(record.seq)
    return kept, gaps


KEPT = [seq for seq in range(1, 121) if not 21 <= seq <= 30]


@pytest.mark.parametrize("damage", ["header", "empty", "garbage_behind_the_header", "schema", "reserved"])
def test_what_holds_no_batch_costs_none_and_all_go_on_under_their_own_numbers(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "outbox.db"
    name = fill(path)
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:100] = bytes(100)
    elif damage == "reserved":
        data[20] ^= 8
    elif damage == "schema":
        data[100:1024] = b"\xee" * 924
    elif damage == "garbage_behind_the_header":
        data[16:100] = b"\x55" * 84
    else:
        data = bytearray()
    path.write_bytes(data)
    db, (found,) = open_outbox(path, OWNER)
    kept, gaps = contents(db, name)
    if damage == "empty":
        assert (kept, gaps, found.lost) == ([], [(1, 120)], {name: [(1, 120)]})
    else:
        assert (kept, gaps, found.lost) == (KEPT, [(21, 30)], {})
        assert tables.stored_no(db, "ais", "run") == 120
    assert (tmp_path / found.file).read_bytes() == bytes(data)
    assert tables.store_id(db) not in name
    assert [bool(row[2]) for row in tables.stream_rows(db)] == [False]
    assert read_mark(mark_path(path)).streams == {}
    db.close()
    db, again = open_outbox(path, OWNER)
    assert again == [found]
    db.close()
    set_aside.tell(path, found.file)
    db, again = open_outbox(path, OWNER)
    assert again == []
    db.close()


def test_one_damaged_batch_is_lost_alone_and_told_exactly(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    name = fill(path)
    data = bytearray(path.read_bytes())
    db = sqlite3.connect(path)
    (blob,) = db.execute("SELECT data FROM batches WHERE first_seq = 51").fetchone()
    db.close()
    data[data.index(blob[-40:]) + 5] ^= 1
    data[30] ^= 1  # and the header, so that it must be salvaged
    data[100] ^= 0xFF
    path.write_bytes(data)
    db, (found,) = open_outbox(path, OWNER)
    assert found.lost == {name: [(51, 60)]}
    assert found.declared == {name: [(21, 30), (51, 60)]}
    assert contents(db, name) == ([seq for seq in KEPT if not 51 <= seq <= 60], [(21, 30), (51, 60)])
    assert (found.saved_batches, found.saved_records, found.lost_records) == (10, 100, 10)
    db.close()


def test_a_database_that_has_gone_back_never_gives_out_a_number_again(tmp_path: Path) -> None:
    """Timeline: the store is copied; ten numbers more are stored and marked; the copy comes back."""
    path = tmp_path / "outbox.db"
    name = fill(path)
    mark = MarkFile(mark_path(path))
    mark.write({name: Numbers(131, 1)})
    mark.write({name: Numbers(131, 1)})
    mark.close()
    db, (found,) = open_outbox(path, OWNER)
    assert "gone back" in found.cause
    assert found.lost == {name: [(121, 130)]}
    assert contents(db, name) == (KEPT, [(21, 30), (121, 130)])
    assert [row[3] for row in tables.stream_rows(db)] == [131]
    db.close()


def test_a_database_that_is_gone_is_declared_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    name = fill(path)
    path.unlink()
    db, (found,) = open_outbox(path, OWNER)
    assert found.declared == {name: [(1, 120)]}
    assert contents(db, name) == ([], [(1, 120)])
    db.close()


def test_parts_and_the_whole_and_a_gap_in_its_place_leave_each_number_once(tmp_path: Path) -> None:
    """Rows that were joined or given up lie in free pages still; they are found with what took their place."""
    path = tmp_path / "outbox.db"
    db = open_database(path)
    name = f"{SITE}.{GATEWAY}.{tables.store_id(db)}.track"
    key = tables.add_stream(db, name, is_current=True, next_seq=31)
    for first, last in ((1, 5), (6, 10), (11, 20)):
        put(db, name, key, first, last)
    for batch_id in (1, 2, 3):
        tables.remove_batch(db, batch_id)
    put(db, name, key, 1, 10)
    row = packing.pack_declaration(key, name, 11, 30, "capacity")
    tables.add_batch(db, tables.newest_id(db) + 1, row)
    tables.write_stream(db, key, 31, 30, 1)
    db.close()
    data = bytearray(path.read_bytes())
    data[:16] = bytes(16)
    path.write_bytes(data)
    db, (found,) = open_outbox(path, OWNER)
    kept, gaps = contents(db, name)
    assert sorted(kept) == sorted(set(kept))
    assert set(range(1, 11)) <= set(kept)
    assert gaps == ([(21, 30)] if 11 in kept else [(11, 30)])
    assert found.lost == {}
    assert [row[4] for row in tables.stream_rows(db)] == [30]
    db.close()


@pytest.mark.parametrize("is_open_tail", [True, False])
def test_a_commit_that_never_returned_is_no_damage(tmp_path: Path, *, is_open_tail: bool) -> None:
    """A power cut leaves half a transaction in the log; the mark says that nothing beyond was promised."""
    path = tmp_path / "outbox.db"
    name = fill(path)
    db = sqlite3.connect(path, isolation_level=None)
    put(db, name, 1, 121, 130)
    log = path.with_name("outbox.db-wal")
    data = log.read_bytes()
    files = {item: item.read_bytes() for item in (path, mark_path(path))}
    db.close()
    for item, content in files.items():
        item.write_bytes(content)
    cut = data[:-1500] if is_open_tail else data[:-700] + bytes(300) + data[-400:]
    log.write_bytes(cut)
    db, found = open_outbox(path, OWNER)
    assert found == []
    assert contents(db, name)[0] == KEPT
    assert log.stat().st_size == 0
    db.close()


def test_a_salvage_that_is_cut_off_at_any_step_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sync, rename and delete of it fails once, and with it all that follow, as when the power goes."""
    name = fill(tmp_path / "sample" / "outbox.db")
    steps = 0
    while True:
        folder = tmp_path / f"cut-{steps}"
        shutil.copytree(tmp_path / "sample", folder)
        path = folder / "outbox.db"
        data = bytearray(path.read_bytes())
        data[:100] = bytes(100)
        path.write_bytes(data)
        was_cut = _open_until(path, monkeypatch, steps)
        db, reports = open_outbox(path, OWNER)
        assert contents(db, name) == (KEPT, [(21, 30)]), steps
        assert (tables.stored_no(db, "ais", "run"), tables.store_id(db) in name) == (120, False)
        assert len(list(folder.glob("outbox.db.damaged-*[0-9]"))) == 1
        assert list(folder.glob("*.salvage*")) == []
        assert len(reports) == 1
        db.close()
        if not was_cut:
            break
        steps += 1
    assert steps > 6


def _open_until(path: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> bool:
    """Open a store with the power gone after some steps; returns whether it went."""
    left = [steps]

    def counted(real: object) -> object:
        def step(*args: object, **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5, "power is gone")
            return real(*args, **kwargs)  # type: ignore[operator]

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        patch.setattr(os, "fsync", counted(os.fsync))
        try:
            db, _ = open_outbox(path, OWNER)
        except LinkError:
            return True
    db.close()
    return False


def test_pending_records_and_batches_of_a_damaged_database_of_version_1_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    shutil.copy(OLD, path)
    db = sqlite3.connect(path)
    store = tables.store_id(db)
    expected: dict[str, set[int]] = {}
    for name, first, last in db.execute("SELECT class, first_seq, last_seq FROM batches WHERE is_gap = 0"):
        expected.setdefault(name, set()).update(range(first, last + 1))
    for name, seq in db.execute("SELECT class, seq FROM pending"):
        expected.setdefault(name, set()).add(seq)
    db.close()
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)
    db, (found,) = open_outbox(path, OWNER)
    for name, numbers in expected.items():
        kept, _ = contents(db, f"{SITE}.{GATEWAY}.{store}.{name}")
        assert numbers <= set(kept)
    assert found.lost == {}
    db.close()


def test_at_most_four_damaged_databases_are_kept_and_the_oldest_goes_first_where_room_is_short(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    for number in range(6):
        (tmp_path / f"outbox.db.damaged-{number}").write_bytes(b"x")
        (tmp_path / f"outbox.db.damaged-{number}-wal").write_bytes(b"x")
        (tmp_path / f"outbox.db.damaged-{number}.json").write_bytes(b"x")
    set_aside.forget_oldest(path)
    assert [item.name[-1] for item in set_aside.kept_files(path)] == ["2", "3", "4", "5"]
    assert set_aside.give_up_oldest(path)
    assert sorted(item.name for item in tmp_path.glob("*damaged-2*")) == []
    for _ in range(3):
        assert set_aside.give_up_oldest(path)
    assert not set_aside.give_up_oldest(path)
    assert list(tmp_path.iterdir()) == []


def test_a_report_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"damaged")
    open_database(set_aside.target_of(path)).close()
    damage = Damage(
        file="outbox.db.damaged-7", cause="c", lost={"s": [(1, 2)]}, declared={"s": [(1, 9)]}, saved_batches=1,
        saved_records=3,
    )  # fmt: skip
    set_aside.complete(path, damage)
    db, found = open_outbox(path, OWNER)
    assert found == [damage]
    assert (tmp_path / "outbox.db.damaged-7").read_bytes() == b"damaged"
    db.close()


def test_gap_records_and_lifts_have_rows_that_say_what_they_are() -> None:
    def row(*records: object, name: str = "track") -> tuple[int, bool]:
        items = list(records)
        batch = Batch(
            stream_id=f"{SITE}.{GATEWAY}.0123456789abcdef.{name}", record_class=RecordClass(name),
            first_seq=items[0].seq, last_seq=items[-1].last_seq(), records=items,  # type: ignore[attr-defined,arg-type]
        )  # fmt: skip
        real = sum(not isinstance(item.payload, Gap) for item in batch.records)
        found = row_of(Found(batch, encode_batch(batch), real), 1)
        assert packing.is_intact(found)
        return found.content, found.is_time_known

    assert row(record_from(ais(1), 1)) == (0, True)
    assert row(record_from(ais(1), 1), gap_record(2, 3, "thinned")) == (1, True)
    assert row(gap_record(2, 3, "capacity")) == (2, False)
    assert row(record_from(crane_cycle(1), 1), name="crane_cycle") == (0, True)


def test_a_schema_that_is_no_text_any_more_is_damage_and_no_reason_not_to_start(tmp_path: Path) -> None:
    """SQLite quotes what it cannot read in its error, and that is then no text either."""
    path = tmp_path / "outbox.db"
    name = fill(path)
    data = path.read_bytes().replace(b"tablebatchesbatches", b"table\xf4\xf4\xf4\xf4hesbatches")
    path.write_bytes(data.replace(b"CREATE TABLE batches", b"XREATE TABLE batches"))
    with sqlite3.connect(path) as raw, pytest.raises(UnicodeDecodeError):
        raw.execute("SELECT * FROM meta")
    raw.close()
    db, damages = open_outbox(path, OWNER)
    assert len(damages) == 1
    kept, _ = contents(db, name)
    assert len(kept) == 110
    db.close()


def test_a_schema_that_names_other_columns_is_damage(tmp_path: Path) -> None:
    """SQLite finds nothing wrong with it; the first statement would."""
    path = tmp_path / "outbox.db"
    name = fill(path)
    path.write_bytes(path.read_bytes().replace(b"    is_open INTEGER", b"    is_opeN_INTEGER", 1))
    db, damages = open_outbox(path, OWNER)
    assert [damage.cause for damage in damages] == ["the schema is not what was written"]
    assert len(contents(db, name)[0]) == 110
    db.close()


def test_an_id_of_the_store_that_is_none_is_damage_though_no_stream_contradicts_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    db = open_database(path)
    written = tables.store_id(db)
    db.execute("UPDATE meta SET value = 'c1c4d5e6f7a8b9_0' WHERE key = 'store_id'")
    db.close()
    db, damages = open_outbox(path, OWNER)
    assert len(damages) == 1
    assert tables.store_id(db) not in (written, "c1c4d5e6f7a8b9_0")
    db.close()
