"""A database of version 1, as the last program left it, under today's program."""

import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.payloads import Gap
from contracts.records import Record
from gateway.counters import Counters
from gateway.outbox import database, migration
from gateway.outbox.models import Lane
from gateway.outbox.quarantine import Quarantine, read
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, ais, limits

OLD = Path(__file__).parent / "old_databases" / "version_1.db"
OWNER = (SITE, GATEWAY)
STREAM = f"{SITE}.{GATEWAY}.0123456789abcdef"
Explained = dict[str, dict[int, str]]
"""By class and number: the payload as JSON, or the reason of the gap."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "outbox.db"
    shutil.copy(OLD, copy)
    return copy


def explained(records: list[Record]) -> Iterator[tuple[int, str]]:
    for record in records:
        if isinstance(record.payload, Gap):
            yield from ((seq, record.payload.reason) for seq in range(record.seq, record.payload.last_seq + 1))
        else:
            yield record.seq, msgspec.json.encode(record).decode()


def old_content() -> Explained:
    """Return what the tables of version 1 hold; a refused batch is declared from now on."""
    found: Explained = {}
    db = sqlite3.connect(f"file:{OLD}?mode=ro&immutable=1", uri=True)
    for name, data in db.execute("SELECT class, data FROM batches"):
        found.setdefault(name, {}).update(explained(decode_batch(data).records))
    for name, data in db.execute("SELECT class, data FROM pending"):
        found.setdefault(name, {}).update(explained([msgspec.json.decode(data, type=Record)]))
    for name, first, last in db.execute("SELECT class, first_seq, last_seq FROM quarantine WHERE is_declared = 0"):
        found.setdefault(name, {}).update(dict.fromkeys(range(first, last + 1), "refused"))
    db.close()
    return found


def opened(path: Path) -> tuple[sqlite3.Connection, Store]:
    db = database.open_database(path)
    quarantine = Quarantine(path.with_name("outbox.quarantine"))
    migration.migrate(db, OWNER, quarantine)
    database.repack(db)
    store = Store(db, OWNER, SealingPolicy(500, 60), limits(), quarantine, Counters())
    store.reload(0)
    return db, store


def new_content(store: Store) -> Explained:
    found: Explained = {}
    for lane in (Lane.ALARM, Lane.BACKLOG):
        for stored in store.next_batches(lane, frozenset(), 1000, 10**9, 0):
            batch: Batch = decode_batch(stored.data)
            assert batch.stream_id.startswith(STREAM)
            numbers = found.setdefault(batch.record_class.value, {})
            assert not numbers.keys() & range(batch.first_seq, batch.last_seq + 1)
            numbers.update(explained(batch.records))
    return found


def test_nothing_of_version_1_is_lost_and_numbers_and_runs_go_on(path: Path) -> None:
    db, store = opened(path)
    assert new_content(store) == old_content()
    assert {status.stream_id.rpartition(".")[2]: status.next_seq for status in store.streams(lambda *_: 0.0)[0]} == {
        "crane_cycle": 4, "log": 6, "telemetry": 35, "track": 113,
    }  # fmt: skip
    assert store.stored_no("ais", "run-2") == 67
    db.execute("BEGIN IMMEDIATE")
    assert store.append("ais", "run-2", 68, [ais(1)]) == 68
    store.flush(0)
    db.execute("COMMIT")
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.close()
    assert tables == {"meta", "streams", "batches", "runs", "sqlite_sequence"}


def test_totals_are_those_of_the_batches(path: Path) -> None:
    db, store = opened(path)
    statuses, _ = store.streams(lambda *_: 0.0)
    counted = db.execute(
        "SELECT stream_id, sum(b.last_seq - b.first_seq + 1), sum(length(data)) FROM batches b "
        "JOIN streams ON streams.id = stream GROUP BY stream_id"
    ).fetchall()
    db.close()
    assert sorted(counted) == sorted((item.stream_id, item.buffered_records, item.buffered_bytes) for item in statuses)


def test_what_was_set_aside_goes_to_the_side_file(path: Path) -> None:
    db, _ = opened(path)
    db.close()
    aside = [
        (item.stream_id, item.first_seq, item.last_seq, item.reason)
        for item in read(path.with_name("outbox.quarantine"))
    ]
    assert aside == [(f"{STREAM}.track", 21, 40, "not_a_batch"), (f"{STREAM}.track", 46, 65, "damaged")]


def test_a_small_database_gets_small_pages_and_a_large_one_keeps_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "REPACK_MAX_BYTES", 1)
    db, store = opened(path)
    assert db.execute("PRAGMA page_size").fetchone() == (4096,)
    assert new_content(store) == old_content()
    db.close()
    monkeypatch.undo()
    db, store = opened(path)
    assert db.execute("PRAGMA page_size").fetchone() == (database.PAGE_BYTES,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert new_content(store) == old_content()
    db.close()


def test_a_damaged_row_of_version_1_is_set_aside_and_declared(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("UPDATE batches SET data = zeroblob(40) WHERE class = 'telemetry' AND first_seq = 1")
    db.execute("UPDATE pending SET data = x'7b7d' WHERE class = 'track' AND seq = 108")
    db.commit()
    db.close()
    expected = old_content()
    expected["telemetry"].update(dict.fromkeys(range(1, 21), "damaged"))
    expected["track"][108] = "damaged"
    db, store = opened(path)
    assert new_content(store) == expected
    db.close()


def cut_again_and_again(path: Path) -> int:
    """Migrate with a cut after so many steps of SQLite's machine, more of them each time; returns the cuts needed."""
    for budget in itertools.count(1):
        db = database.open_database(path)
        steps = itertools.count()
        db.set_progress_handler(partial(lambda steps, budget: next(steps) >= budget, steps, budget), 10)
        try:
            migration.migrate(db, OWNER, Quarantine(path.with_name("outbox.quarantine")))
        except sqlite3.OperationalError:  # "interrupted"
            db.set_progress_handler(None, 0)
            db.close()
        else:
            db.close()
            return budget - 1
    raise AssertionError


def test_a_cut_at_any_step_loses_nothing_and_the_next_start_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "PART_BATCHES", 1)
    assert cut_again_and_again(path) > 10
    db, store = opened(path)
    assert new_content(store) == old_content()
    db.close()


def test_without_a_transaction_around_each_part_a_cut_would_leave_rows_in_both_tables(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the test above."""

    def bare(_: sqlite3.Connection, moves: migration._Moves, move: Callable[[], bool]) -> bool:
        is_more = move()
        moves.shelf.streams.write()
        return is_more

    monkeypatch.setattr(migration, "PART_BATCHES", 1)
    monkeypatch.setattr(migration, "_in_transaction", bare)
    with pytest.raises((sqlite3.IntegrityError, AssertionError)):
        cut_again_and_again(path)
