"""Retention: the oldest batches go by age or size, whole, and the balance of their streams still closes."""

import pytest
from prometheus_client import CollectorRegistry

from cloud_api.history import retention
from cloud_api.history.models import CommitOutcome, ReceivedBatch, SeqRange, StreamAccount
from cloud_api.history.retention import DAY_NS, Retention
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_retention import MAX_BATCHES, Expiry
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.errors import LinkError
from tests.support.batches import START_NS, batch, gap

BATCH = 10
PLENTY = 2**40


async def fill(writer: SqliteHistoryWriter, batches: int, first: int = 0) -> None:
    """Commit batches of ``BATCH`` records, received a day apart."""
    ranges = [(number * BATCH + 1, (number + 1) * BATCH) for number in range(first, first + batches)]
    items = [ReceivedBatch(batch(a, b), START_NS + number * DAY_NS) for number, (a, b) in enumerate(ranges, first)]
    assert await writer.commit(items) == [CommitOutcome.COMMITTED] * batches


async def only_account(reader: SqliteHistoryReader) -> StreamAccount:
    (account,) = await reader.accounting()
    return account


async def test_what_is_too_old_goes_and_the_balance_still_closes(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    await fill(writer, 5)
    done = await writer.expire(START_NS + 3 * DAY_NS, PLENTY)
    assert (done.batches, done.records) == (3, 3 * BATCH)
    account = await only_account(reader)
    assert account.is_whole()
    assert (account.received, account.expired, account.max_seq) == (2 * BATCH, 3 * BATCH, 5 * BATCH)


async def test_an_expired_batch_that_comes_again_is_known(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    await fill(writer, 3)
    await writer.expire(START_NS + 2 * DAY_NS, PLENTY)
    again = ReceivedBatch(batch(1, BATCH), START_NS + 9 * DAY_NS)
    across = ReceivedBatch(batch(BATCH + 1, 2 * BATCH + 1), START_NS + 9 * DAY_NS)
    assert await writer.commit([again, across]) == [CommitOutcome.DUPLICATE, CommitOutcome.DUPLICATE]
    assert (await only_account(reader)).received == BATCH


async def test_without_the_memory_of_what_expired_the_balance_would_show_a_loss(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    """Mutation proof."""
    await fill(writer, 3)
    await writer.expire(START_NS + 2 * DAY_NS, PLENTY)
    writer._connection.execute("DELETE FROM expired")
    assert (await only_account(reader)).holes == [SeqRange(1, 2 * BATCH)]


async def test_a_hole_stays_visible_when_its_neighbours_have_expired(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader
) -> None:
    await fill(writer, 1)
    await fill(writer, 2, first=2)
    await writer.expire(START_NS + 9 * DAY_NS, PLENTY)
    account = await only_account(reader)
    assert account.holes == [SeqRange(BATCH + 1, 2 * BATCH)]
    late = ReceivedBatch(batch(BATCH + 1, 2 * BATCH), START_NS + 9 * DAY_NS)
    assert await writer.commit([late]) == [CommitOutcome.COMMITTED]
    await writer.expire(START_NS + 10 * DAY_NS, PLENTY)
    assert (await only_account(reader)).is_whole()
    assert writer._connection.execute("SELECT first_seq, last_seq FROM expired").fetchall() == [(1, 4 * BATCH)]


async def test_gaps_expire_with_their_batch(writer: SqliteHistoryWriter, reader: SqliteHistoryReader) -> None:
    await writer.commit([ReceivedBatch(batch(1, 9, records=[gap(1, 9)]), START_NS)])
    await writer.expire(START_NS + 1, PLENTY)
    account = await only_account(reader)
    assert (account.declared_gap, account.expired, account.is_whole()) == (0, 9, True)


async def test_above_its_size_the_oldest_go_whatever_their_age(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_PAUSE_S", 0)
    await fill(writer, 4 * MAX_BATCHES)
    used = (await writer.expire(0, PLENTY)).used_bytes
    keeper = Retention(writer, 36_500, used // 2, CollectorRegistry(), lambda: START_NS)
    await keeper.look()
    account = await only_account(reader)
    assert account.is_whole()
    assert 0 < account.received < 4 * MAX_BATCHES * BATCH
    assert (await writer.expire(0, PLENTY)).used_bytes <= used // 2


class Troubled:
    """A store that cannot write."""

    async def expire(self, before_ns: int, max_bytes: int, minutes_before_ns: int) -> Expiry:
        cause = f"disk full at {before_ns}, {minutes_before_ns} of {max_bytes}"
        raise LinkError("expire batches", "history", cause, "", "disk_full")


async def test_trouble_is_counted_and_left_to_the_next_look() -> None:
    registry = CollectorRegistry()
    await Retention(Troubled(), 1, 1, registry, lambda: START_NS).look()
    assert registry.get_sample_value("history_expiry_errors_total") == 1
