"""What lies here of a stream is the same however little of the database is read for it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.records import RecordClass
from gateway.outbox import tables
from gateway.outbox.database import open_in_memory
from gateway.outbox.held import HeldRanges
from gateway.outbox.held_rows import read_held
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.shelf import Shelf
from tests.support.gateway_records import GATEWAY, SITE


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = open_in_memory()
    yield connection
    connection.close()


def fill(db: sqlite3.Connection, batches: list[tuple[int, int]]) -> Shelf:
    """Put in batches, each given by the hole before it and its length."""
    shelf = Shelf(db, (SITE, GATEWAY), Quarantine(Path("unused")))
    shelf.streams.load()
    stream = shelf.streams.current(RecordClass.TRACK)
    for hole, length in batches:
        first_seq = stream.next_seq + hole
        last_seq = first_seq + length - 1
        row = BatchRow(
            stream.key, stream.stream_id, first_seq, last_seq, False, Content.GAPS, True, 1, 1, "b", 0, b"."
        )  # fmt: skip
        shelf.add(stream, row)
        stream.next_seq = last_seq + 1
    shelf.streams.write()
    return shelf


_HOLES = st.sampled_from([0, 0, 0, 1, 3, 499, 500, 501, 5_000])
_LENGTHS = st.sampled_from([1, 2, 19, 500, 501, 10_000])


@given(st.lists(st.tuples(_HOLES, _LENGTHS), max_size=12), st.integers(0, 600))
def test_the_ranges_are_those_of_the_rows(batches: list[tuple[int, int]], ahead: int) -> None:
    db = open_in_memory()
    (stream,) = fill(db, batches).streams
    found = read_held(db, stream.key, stream.next_seq + ahead, stream.records)
    assert found.pairs() == HeldRanges(tables.ranges(db, stream.key)).pairs()
    db.close()


@pytest.mark.parametrize("batches", [[(0, 500)] * 50, [(0, 500), (7_000, 500), *[(0, 20)] * 50]])
def test_of_a_backlog_hardly_a_row_is_read(
    db: sqlite3.Connection, batches: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows lie among their data: the first status after a start would read gigabytes while every append waits."""
    shelf = fill(db, batches)
    (stream,) = shelf.streams
    expected = HeldRanges(tables.ranges(db, stream.key)).pairs()
    asked: list[str] = []
    monkeypatch.setattr(tables, "ranges", lambda *_: pytest.fail("all rows are read"))
    db.set_trace_callback(asked.append)
    (status,), _ = shelf.streams.statuses(lambda *_: 0.0)
    assert status.buffered_ranges == expected
    assert sum("last_seq FROM" in sql for sql in asked) <= 2


def test_a_total_that_contradicts_the_rows_is_put_right_once(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = fill(db, [(0, 10), (5, 10)])
    (stream,) = shelf.streams
    stream.records += 3
    (status,), _ = shelf.streams.statuses(lambda *_: 0.0)
    assert status.buffered_ranges == [(1, 10), (16, 25)]
    assert stream.records == 20
    monkeypatch.setattr(tables, "ranges", lambda *_: pytest.fail("all rows are read again"))
    shelf.streams.statuses(lambda *_: 0.0)
