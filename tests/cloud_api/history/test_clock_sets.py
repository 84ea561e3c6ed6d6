"""Records that came before their gateway knew the time, on real SQLite in a file of the test's own."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cloud_api.history import sqlite_clock_sets
from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from contracts.payloads import ClockSet
from contracts.records import Clock, ClockState, Record
from tests.support.batches import GATEWAY, START_NS, STREAM, batch, record

LOGS = STREAM.replace(".track", ".log")
OTHER_GATEWAY = STREAM.replace(GATEWAY, "gw-2")
HOUR_NS = 3_600_000_000_000


def unsynced(seq: int, mono_ns: int, boot_id: str = "boot-1") -> Record:
    return msgspec.structs.replace(
        record(seq, observed_at_ns=mono_ns), clock=Clock(ClockState.UNSYNCED), mono_ns=mono_ns, boot_id=boot_id
    )


def clock_set(seq: int = 1, changes: dict[str, object] | None = None) -> Batch:
    fields = {
        "boot_id": "boot-1", "mono_ns": HOUR_NS, "utc_ns": START_NS, "error_ms": 5.0, "source": "ntp",
        "drift_ppm": 100.0, **(changes or {}),
    }  # fmt: skip
    told = msgspec.convert({"type": "clock_set", **fields}, ClockSet)
    return batch(seq, seq, LOGS, [record(seq, told)])


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[SqliteHistoryWriter]:
    opened = SqliteHistoryWriter(tmp_path / "history.sqlite")
    yield opened
    await opened.close()


async def commit(writer: SqliteHistoryWriter, *batches: Batch) -> list[CommitOutcome]:
    return await writer.commit([ReceivedBatch(item, START_NS) for item in batches])


def points(folder: Path, stream: str = STREAM) -> list[tuple[int, str, float | None, int | None]]:
    connection = sqlite3.connect(folder / "history.sqlite")
    try:
        return connection.execute(
            "SELECT observed_at_ns, clock_state, clock_error_ms, original_at_ns FROM points JOIN streams "
            "USING (stream_ref) WHERE stream_id = ? ORDER BY seq",
            (stream,),
        ).fetchall()
    finally:
        connection.close()


GIVEN = [(START_NS - HOUR_NS, "ntp", 365.0, 0), (START_NS, "ntp", 5.0, HOUR_NS)]


async def test_points_that_are_stored_get_their_time_and_keep_what_the_clock_had_said(
    writer: SqliteHistoryWriter, tmp_path: Path
) -> None:
    await commit(writer, batch(1, 2, records=[unsynced(1, 0), unsynced(2, HOUR_NS)]))
    assert points(tmp_path) == [(0, "unsynced", None, None), (HOUR_NS, "unsynced", None, None)]
    await commit(writer, clock_set())
    assert points(tmp_path) == GIVEN


async def test_points_that_come_after_the_word_get_it_as_they_are_stored(
    writer: SqliteHistoryWriter, tmp_path: Path
) -> None:
    await commit(writer, clock_set())
    late = batch(1, 2, records=[unsynced(1, 0), unsynced(2, HOUR_NS)])
    assert await commit(writer, late) == [CommitOutcome.COMMITTED]
    assert points(tmp_path) == GIVEN
    assert await commit(writer, late) == [CommitOutcome.DUPLICATE], "a resend with the old times is the same range"


async def test_what_is_not_meant_is_left_alone(writer: SqliteHistoryWriter, tmp_path: Path) -> None:
    own = [unsynced(1, HOUR_NS + 1), unsynced(2, 5, "boot-0"), record(3, observed_at_ns=7)]
    await commit(writer, batch(1, 3, records=own), batch(1, 1, OTHER_GATEWAY, [unsynced(1, 5)]), clock_set())
    assert [row[3] for row in points(tmp_path)] == [None, None, None]
    assert points(tmp_path, OTHER_GATEWAY) == [(5, "unsynced", None, None)]


async def test_the_first_word_on_a_boot_counts(writer: SqliteHistoryWriter, tmp_path: Path) -> None:
    await commit(writer, clock_set(1), clock_set(2, {"utc_ns": START_NS + HOUR_NS}))
    await commit(writer, batch(1, 2, records=[unsynced(1, 0), unsynced(2, HOUR_NS)]))
    assert points(tmp_path) == GIVEN


async def test_many_points_are_given_their_time_a_few_a_transaction(
    writer: SqliteHistoryWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_clock_sets.apply_some, "__defaults__", (3,))
    await commit(writer, batch(1, 7, records=[unsynced(seq, seq) for seq in range(1, 8)]), clock_set())
    waiting = [sum(row[1] == "unsynced" for row in points(tmp_path))]
    for seq in range(2, 5):
        await commit(writer, batch(seq, seq, LOGS))
        waiting.append(sum(row[1] == "unsynced" for row in points(tmp_path)))
    assert waiting == [4, 1, 0, 0]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"utc_ns": 2**63 - 1}, {"mono_ns": -5}, {"error_ms": -1.0}, {"error_ms": 1e9}, {"drift_ppm": 1e300},
        {"source": "unsynced"}, {"source": "x"}, {"boot_id": "boot-0"}, {"utc_ns": 2**70},
    ],
)  # fmt: skip
async def test_a_word_that_cannot_be_true_is_stored_and_does_nothing(
    writer: SqliteHistoryWriter, tmp_path: Path, nonsense: dict[str, object]
) -> None:
    first = batch(1, 2, records=[unsynced(1, 0), unsynced(2, -7)])
    assert await commit(writer, first, clock_set(1, nonsense)) == [CommitOutcome.COMMITTED] * 2
    assert [row[1] for row in points(tmp_path)] == ["unsynced", "unsynced"]
    assert len(points(tmp_path, LOGS)) == 1


async def test_without_it_the_points_stay_in_1970(
    writer: SqliteHistoryWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    monkeypatch.setattr(sqlite_clock_sets, "note", lambda *_: None)
    await commit(writer, batch(1, 2, records=[unsynced(1, 0), unsynced(2, HOUR_NS)]), clock_set())
    assert points(tmp_path)[0][0] == 0
