"""Sink and ledger of a history in two stores: order, conflicts, refused points, trouble; with mutation proofs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history import ledger_policy, sql_ledger, sql_ledger_rows
from cloud_api.history.ledger_policy import HULL_STEP, BookRows, StreamBook
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.models import CommitOutcome, ReceivedBatch, Rejected, SeqRange, StoredRecord, StreamBalance
from cloud_api.history.sql_ledger import COMMITS_A_SWEEP, MARKS_KEPT_NS, SqlStreamLedger
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from contracts.batch import Batch
from contracts.errors import LinkError
from tests.support.batches import START_NS, STREAM, batch, gap, of_another_writer, record
from tests.support.operations_file import operations_file
from tests.support.sink_simulator import QuarantineSimulator, SinkSimulator

OTHER = STREAM.replace("gw-1", "gw-2")


class History:
    """Workers on one sink and one ledger."""

    def __init__(self, path: Path) -> None:
        self.database = operations_file(path)
        self.sink, self.quarantine = SinkSimulator(), QuarantineSimulator()
        self.registry = CollectorRegistry()
        self.ledger = SqlStreamLedger(self.database)
        self.writer = LedgeredWriter(self.sink, self.ledger, self.quarantine, LedgeredMetrics(self.registry))
        self.reader = SqlLedgerReader(self.database)

    def another_worker(self) -> LedgeredWriter:
        ledger, metrics = SqlStreamLedger(self.database), LedgeredMetrics(CollectorRegistry())
        return LedgeredWriter(self.sink, ledger, self.quarantine, metrics)

    async def take(self, *batches: Batch, at_ns: int = START_NS) -> list[CommitOutcome]:
        return await self.writer.commit([ReceivedBatch(item, at_ns) for item in batches])

    async def balance(self) -> StreamBalance:
        (account,) = await self.reader.accounting()
        assert account.is_whole(), account
        (balance,) = await self.reader.balances()
        return balance


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    made = History(tmp_path / "operations.sqlite")
    yield made
    await made.database.close()


def with_mono(item: Batch, mono_ns: int) -> Batch:
    records = [msgspec.structs.replace(one, mono_ns=mono_ns + one.seq) for one in item.records]
    return msgspec.structs.replace(item, records=records)


def with_boot(item: Batch, boot_id: str) -> Batch:
    return msgspec.structs.replace(
        item, records=[msgspec.structs.replace(one, boot_id=boot_id) for one in item.records]
    )


async def test_streams_of_a_group_are_kept_apart_and_a_stream_in_order_is_one_row(history: History) -> None:
    items = [batch(first, first + 9, stream) for first in range(1, 100, 10) for stream in (STREAM, OTHER)]
    for item in items:
        assert await history.take(item, item) == [CommitOutcome.COMMITTED, CommitOutcome.DUPLICATE]
    balances = await history.reader.balances()
    assert [(one.stream_id, one.covered) for one in balances] == [
        (STREAM, [SeqRange(1, 100)]), (OTHER, [SeqRange(1, 100)]),
    ]  # fmt: skip
    assert history.sink.numbers(STREAM) == list(range(1, 101))


async def test_nothing_is_noted_while_the_sink_fails_and_the_same_batch_goes_through_later(history: History) -> None:
    history.sink.failures = [LinkError("write", "sink", "down", "", "busy")]
    with pytest.raises(LinkError):
        await history.take(batch(1, 10))
    assert await history.reader.balances() == []
    assert history.sink.numbers(STREAM) == [1, 2, 3, 4, 5]
    assert await history.take(batch(1, 10)) == [CommitOutcome.COMMITTED]
    assert history.sink.numbers(STREAM) == list(range(1, 11))


async def test_a_ledger_noted_first_would_acknowledge_what_the_sink_never_got(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the order: with the ledger before the sink, a resend is a duplicate and the points are lost."""
    commit, write = history.ledger.commit, history.writer._write

    async def ledger_first(batches: list[ReceivedBatch], changing: object) -> None:
        await commit(batches)
        await write(batches, changing)  # type: ignore[arg-type]

    monkeypatch.setattr(history.writer, "_write", ledger_first)
    history.sink.failures = [LinkError("write", "sink", "down", "", "busy")]
    with pytest.raises(LinkError):
        await history.take(batch(1, 10))
    assert await history.take(batch(1, 10)) == [CommitOutcome.DUPLICATE]
    assert history.sink.numbers(STREAM) == [1, 2, 3, 4, 5]


async def test_records_of_one_series_and_one_nanosecond_stay_two(history: History) -> None:
    twins = [record(seq, observed_at_ns=START_NS) for seq in (7, 14, 21)]
    fillers = [gap(1, 6), *[gap(8, 13)], *[gap(15, 20)]]
    mixed = sorted([*twins, *fillers], key=lambda one: one.seq)
    assert await history.take(batch(1, 21, records=mixed)) == [CommitOutcome.COMMITTED]
    assert await history.take(batch(1, 21, records=mixed)) == [CommitOutcome.DUPLICATE]
    assert history.sink.numbers(STREAM) == [7, 14, 21]


async def test_points_that_the_sink_refuses_are_kept_and_count_as_received(history: History) -> None:
    history.sink.refused = {3, 4}
    assert await history.take(batch(1, 5)) == [CommitOutcome.COMMITTED]
    assert history.sink.numbers(STREAM) == [1, 2, 5]
    assert history.quarantine.kept == {(STREAM, 3): "refused", (STREAM, 4): "refused"}
    assert history.registry.get_sample_value("history_rejected_points_total", {"reason": "refused"}) == 2
    assert (await history.balance()).received() == 5


@pytest.mark.parametrize("field", ["observed_at_ns", "mono_ns", "original_at_ns"])
async def test_a_time_over_63_bits_makes_its_batch_unstorable_and_not_its_neighbour(
    history: History, field: str
) -> None:
    bad = batch(1, 1, records=[msgspec.structs.replace(record(1), **{field: 2**63})])
    assert await history.take(bad, batch(2, 3)) == [CommitOutcome.UNSTORABLE, CommitOutcome.COMMITTED]
    assert history.sink.numbers(STREAM) == [2, 3]


async def test_any_text_of_a_peer_can_be_noted(history: History) -> None:
    lost = gap(4, 6, "a\x00b\ud800" * 50)
    told = [msgspec.structs.replace(record(seq), boot_id="\ud800\x00") for seq in (1, 2, 3)]
    assert await history.take(batch(1, 6, records=[*told, lost])) == [CommitOutcome.COMMITTED]
    assert await history.take(batch(1, 6, records=[*told, lost])) == [CommitOutcome.DUPLICATE]
    (reason,) = (await history.balance()).declared
    assert reason == ("a?b?" * 50)[:40]


async def test_a_copy_in_a_group_is_not_acknowledged_for_a_batch_that_another_worker_has_made_a_conflict(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan: the first is new, the second its duplicate. While they are written a copied disk takes numbers 8 to 10."""
    other, write = history.another_worker(), history.sink.write

    async def overtaken(points: Sequence[StoredRecord]) -> list[Rejected]:
        monkeypatch.setattr(history.sink, "write", write)
        await other.commit([ReceivedBatch(of_another_writer(batch(8, 10)), START_NS)])
        return await write(points)

    monkeypatch.setattr(history.sink, "write", overtaken)
    conflict = CommitOutcome.RANGE_CONFLICT
    assert await history.take(batch(1, 10), batch(1, 10), batch(4, 6)) == [conflict, conflict, CommitOutcome.COMMITTED]
    (balance,) = await history.reader.balances()
    assert balance.covered == [SeqRange(4, 6), SeqRange(8, 10)]


async def test_another_observation_of_the_same_boot_is_told_by_its_mark_for_an_hour(history: History) -> None:
    await history.take(batch(1, 10))
    assert await history.take(with_mono(batch(5, 15), 10**9)) == [CommitOutcome.RANGE_CONFLICT]
    assert history.sink.numbers(STREAM) == list(range(1, 11))
    assert await history.take(batch(5, 15)) == [CommitOutcome.MERGED]


async def test_marks_go_after_an_hour_and_the_boot_is_known_for_ever(history: History) -> None:
    await history.take(batch(1, 10))
    for n in range(COMMITS_A_SWEEP):
        await history.take(batch(20 + n, 20 + n), at_ns=START_NS + MARKS_KEPT_NS + 1)
    late = START_NS + MARKS_KEPT_NS + 2
    assert await history.take(of_another_writer(batch(1, 10)), at_ns=late) == [CommitOutcome.RANGE_CONFLICT]
    # what remains: the same boot, another moment, an hour late; docs/bad_input.md names it
    assert await history.take(with_mono(batch(1, 10), 10**9), at_ns=late) == [CommitOutcome.DUPLICATE]
    assert await history.take(batch(1, 10), at_ns=late) == [CommitOutcome.DUPLICATE]


async def test_a_resend_of_a_boot_whose_numbers_span_many_steps_is_never_refused(history: History) -> None:
    numbers = [1, HULL_STEP - 1, HULL_STEP, 5 * HULL_STEP, 5 * HULL_STEP - 1, 2 * HULL_STEP]
    for seq in numbers:
        assert await history.take(batch(seq, seq)) == [CommitOutcome.COMMITTED], seq
    worker = history.another_worker()
    for seq in numbers:
        assert await worker.commit([ReceivedBatch(batch(seq, seq), START_NS)]) == [CommitOutcome.DUPLICATE], seq


async def test_without_marks_and_boots_a_copied_disk_would_lose_its_records_unseen(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the comparison."""
    await history.take(batch(1, 10))
    monkeypatch.setattr(StreamBook, "_is_contradicted", lambda *_: False)
    assert await history.take(of_another_writer(batch(1, 10))) == [CommitOutcome.DUPLICATE]


async def test_a_mark_of_the_wrong_record_would_refuse_a_resend(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the mark: it must be of boot and moment, not of content that thinning changes."""
    await history.take(batch(1, 10))
    thinned = batch(1, 10, records=[record(1), gap(2, 9, "thinned"), msgspec.structs.replace(record(10), mean_of=9)])
    assert await history.take(thinned) == [CommitOutcome.DUPLICATE]
    monkeypatch.setattr(ledger_policy, "record_mark", lambda one: one.mean_of)
    assert await history.take(thinned) == [CommitOutcome.RANGE_CONFLICT]


async def test_a_worker_with_an_old_view_of_a_boot_does_not_make_its_hull_smaller(history: History) -> None:
    worker = history.another_worker()
    await worker.commit([ReceivedBatch(batch(1, 10), START_NS)])
    await history.take(batch(3 * HULL_STEP, 3 * HULL_STEP))
    await worker.commit([ReceivedBatch(batch(11, 20), START_NS)])
    assert await worker.commit([ReceivedBatch(batch(3 * HULL_STEP, 3 * HULL_STEP), START_NS)]) == [
        CommitOutcome.DUPLICATE
    ]


async def test_a_gateway_that_makes_up_a_boot_a_batch_costs_no_more_each_time(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is of a boot of its own; what is read and kept in memory is of the boots that a group names."""
    read: list[int] = []
    whole = sql_ledger_rows.read_boots

    async def counted(
        connection: AsyncConnection, named: Mapping[int, set[int]], books: Mapping[int, BookRows]
    ) -> None:
        await whole(connection, named, books)
        read.append(sum(len(book.boots) for book in books.values()))

    monkeypatch.setattr(sql_ledger_rows, "read_boots", counted)
    made = [with_boot(batch(first, first + 4), f"boot-{first}") for first in range(1, 201, 5)]
    for item in made:
        assert await history.take(item) == [CommitOutcome.COMMITTED]
    assert await history.take(*made[:3]) == [CommitOutcome.DUPLICATE] * 3
    assert await history.take(with_boot(made[7], "boot-of-another")) == [CommitOutcome.RANGE_CONFLICT]
    assert max(read) == 3
    assert max(len(hulls) for hulls in history.ledger._hulls.values()) <= 3


async def test_a_rolled_back_commit_leaves_no_number_of_a_stream_behind(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("pulled out")

    with monkeypatch.context() as patch:
        patch.setattr(sql_ledger_rows, "write_changes", broken)
        with pytest.raises(LinkError):
            await history.take(batch(1, 10))
    assert await history.take(batch(1, 10, OTHER), batch(1, 10)) == [CommitOutcome.COMMITTED, CommitOutcome.COMMITTED]
    assert [one.stream_id for one in await history.reader.balances()] == [STREAM, OTHER]


async def test_caches_are_capped_and_read_again(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_ledger, "MAX_CACHED", 3)
    streams = [STREAM.replace("gw-1", f"gw-{n}") for n in range(6)]
    for first_seq in (1, 6):
        for stream in streams:
            assert await history.take(batch(first_seq, first_seq + 4, stream)) == [CommitOutcome.COMMITTED]
            assert len(history.ledger._refs) <= 3
            assert len(history.ledger._hulls) <= 3
    assert all(one.covered == [SeqRange(1, 10)] for one in await history.reader.balances())
