"""Data wins over a declared gap, another cut never doubles, one number is never two observations; with their proofs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_api.history import sqlite_coverage, sqlite_merging, sqlite_writer
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange, StreamBalance
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.batch import Batch
from tests.support.batches import START_NS, batch, gap, of_another_writer, record


class History:
    """A writer and a reader on one file."""

    def __init__(self, path: Path) -> None:
        self.writer = SqliteHistoryWriter(path)
        self.reader = SqliteHistoryReader(path)

    async def take(self, *batches: Batch) -> list[CommitOutcome]:
        return await self.writer.commit([ReceivedBatch(item, START_NS) for item in batches])

    async def balance(self) -> StreamBalance:
        (account,) = await self.reader.accounting()
        assert account.is_whole(), account
        (balance,) = await self.reader.balances()
        assert balance.received() == account.received
        return balance

    async def close(self) -> None:
        await self.writer.close()
        await self.reader.close()


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    made = History(tmp_path / "history.sqlite")
    yield made
    await made.close()


def lost(first_seq: int, last_seq: int, reason: str = "damaged") -> Batch:
    return batch(first_seq, last_seq, records=[gap(first_seq, last_seq, reason)])


async def test_a_gap_over_received_numbers_is_noted_only_where_nobody_has_them(history: History) -> None:
    assert await history.take(batch(1, 10), batch(21, 30), lost(1, 40)) == [
        CommitOutcome.COMMITTED, CommitOutcome.COMMITTED, CommitOutcome.MERGED,
    ]  # fmt: skip
    balance = await history.balance()
    assert (balance.received(), balance.declared, balance.max_seq) == (20, {"damaged": 20}, 40)


async def test_data_for_a_declared_gap_are_stored_and_the_gap_shrinks(history: History) -> None:
    assert await history.take(lost(1, 30), batch(11, 20)) == [CommitOutcome.COMMITTED, CommitOutcome.COMMITTED]
    balance = await history.balance()
    assert (balance.received(), balance.declared) == (10, {"damaged": 20})
    await history.take(batch(1, 10), batch(21, 30))
    assert (await history.balance()).declared == {}


async def test_the_same_range_as_data_after_it_was_a_gap_is_no_duplicate(history: History) -> None:
    assert await history.take(lost(1, 5), batch(1, 5)) == [CommitOutcome.COMMITTED, CommitOutcome.COMMITTED]
    assert (await history.balance()).received() == 5


async def test_the_same_range_again_changes_nothing_whatever_was_thinned_meanwhile(history: History) -> None:
    thinned = batch(1, 5, records=[record(1), gap(2, 4, "thinned"), record(5)])
    assert await history.take(batch(1, 5), batch(1, 5), thinned) == [
        CommitOutcome.COMMITTED, CommitOutcome.DUPLICATE, CommitOutcome.DUPLICATE,
    ]  # fmt: skip
    assert (await history.balance()).received() == 5


async def test_another_cut_is_stored_where_it_is_new(history: History) -> None:
    assert await history.take(batch(1, 10), batch(5, 15), batch(14, 14)) == [
        CommitOutcome.COMMITTED, CommitOutcome.MERGED, CommitOutcome.DUPLICATE,
    ]  # fmt: skip
    assert (await history.balance()).covered == [SeqRange(1, 15)]


async def test_a_batch_that_fills_a_hole_joins_its_neighbours(history: History) -> None:
    await history.take(batch(1, 10), batch(21, 30))
    (balance,) = await history.reader.balances()
    assert balance.covered == [SeqRange(1, 10), SeqRange(21, 30)]
    await history.take(batch(11, 20))
    assert (await history.balance()).covered == [SeqRange(1, 30)]


async def test_one_number_for_two_observations_is_refused_whole(history: History) -> None:
    assert await history.take(batch(1, 10), of_another_writer(batch(10, 15))) == [
        CommitOutcome.COMMITTED, CommitOutcome.RANGE_CONFLICT,
    ]  # fmt: skip
    assert (await history.balance()).max_seq == 10


async def test_unseen_two_writers_would_lose_the_second_ones_records(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: without the comparison the batch is acknowledged and its tenth record is gone."""
    monkeypatch.setattr(sqlite_merging, "_contradicts", lambda *_: False)
    outcomes = await history.take(batch(1, 10), of_another_writer(batch(10, 15)))
    assert outcomes == [CommitOutcome.COMMITTED, CommitOutcome.MERGED]
    assert (await history.balance()).received() == 15


async def test_a_cut_taken_for_new_would_be_refused_and_its_new_records_lost(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the merge: to the plain path another cut is an error of the database."""
    monkeypatch.setattr(sqlite_writer, "store_known", lambda *_: CommitOutcome.UNSTORABLE)
    assert await history.take(batch(1, 10), batch(5, 15)) == [CommitOutcome.COMMITTED, CommitOutcome.UNSTORABLE]


async def test_a_gap_that_did_not_shrink_would_be_told_by_the_full_check(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the shrinking."""
    monkeypatch.setattr(sqlite_coverage, "take_from_gaps", lambda *_: {})
    await history.take(lost(1, 30), batch(11, 20))
    (account,) = await history.reader.accounting()
    assert account.doubles == [SeqRange(11, 20)]


async def test_a_record_that_vanished_from_the_tables_is_told_and_healed_by_a_resend(history: History) -> None:
    await history.take(batch(1, 10))
    history.writer._connection.execute("DELETE FROM points WHERE seq = 4")
    (account,) = await history.reader.accounting()
    assert account.unbacked == [SeqRange(4, 4)]
    assert account.drift == ["running balance covers 10 numbers, the tables 9"]
    assert await history.take(batch(1, 10)) == [CommitOutcome.MERGED]
    assert (await history.balance()).received() == 10


async def test_a_gap_of_a_trillion_numbers_over_data_costs_a_few_ranges(history: History) -> None:
    await history.take(batch(1, 10))
    assert await history.take(lost(1, 10**12), batch(500, 600)) == [CommitOutcome.MERGED, CommitOutcome.COMMITTED]
    assert (await history.balance()).declared == {"damaged": 10**12 - 10 - 101}
