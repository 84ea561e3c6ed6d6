"""Histories that earlier versions wrote open, with their balance: stored files, made by those versions.

Both hold a track stream of gw-1 (1..10, 11..20 with a gap 12..18, 21..30, 41..50) and five log records of gw-2; in
version 2 retention has taken 1..20 away, and 51..60 begins with a gap of five.
"""

import shutil
from pathlib import Path

import pytest

from cloud_api.history import sqlite_database
from cloud_api.history.accounting_policy import account
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange
from cloud_api.history.sqlite_balances import balances
from cloud_api.history.sqlite_database import open_for_writing
from cloud_api.history.sqlite_queries import evidence
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from tests.support.batches import START_NS, STREAM, batch

OLD = Path(__file__).parent / "old_databases"


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    path = tmp_path / "history.sqlite"
    shutil.copy(OLD / f"history_v{request.param}.sqlite", path)
    return request.param, path


async def test_an_old_history_opens_with_its_balance(old: tuple[int, Path]) -> None:
    version, path = old
    connection = open_for_writing(path)
    found = {item.stream_id: item for item in balances(connection)}
    accounts = {item.stream_id: item for item in map(account, evidence(connection))}
    connection.close()
    track = found[STREAM]
    last = 50 if version == 1 else 60
    assert track.covered == [SeqRange(1, 30), SeqRange(41, last)]
    assert track.declared == {"disk_full": 7 if version == 1 else 5}
    assert accounts[STREAM].holes == [SeqRange(31, 40)]
    assert not any(item.drift or item.unbacked or item.doubles for item in accounts.values())
    assert len(found) == 2


async def test_an_old_history_goes_on(old: tuple[int, Path]) -> None:
    version, path = old
    writer = SqliteHistoryWriter(path)
    known, hole = (ReceivedBatch(batch(*span), START_NS) for span in ((21, 30), (31, 45)))
    assert await writer.commit([known, hole]) == [CommitOutcome.DUPLICATE, CommitOutcome.MERGED]
    await writer.close()
    connection = open_for_writing(path)
    assert all(account(item).is_whole() for item in evidence(connection)), version
    connection.close()


async def test_without_the_migrated_balance_an_old_history_would_not_add_up(
    old: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: the tables alone, empty."""
    _, path = old
    steps = sqlite_database.schema_steps()
    tables_only = steps[2][: steps[2].index("-- Islands")]
    monkeypatch.setattr(sqlite_database, "schema_steps", lambda: [*steps[:2], tables_only])
    connection = open_for_writing(path)
    assert all(account(item).drift for item in evidence(connection))
    connection.close()
