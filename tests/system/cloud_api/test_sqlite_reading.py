"""What bounds an answer of the SQLite history: its index, its rows, its time, and who else waits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud_api.history import sqlite_reader, sqlite_series, sqlite_spans, sqlite_tracks
from cloud_api.history.reading import Position, SeriesId, Span, TooMuchError
from cloud_api.history.sqlite_database import open_for_reading
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_spans import points
from contracts.errors import LinkError
from tests.support.history_builder import FIRST_MMSI, Day, build_sqlite

pytestmark = pytest.mark.system

DAY = Day(20, 1_790_035_200 * 10**9, 500)
WIND = SeriesId("puerto-demo", "mast-1", "wind")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("history") / "history.sqlite"
    build_sqlite(made, DAY)
    return made


@pytest.fixture
async def reader(path: Path) -> AsyncIterator[SqliteHistoryReader]:
    opened = SqliteHistoryReader(path)
    yield opened
    await opened.close()


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_for_reading(path)
    yield opened
    opened.close()


def plan(connection: sqlite3.Connection, query: str, values: tuple[object, ...]) -> str:
    return " / ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values))


def test_a_span_is_read_from_its_index_in_order(connection: sqlite3.Connection) -> None:
    """What makes a track out of 10^7 positions as quick as one out of 10^4: no scan, no sorting, at any page."""
    steps = plan(connection, sqlite_spans._POINTS, (1, 0, 5, 0, -1))
    assert (
        steps
        == "SEARCH points USING INDEX points_by_series_time (series_ref=? AND observed_at_ns>? AND observed_at_ns<?)"
    )
    assert "USING INDEX series_by_mmsi" in plan(connection, sqlite_tracks._SERIES, (FIRST_MMSI, 5))
    newest = plan(connection, sqlite_spans._NEWEST, (1, 0, 5, 10))
    assert newest == steps
    assert "USING INDEX series_by_kind" in plan(connection, sqlite_series._FIND, ("a", "b", "c", "d", 5))


def test_a_page_far_down_does_not_read_what_is_before_it(connection: sqlite3.Connection) -> None:
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        return 0

    connection.set_progress_handler(look, 50)
    whole = list(points(connection, [1], DAY.span, None))
    of_all = looks
    looks = 0
    last = whole[-2]
    assert [row[:2] for row in points(connection, [1], DAY.span, Position(*last[:2]))] == [whole[-1][:2]]
    assert looks < of_all / 20


async def test_an_answer_has_a_most_of_rows(reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_spans, "MAX_ROWS", DAY.steps)
    assert (await reader.thinned_track(FIRST_MMSI, DAY.span, 50)).stored == DAY.steps
    monkeypatch.setattr(sqlite_spans, "MAX_ROWS", DAY.steps - 1)
    with pytest.raises(TooMuchError) as caught:
        await reader.thinned_track(FIRST_MMSI, DAY.span, 50)
    assert caught.value.reason == "too_many_rows"
    # pages are bounded by themselves
    assert len((await reader.track_page(FIRST_MMSI, DAY.span, None, 400)).items) == 400


def test_an_answer_has_a_most_of_series(connection: sqlite3.Connection) -> None:
    with pytest.raises(TooMuchError) as caught:
        points(connection, list(range(sqlite_spans.MAX_SERIES + 1)), DAY.span, None)
    assert caught.value.reason == "too_many_series"


async def test_an_answer_has_a_most_of_time(reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as limits:
        limits.setattr(sqlite_reader, "ANSWER_TIMEOUT_S", -1.0)
        limits.setattr(sqlite_reader, "_STEPS_A_LOOK", 100)
        for asked in (reader.thinned_track(FIRST_MMSI, DAY.span, 50), reader.latest_observations(0)):
            with pytest.raises(LinkError) as caught:
                await asked
            assert caught.value.reason == "interrupted"
    # the connection is as good as before
    assert await reader.latest_observations(0)


async def test_without_the_limit_of_time_it_would_go_on(
    reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    monkeypatch.setattr(sqlite_reader, "ANSWER_TIMEOUT_S", -1.0)
    monkeypatch.setattr(SqliteHistoryReader, "_ask_soon", SqliteHistoryReader._ask)
    assert (await reader.thinned_track(FIRST_MMSI, DAY.span, 50)).stored == DAY.steps


async def test_who_comes_when_too_many_wait_is_told_so(
    reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_reader, "MAX_WAITING", 3)
    asked = [reader.thinned_track(FIRST_MMSI + ship, DAY.span, 50) for ship in range(6)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, LinkError)]
    assert [one.reason for one in refused] == ["busy"] * 3
    assert (await reader.thinned_track(FIRST_MMSI, DAY.span, 50)).stored == DAY.steps


async def test_the_whole_of_time_is_a_span(reader: SqliteHistoryReader) -> None:
    everything = Span(0, 2**63 - 1)
    assert (await reader.thinned_track(FIRST_MMSI, everything, 7)).stored == DAY.steps
    assert (await reader.thinned_series(WIND, everything, 2)).channels == {}
