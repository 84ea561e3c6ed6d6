"""A history on SQLite, and a reader beside its writer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[SqliteHistoryWriter]:
    made = SqliteHistoryWriter(tmp_path / "history.sqlite")
    yield made
    await made.close()


@pytest.fixture
async def reader(tmp_path: Path, writer: SqliteHistoryWriter) -> AsyncIterator[SqliteHistoryReader]:
    del writer
    made = SqliteHistoryReader(tmp_path / "history.sqlite")
    yield made
    await made.close()
