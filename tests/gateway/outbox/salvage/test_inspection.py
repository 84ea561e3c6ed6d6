from pathlib import Path

import pytest

from gateway.outbox import database
from gateway.outbox.mark_file import mark_path, read_mark
from gateway.outbox.salvage.inspection import inspect
from gateway.outbox.salvage.layout import MAGIC, RESERVED_AT
from tests.gateway.outbox.salvage.test_opening import fill


@pytest.mark.parametrize("bit", range(8))
def test_a_header_that_reserves_a_part_of_each_page_is_seen_before_a_large_store_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bit: int
) -> None:
    """SQLite takes up to 32 bytes of these pages for what somebody wanted, and finds nothing wrong."""
    monkeypatch.setattr(database, "FULL_CHECK_MAX_BYTES", 0)
    path = tmp_path / "outbox.db"
    fill(path)
    assert inspect(path, read_mark(mark_path(path))) is None
    data = bytearray(path.read_bytes())
    data[RESERVED_AT] ^= 1 << bit
    path.write_bytes(data)
    found = inspect(path, read_mark(mark_path(path)))
    assert found is not None
    assert "reserves" in found.cause


@pytest.mark.parametrize("size", [16, 17, 20, 21, 99])
def test_a_header_that_is_cut_off_is_damage(tmp_path: Path, size: int) -> None:
    path = tmp_path / "outbox.db"
    fill(path)
    path.write_bytes(path.read_bytes()[:size])
    assert path.read_bytes()[:16] == MAGIC
    assert inspect(path, read_mark(mark_path(path))) is not None
