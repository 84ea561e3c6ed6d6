"""The store role's loop with a history in memory: order of commit and receipt, grouping, back-pressure."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.backoff import FullJitter
from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.ingest import service as ingest_service
from cloud_api.ingest.judging_policy import Refused
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.service import COMMITTERS, MAX_GROUP_BATCHES, MAX_GROUP_RECORDS, MAX_WAITING, IngestService
from contracts.batch import Batch
from contracts.codec import encode_batch
from contracts.errors import IntegrityError, LinkError
from contracts.payloads import REASON_KEPT_ELSEWHERE, Gap
from contracts.receipt import Outcome, Receipt
from contracts.topics import Channel, Topic
from tests.support.batches import GATEWAY, SITE, batch, gap, of_another_writer
from tests.support.history_simulator import HistorySimulator

TOPIC = Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECORDS)


class Outbox:
    """Keeps receipts; can be cut off."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.is_cut = False

    async def publish(self, topic: Topic, data: bytes) -> None:
        assert topic.channel is Channel.RECEIPT
        if self.is_cut:
            raise LinkError("publish", topic.mqtt(), "not connected", "", "disconnected")
        self.receipts.append(msgspec.json.decode(data, type=Receipt))


class Shelf:
    """``PoisonStore`` in memory."""

    def __init__(self) -> None:
        self.kept: list[Refused] = []
        self.is_failing = False

    async def set_aside(self, refused: Refused, received_at_ns: int) -> int:
        assert received_at_ns > 0
        if self.is_failing:
            raise LinkError("set batch aside", "shelf", "disk full", "", "disk_full")
        self.kept.append(refused)
        return 0


class Bench:
    """A store role with everything around it in memory."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.history = HistorySimulator()
        self.outbox = Outbox()
        self.shelf = Shelf()
        self.committed: list[Batch] = []
        metrics = IngestMetrics(self.registry)
        self.desk = PoisonDesk(self.shelf, self.outbox, metrics)
        backoff = FullJitter(0.0, 0.0, random.Random(1))
        self.service = IngestService(
            self.history, self.outbox, self.desk, metrics, backoff, lambda: 1_790_000_001_000_000_000,
            self.committed.append,
        )  # fmt: skip

    async def take(self, *batches: Batch) -> None:
        for item in batches:
            await self.service.on_records(TOPIC, encode_batch(item))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.service.run()), asyncio.create_task(self.desk.run())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_receipt_follows_its_commit() -> None:
    bench = Bench()
    await bench.take(batch(1, 5))
    assert bench.outbox.receipts == []
    async with bench.running():
        await bench.service.drain()
    assert [receipt.last_seq for receipt in bench.outbox.receipts] == [5]
    assert bench.history.batches == bench.committed == [batch(1, 5)]


async def test_no_receipt_while_the_history_cannot_write_and_all_of_them_afterwards() -> None:
    bench = Bench()
    bench.history.failures = [LinkError("commit", "db", "disk full", "", "disk_full")] * 3
    await bench.take(batch(1, 5), batch(6, 9))
    async with bench.running():
        await bench.service.drain()
    assert [receipt.last_seq for receipt in bench.outbox.receipts] == [5, 9]
    assert bench.count("tsdb_write_errors_total", reason="disk_full") == 3
    assert bench.service.is_writing


class PickyHistory(HistorySimulator):
    """A store that cannot write the group of number 1 while it ``is_stuck``, and can write the others."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = True

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        if batches[0].batch.first_seq == 1 and self.is_stuck:
            raise LinkError("commit", "db", "too much at once", "", "timeout")
        return await super().commit(batches)


async def test_a_group_that_stands_still_is_told_though_the_other_goes_on() -> None:
    """One warning when it begins to fail, one word when it is over, and its pauses grow meanwhile."""
    bench = Bench()
    history = PickyHistory()
    bench.service._writer = history
    backoff = FullJitter(0.0, 0.0, random.Random(1))
    bench.service._backoff = backoff
    resets: list[None] = []
    with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
        patch.setattr(backoff, "reset", lambda: resets.append(None))
        await bench.take(*(batch(number * 500 + 1, number * 500 + 500) for number in range(8)))
        async with bench.running():
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(history.commits) == 3
            assert not bench.service.is_writing
            assert resets == []
            history.is_stuck = False
            await bench.service.drain()
    assert bench.service.is_writing
    assert resets == [None]
    told = [line["event"] for line in logs if str(line["event"]).startswith("history_")]
    assert told == ["history_unwritable", "history_writable"]


async def test_a_damaged_history_ends_the_role_without_a_receipt() -> None:
    bench = Bench()
    bench.history.failures = [IntegrityError("commit", "db", "malformed", "", "damaged")]
    await bench.take(batch(1, 5))
    with pytest.raises(ExceptionGroup) as caught:
        await bench.service.run()
    assert caught.group_contains(IntegrityError)
    assert bench.outbox.receipts == []


async def test_what_waits_is_committed_together() -> None:
    bench = Bench()
    await bench.take(*(batch(number, number) for number in range(1, MAX_GROUP_BATCHES + 4)))
    async with bench.running():
        await bench.service.drain()
    assert bench.history.commits == [MAX_GROUP_BATCHES, 3]


class HangingHistory(HistorySimulator):
    """A store that takes its time: commits begin, and end when they may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.may_end = asyncio.Event()

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        self.begun += 1
        await self.may_end.wait()
        return await super().commit(batches)


async def test_while_a_commit_waits_for_its_store_the_next_group_is_made_and_no_third() -> None:
    bench = Bench()
    history = HangingHistory()
    bench.service._writer = history
    await bench.take(*(batch(number * 500 + 1, number * 500 + 500) for number in range(8)))
    async with bench.running():
        for _ in range(100):
            await asyncio.sleep(0)
        assert history.begun == COMMITTERS
        assert bench.outbox.receipts == []
        history.may_end.set()
        await bench.service.drain()
    assert history.commits == [2, 2, 2, 2]
    assert sorted(receipt.last_seq for receipt in bench.outbox.receipts) == [500 * number for number in range(1, 9)]


async def test_a_group_ends_at_its_cap_of_records() -> None:
    bench = Bench()
    await bench.take(*(batch(number * 500 + 1, number * 500 + 500) for number in range(5)))
    async with bench.running():
        await bench.service.drain()
    assert bench.history.commits == [MAX_GROUP_RECORDS // 500, MAX_GROUP_RECORDS // 500, 1]


async def test_the_bus_waits_when_the_cap_is_reached() -> None:
    bench = Bench()
    await bench.take(*(batch(number, number) for number in range(1, MAX_WAITING + 1)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await bench.take(batch(900, 900))
    async with bench.running():
        await bench.take(batch(901, 901))
        await bench.service.drain()
    assert len(bench.history.batches) == MAX_WAITING + 1


async def test_a_duplicate_is_acknowledged_and_changes_nothing() -> None:
    bench = Bench()
    await bench.take(batch(1, 5), batch(1, 5))
    async with bench.running():
        await bench.service.drain()
    assert [receipt.outcome for receipt in bench.outbox.receipts] == [Outcome.COMMITTED] * 2
    assert bench.count("ingest_duplicate_batches_total") == 1
    assert bench.count("ingest_records_total", source=f"{SITE}/{GATEWAY}") == 5
    assert bench.committed == [batch(1, 5)]


async def test_conflict_and_unstorable_are_set_aside_and_their_neighbours_are_not() -> None:
    bench = Bench()
    stream_id = batch(1, 1).stream_id
    bench.history.unstorable = {(stream_id, 50)}
    await bench.take(batch(1, 5), of_another_writer(batch(4, 8)), batch(50, 51), batch(60, 61))
    async with bench.running():
        await bench.service.drain()
    assert [item.first_seq for item in bench.history.batches] == [1, 60]
    assert {refused.reason for refused in bench.shelf.kept} == {"range_conflict", "unstorable"}
    assert bench.count("ingest_rejected_total", reason="range_conflict") == 1
    outcomes = {receipt.first_seq: receipt.outcome for receipt in bench.outbox.receipts}
    assert outcomes == {
        1: Outcome.COMMITTED, 60: Outcome.COMMITTED, 4: Outcome.REFUSED, 50: Outcome.REFUSED,
    }  # fmt: skip


async def test_another_cut_is_stored_once_and_acknowledged_by_its_own_range() -> None:
    bench = Bench()
    await bench.take(batch(1, 5), batch(4, 8))
    async with bench.running():
        await bench.service.drain()
    receipts = [(receipt.outcome, receipt.first_seq, receipt.last_seq) for receipt in bench.outbox.receipts]
    assert receipts == [(Outcome.COMMITTED, 1, 5), (Outcome.COMMITTED, 4, 8)]
    assert bench.count("ingest_merged_batches_total") == 1
    assert bench.count("ingest_records_total", source=f"{SITE}/{GATEWAY}") == 5


async def test_poison_that_cannot_be_kept_is_not_refused_yet_and_holds_up_nobody() -> None:
    bench = Bench()
    bench.shelf.is_failing = True
    await bench.service.on_records(TOPIC, b"rubbish")
    await bench.take(batch(1, 5))
    async with bench.running():
        await bench.service.drain()
    assert [receipt.outcome for receipt in bench.outbox.receipts] == [Outcome.COMMITTED]
    assert bench.count("ingest_poison_dropped_total", reason="store_failed") == 1


async def test_a_flood_of_poison_is_dropped_by_count_and_never_waits() -> None:
    bench = Bench()
    refused = Refused(TOPIC, "not_zstd", "cause", b"rubbish")
    for _ in range(50):
        bench.desk.take(refused, 1)
    assert bench.count("ingest_poison_dropped_total", reason="queue_full") == 18


async def test_a_lost_receipt_is_counted_and_the_batch_stays_stored() -> None:
    bench = Bench()
    bench.outbox.is_cut = True
    await bench.take(batch(1, 5))
    async with bench.running():
        await bench.service.drain()
        bench.outbox.is_cut = False
        await bench.take(batch(1, 5))
        await bench.service.drain()
    assert bench.count("ingest_receipt_errors_total", reason="disconnected") == 1
    assert len(bench.outbox.receipts) == 1


async def test_declared_gaps_are_counted() -> None:
    bench = Bench()
    await bench.take(batch(1, 40, records=[gap(1, 40)]))
    kept = gap(41, 70)
    assert isinstance(kept.payload, Gap)
    payload = msgspec.structs.replace(kept.payload, reason=REASON_KEPT_ELSEWHERE)
    await bench.take(batch(41, 70, records=[msgspec.structs.replace(kept, payload=payload)]))
    async with bench.running():
        await bench.service.drain()
    assert bench.count("ingest_sequence_gaps_total") == 2
    assert bench.count("ingest_declared_lost_records_total") == 40
    assert bench.count("ingest_kept_elsewhere_records_total") == 30


async def test_without_waiting_for_the_commit_a_receipt_would_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: answer whatever the history says, and a batch is acknowledged that is nowhere."""

    async def never_stored(_self: IngestService, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        return [CommitOutcome.COMMITTED for _ in batches]

    monkeypatch.setattr(ingest_service.IngestService, "_commit_until_done", never_stored)
    bench = Bench()
    bench.history.failures = [LinkError("commit", "db", "disk full", "", "disk_full")]
    await bench.take(batch(1, 5))
    async with bench.running():
        await bench.service.drain()
    assert len(bench.outbox.receipts) == 1
    assert bench.history.batches == []
