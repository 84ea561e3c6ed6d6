import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.salvage import layout

BLOBS = [bytes([number % 251]) * size for number, size in enumerate((0, 5, 300, 900, 1000, 4000, 4090, 9000, 60_000))]


def made(path: Path, page_size: int) -> bytes:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {page_size}")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, name TEXT, data BLOB)")
    for number, blob in enumerate(BLOBS):
        db.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (number + 1, -(7**number), f"grúa {number}", blob))
    db.close()
    return path.read_bytes()


@pytest.mark.parametrize("page_size", layout.PAGE_SIZES)
def test_every_row_is_read_as_sqlite_wrote_it_whatever_the_page_size(tmp_path: Path, page_size: int) -> None:
    data = made(tmp_path / "db", page_size)
    assert layout.header_page_size(data) == page_size
    found = {}
    for at in range(page_size, len(data), page_size):
        for cell in layout.cells(data[at : at + page_size], page_size):
            payload, page = cell.local, cell.overflow
            while len(payload) < cell.size:
                image = data[(page - 1) * page_size : page * page_size]
                payload += image[4 : 4 + cell.size - len(payload)]
                page = int.from_bytes(image[:4], "big")
            offsets = layout.column_offsets(payload, cell.size)
            if offsets is not None and len(offsets) == 4:
                found[cell.rowid] = layout.values(payload, offsets)
    assert found == {number + 1: [None, -(7**number), f"grúa {number}", blob] for number, blob in enumerate(BLOBS)}


@given(st.binary(max_size=1200), st.sampled_from((512, 1024, 4096)), st.integers(0, 1100))
def test_any_bytes_give_cells_that_lie_in_them_or_none(page: bytes, usable: int, start: int) -> None:
    for cell in layout.cells(page, usable):
        assert cell.start + len(cell.local) <= max(len(page), usable)
        offsets = layout.column_offsets(cell.local, cell.size)
        if offsets is not None:
            layout.values(cell.local, offsets)
    layout.cell_at(page, start, usable)
    list(layout.interior_keys(page, usable))


def test_a_page_size_too_large_or_too_small_is_not_believed(tmp_path: Path) -> None:
    data = made(tmp_path / "db", 1024)
    agree = {
        size: sum(
            layout.is_whole_leaf(data[at : at + size], is_first=at == 0) for at in range(0, len(data) - size + 1, size)
        )
        for size in layout.PAGE_SIZES
    }
    assert max(agree, key=lambda size: agree[size]) == 1024
