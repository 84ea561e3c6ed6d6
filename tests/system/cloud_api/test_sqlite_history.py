"""The history on real SQLite: faults, and what readers see. Exactly once: tests/cloud_api/history."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from cloud_api.history import sqlite_database, sqlite_queries
from cloud_api.history.accounting_policy import account
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange
from cloud_api.history.sqlite_database import open_for_reading, open_for_writing
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from contracts.errors import ConfigError, IntegrityError, LinkError
from contracts.payloads import Ais, Log, Wind
from tests.support.batches import START_NS, STREAM, batch, gap, position, record
from tests.support.processes import ROOT

pytestmark = pytest.mark.system

OTHER = STREAM.replace("abcd1234", "efgh5678")
MMSI = 224_000_001


def received(*batches: Batch) -> list[ReceivedBatch]:
    return [ReceivedBatch(item, START_NS) for item in batches]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[SqliteHistoryWriter]:
    opened = SqliteHistoryWriter(path)
    yield opened
    await opened.close()


@pytest.fixture
async def reader(path: Path, writer: SqliteHistoryWriter) -> AsyncIterator[SqliteHistoryReader]:
    del writer  # it makes the file
    opened = SqliteHistoryReader(path)
    yield opened
    await opened.close()


async def test_one_bad_batch_of_a_group_is_undone_alone(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    bad = batch(11, 12, records=[record(11), record(12, observed_at_ns=2**70)])
    outcomes = await writer.commit(received(batch(1, 10), bad, batch(13, 14)))
    assert outcomes == [CommitOutcome.COMMITTED, CommitOutcome.UNSTORABLE, CommitOutcome.COMMITTED]
    (balance,) = await reader.accounting()
    assert (balance.received, balance.holes) == (12, [SeqRange(11, 12)])
    # a reference that was made inside the undone batch must not be used again
    new = batch(1, 1, OTHER, [record(1, observed_at_ns=2**70)])
    assert await writer.commit(received(new)) == [CommitOutcome.UNSTORABLE]
    assert await writer.commit(received(batch(1, 1, OTHER))) == [CommitOutcome.COMMITTED]


async def test_without_savepoints_a_bad_batch_would_take_its_neighbours_along(
    writer: SqliteHistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(SqliteHistoryWriter, "_store_apart", SqliteHistoryWriter._store)
    bad = batch(11, 11, records=[record(11, observed_at_ns=2**70)])
    with pytest.raises(OverflowError):
        await writer.commit(received(batch(1, 10), bad))


async def test_a_gap_fills_its_range(writer: SqliteHistoryWriter, reader: SqliteHistoryReader) -> None:
    records = [record(1), gap(2, 500), record(501)]
    await writer.commit(received(batch(1, 501, records=records)))
    (balance,) = await reader.accounting()
    assert balance.is_whole()
    assert (balance.received, balance.declared_gap, balance.max_seq) == (2, 499, 501)


async def test_a_track_is_the_newest_positions_of_all_gateways_oldest_first(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    here = [record(seq, position(MMSI, lon_deg=seq / 100)) for seq in range(1, 6)]
    name = record(6, Ais(msg_type=5, mmsi=MMSI, name="ALBA"))
    await writer.commit(received(batch(1, 6, records=[*here, name]), batch(1, 1, OTHER, [record(1, position(5))])))
    at = [item.observed_at_ns for item in here]
    track = await reader.track(MMSI, at[0], at[-1], 100)
    assert [point.lon_deg for point in track] == [0.01, 0.02, 0.03, 0.04, 0.05]
    assert [point.lon_deg for point in await reader.track(MMSI, at[0], at[-1], 2)] == [0.04, 0.05]
    assert [point.lon_deg for point in await reader.track(MMSI, at[1], at[2], 100)] == [0.02, 0.03]
    assert await reader.track(404, 0, 2**80, 100) == []


async def test_the_latest_of_each_series_comes_back_as_it_was(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    name = record(1, Ais(msg_type=5, mmsi=MMSI, name="ALBA"))
    positions = [record(seq, position(MMSI)) for seq in (2, 3)]
    log = record(1, Log(level="info", event="started"))
    wind = [record(seq, Wind(speed_mps=float(seq))) for seq in (1, 2)]
    # back-filled, and the mean of a minute
    wind[1] = msgspec.structs.replace(wind[1], mean_of=60, original_at_ns=5)
    telemetry, logs = (STREAM.replace("track", name) for name in ("telemetry", "log"))
    await writer.commit(
        received(batch(1, 3, records=[name, *positions]), batch(1, 2, telemetry, wind), batch(1, 1, logs, [log]))
    )
    latest = await reader.latest_observations(START_NS)
    assert {(site, gateway) for site, gateway, _ in latest} == {("puerto-demo", "gw-1")}
    expected = [name, wind[1], positions[1]]
    assert sorted((item for _, _, item in latest), key=str) == sorted(expected, key=str)
    assert len(await reader.latest_observations(positions[1].observed_at_ns)) == 1


async def test_a_full_disk_is_a_reason_to_try_again(writer: SqliteHistoryWriter, path: Path) -> None:
    await writer.commit(received(batch(1, 10)))
    (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
    writer._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LinkError) as caught:
        await writer.commit(received(batch(11, 400)))
    assert caught.value.reason == "disk_full"
    writer._connection.execute("PRAGMA max_page_count = 1000000")
    assert await writer.commit(received(batch(11, 400))) == [CommitOutcome.COMMITTED]
    connection = open_for_reading(path)
    assert account(sqlite_queries.evidence(connection)[0]).is_whole()
    connection.close()


def test_a_damaged_file_stops_everything(path: Path) -> None:
    path.write_bytes(b"not a database, whatever it says" * 200)
    with pytest.raises(IntegrityError) as caught:
        open_for_writing(path)
    assert caught.value.reason == "damaged"


def test_the_file_of_another_program_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()
    with pytest.raises(ConfigError, match="not a PortTrack history"):
        open_for_writing(path)


def test_a_newer_history_is_not_touched(path: Path) -> None:
    open_for_writing(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="schema version 99"):
        open_for_writing(path)
    with pytest.raises(ConfigError, match="schema version 99"):
        open_for_reading(path)


def test_a_missing_history_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        open_for_reading(path)


def test_a_commit_is_synced_before_it_is_answered(path: Path) -> None:
    connection = open_for_writing(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


COMMITTING = """
import asyncio, sys
from pathlib import Path
from cloud_api.history.models import ReceivedBatch
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from tests.support.batches import batch

async def main():
    writer = SqliteHistoryWriter(Path(sys.argv[1]))
    first = int(sys.argv[2])
    while True:
        (outcome,) = await writer.commit([ReceivedBatch(batch(first, first + 99), 1)])
        print(first + 99, flush=True)
        first += 100

asyncio.run(main())
"""


@pytest.fixture
def committing() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait(timeout=5)
        assert process.stdout is not None
        process.stdout.close()


def test_what_was_answered_is_there_after_kill_9_and_each_range_whole(
    path: Path, committing: list[subprocess.Popen[str]]
) -> None:
    """Ten rounds: a process commits and says so; it is killed at any moment, between write and answer too."""
    first = 1
    for _ in range(10):
        command = [sys.executable, "-c", COMMITTING, str(path), str(first)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        committing.append(process)
        assert process.stdout is not None
        answered = [int(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGKILL)
        answered += [int(line) for line in process.stdout]
        connection = open_for_reading(path)
        (balance,) = [account(item) for item in sqlite_queries.evidence(connection)]
        connection.close()
        assert balance.is_whole()
        assert balance.max_seq >= answered[-1]
        assert balance.max_seq % 100 == 0
        first = balance.max_seq + 1


def test_every_schema_step_is_a_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = sqlite_database.schema_steps()
    monkeypatch.setattr(sqlite_database, "schema_steps", lambda: [*steps, "CREATE TABLE half (x); SELECT nonsense;"])
    with pytest.raises(LinkError):
        open_for_writing(path)
    monkeypatch.undo()
    connection = open_for_writing(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    assert "half" not in names
    assert "ledger" in names
    connection.close()
