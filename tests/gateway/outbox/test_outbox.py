"""The outbox with its thread, on real files."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts.codec import decode_batch, digest
from contracts.errors import LinkError, PeerError
from contracts.payloads import Gap, Log
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import tables
from gateway.outbox.job import Job
from gateway.outbox.models import Appended, Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, RunningClock, ais, crane_cycle, observation, wind

Opener = Callable[..., Outbox]
NONE: frozenset[int] = frozenset()


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
async def opened(tmp_path: Path, clock: RunningClock, counters: Counters) -> AsyncIterator[Opener]:
    boxes: list[Outbox] = []

    def open_outbox(**settings: float) -> Outbox:
        # not checked against its range: a group that waits for a minute shows what does not wait
        made = OutboxSettings().model_copy(update={"group_commit_ms": 5, **settings})
        box = Outbox(tmp_path / "outbox.db", SITE, GATEWAY, made, clock, counters)
        box.start(lambda: None)
        boxes.append(box)
        return box

    yield open_outbox
    for box in boxes:
        await box.close()


async def sealed(box: Outbox, limit: int = 1000) -> list[StoredBatch]:
    await box.seal_all()
    return await everything(box, limit)


async def everything(box: Outbox, limit: int = 1000) -> list[StoredBatch]:
    found = [batch for lane in Lane for batch in await box.next_batches(lane, NONE, limit, 10**9)]
    return sorted(found, key=lambda batch: batch.batch_id)


async def single(box: Outbox, count: int) -> list[StoredBatch]:
    """Append records in commits of their own while the uplink takes what comes: a batch each."""
    box.set_hungry(True)
    for number in range(1, count + 1):
        await box.append("ais", "r", number, [ais(number)])
    return await everything(box)


def committed(batch: StoredBatch) -> tuple[Receipt, None]:
    return (
        Receipt(
            outcome=Outcome.COMMITTED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq
        ),
        None,
    )


def refused(batch: StoredBatch) -> tuple[Receipt, int]:
    return Receipt(outcome=Outcome.REFUSED, digest=batch.digest, reason="unknown_version"), batch.batch_id


def noise(number: int) -> Observation:
    return observation(Log(level="info", event=os.urandom(1500).hex()), at_ns=number + 1)


async def test_what_append_returned_for_is_on_disk_for_everyone(opened: Opener, tmp_path: Path) -> None:
    await opened().append("ais", "r", 3, [ais(1), ais(2), ais(3)])
    other = sqlite3.connect(tmp_path / "outbox.db")
    found = (
        other.execute("SELECT last_no FROM runs").fetchall(),
        other.execute("SELECT next_seq FROM streams").fetchall(),
    )
    other.close()
    assert found == ([(3,)], [(4,)])


async def test_a_resend_is_trimmed_and_a_hole_refused(opened: Opener) -> None:
    box = opened()
    assert await box.append("ais", "r", 2, [ais(1), ais(2)]) == Appended(2)
    assert await box.append("ais", "r", 3, [ais(2), ais(3)]) == Appended(3)
    assert await box.append("ais", "r", 2, [ais(1), ais(2)]) == Appended(3)
    with pytest.raises(PeerError) as caught:
        await box.append("ais", "r", 5, [ais(5)])
    assert caught.value.reason == "bad_frame"
    records = [record for batch in await sealed(box) for record in decode_batch(batch.data).records]
    assert [record.payload for record in records] == [ais(number).payload for number in (1, 2, 3)]


async def test_one_bad_append_fails_alone_in_its_group(opened: Opener) -> None:
    box = opened(group_commit_ms=50)
    gap = observation(Gap(first_seq=1, last_seq=9, reason="x"))
    results = await asyncio.gather(
        box.append("a", "r", 1, [ais(1)]),
        box.append("b", "r", 1, [gap]),
        box.append("c", "r", 1, [ais(2)]),
        return_exceptions=True,
    )
    assert isinstance(results[1], PeerError)
    assert (results[0], results[2]) == (Appended(1), Appended(1))
    (batch,) = await sealed(box)
    assert (batch.first_seq, batch.last_seq) == (1, 2)


async def test_a_lift_does_not_wait_for_the_group_and_is_sealed_in_its_commit(opened: Opener) -> None:
    box = opened(group_commit_ms=60_000)
    async with asyncio.timeout(20):
        await box.append("sts-1", "r", 1, [crane_cycle(1)])
    assert len(await box.next_batches(Lane.ALARM, NONE, 10, 10**6)) == 1


async def test_numbers_go_on_after_a_restart(opened: Opener, tmp_path: Path) -> None:
    first = opened()
    await first.append("ais", "r", 2, [ais(1), ais(2)])
    (before,) = await sealed(first)
    await first.close()
    second = opened()
    assert await second.stored_no("ais", "r") == 2
    await second.append("ais", "r", 3, [ais(3)])
    batches = await sealed(second)
    assert [(batch.first_seq, batch.last_seq) for batch in batches] == [(1, 2), (3, 3)]
    assert batches[0].data == before.data
    assert (tmp_path / "outbox.db").exists()


async def test_a_receipt_deletes_exactly_its_batch(opened: Opener, counters: Counters) -> None:
    box = opened(group_commit_ms=1)
    batches = await single(box, 3)
    assert await box.settle([committed(batches[1])]) == [batches[1].batch_id]
    assert [batch.first_seq for batch in await sealed(box)] == [1, 3]
    other = Receipt(outcome=Outcome.COMMITTED, stream_id=batches[0].stream_id, first_seq=1, last_seq=3)
    strange = Receipt(outcome=Outcome.COMMITTED, stream_id="a.b.0123456789abcdef.track", first_seq=1, last_seq=1)
    assert await box.settle([(other, None), (strange, None), committed(batches[1])]) == []
    assert counters.total("receipts_unknown") == 3
    assert len(await sealed(box)) == 2


async def test_a_refused_batch_is_set_aside_and_does_not_block_the_rest(opened: Opener, counters: Counters) -> None:
    box = opened(group_commit_ms=1)
    batches = await single(box, 2)
    assert await box.settle([refused(batches[0])]) == [batches[0].batch_id]
    declared, kept = await everything(box)
    assert decode_batch(declared.data).records[0].payload == Gap(first_seq=1, last_seq=1, reason="refused")
    assert kept == batches[1]
    assert (await box.stats()).quarantined_batches == 1
    assert counters.total("batches_refused") == 1


async def test_a_declaration_that_is_refused_too_is_not_declared_for_ever(opened: Opener) -> None:
    box = opened(group_commit_ms=1)
    batches = await single(box, 1)
    await box.settle([refused(batches[0])])
    (declaration,) = await everything(box)
    assert await box.settle([refused(declaration)]) == [declaration.batch_id]
    assert await everything(box) == []
    assert (await box.stats()).quarantined_batches == 2


@pytest.mark.parametrize("is_hungry", [True, False])
async def test_groups_go_up_as_they_are_or_are_joined_first(opened: Opener, *, is_hungry: bool) -> None:
    box = opened(group_commit_ms=1)
    box.set_hungry(is_hungry)
    for number in range(1, 4):
        await box.append("ais", "r", number, [ais(number)])
    ranges = [(batch.first_seq, batch.last_seq) for batch in await everything(box)]
    assert ranges == ([(1, 1), (2, 2), (3, 3)] if is_hungry else [(1, 3)])


async def test_open_groups_are_joined_when_they_make_a_full_batch(opened: Opener) -> None:
    """Commits of 4: at 12 the first batch is full; what follows lies open."""
    box = opened(group_commit_ms=1, seal_records=10)
    for last in range(4, 21, 4):
        await box.append("ais", "r", last, [ais(number) for number in range(last - 3, last + 1)])
    kept = await box._disk.do(
        Job(run=lambda store: store._db.execute("SELECT first_seq, last_seq, is_open FROM batches").fetchall())
    )
    assert kept == [(1, 12, 0), (13, 16, 1), (17, 20, 1)]
    first, second = await sealed(box)
    seqs = [record.seq for batch in (first, second) for record in decode_batch(batch.data).records]
    assert seqs == list(range(1, 21))


async def test_open_groups_of_a_slow_stream_are_joined_by_their_age(opened: Opener) -> None:
    """What has waited is sealed without anybody asking for it: on_sealed is called for it."""
    box = opened(group_commit_ms=1, seal_after_ms=30)
    await box.append("ais", "r", 1, [ais(1)])
    await box.append("ais", "r", 2, [ais(2)])
    query = "SELECT first_seq, last_seq FROM batches WHERE is_open = 0"
    async with asyncio.timeout(3):
        # a test waits for what the thread does
        while not (found := await box._disk.do(Job(run=lambda store: store._db.execute(query).fetchall()))):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert found == [(1, 2)]


async def test_what_waits_longer_than_the_live_age_goes_behind_what_is_new(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.outbox.lanes.LiveBoundary.__init__.__defaults__", (0.05,))
    monkeypatch.setattr("gateway.outbox.lanes.STEP_S", 0.01)
    box = opened(group_commit_ms=1)
    box.set_hungry(True)
    await box.append("ais", "r", 1, [ais(1)])
    await box.append("sts-1", "r", 1, [crane_cycle(1)])
    assert [batch.first_seq for batch in await box.next_batches(Lane.LIVE, NONE, 10, 10**6)] == [1]
    assert await box.next_batches(Lane.BACKLOG, NONE, 10, 10**6) == []
    for _ in range(3):
        await asyncio.sleep(0.03)
        assert await box.stored_no("ais", "r") == 1  # any transaction lets the boundary move
    await box.append("ais", "r", 2, [ais(2)])
    assert [batch.first_seq for batch in await box.next_batches(Lane.LIVE, NONE, 10, 10**6)] == [2]
    (waiting,) = await box.next_batches(Lane.BACKLOG, NONE, 10, 10**6)
    assert (waiting.first_seq, waiting.lane) == (1, Lane.BACKLOG)
    assert [batch.lane for batch in await box.next_batches(Lane.ALARM, NONE, 10, 10**6)] == [Lane.ALARM]


async def test_what_lay_there_at_the_start_is_backlog(opened: Opener) -> None:
    first = opened(group_commit_ms=1)
    await single(first, 2)
    await first.close()
    second = opened()
    assert await second.next_batches(Lane.LIVE, NONE, 10, 10**6) == []
    assert len(await second.next_batches(Lane.BACKLOG, NONE, 10, 10**6)) == 2


async def test_a_bug_in_one_job_fails_it_alone(opened: Opener) -> None:
    box = opened(group_commit_ms=50)
    results = await asyncio.gather(
        box.append("a", "r", 1, [ais(1)]),
        box._disk.do(Job(run=lambda _: 1 // 0, is_write=True)),
        box.append("b", "r", 1, [ais(2)]),
        return_exceptions=True,
    )
    assert isinstance(results[1], ZeroDivisionError)
    assert (results[0], results[2]) == (Appended(1), Appended(1))
    assert [(batch.first_seq, batch.last_seq) for batch in await sealed(box)] == [(1, 2)]


async def test_a_group_that_is_worth_its_commit_does_not_wait(opened: Opener) -> None:
    box = opened(group_commit_ms=60_000)
    async with asyncio.timeout(20):
        await box.append("gateway", "r", 30, [noise(number) for number in range(30)])


async def test_a_batch_damaged_on_disk_is_set_aside_and_declared(opened: Opener, counters: Counters) -> None:
    box = opened()
    await box.append("ais", "r", 2, [ais(1), ais(2)])
    await sealed(box)
    await box._disk.do(Job(run=lambda store: store._db.execute("UPDATE batches SET data = x'00'").rowcount))
    (batch,) = await sealed(box)
    assert decode_batch(batch.data).records[0].payload == Gap(first_seq=1, last_seq=2, reason="damaged")
    assert digest(batch.data) == batch.digest
    assert counters.total("batches_damaged") == 1
    assert (await box.stats()).quarantined_batches == 1


async def test_at_the_cap_logs_are_given_up_and_lifts_kept_and_every_number_is_explained(
    opened: Opener, counters: Counters
) -> None:
    box = opened(max_bytes=1024**2, seal_records=20, group_commit_ms=1)
    await box.append("sts-1", "r", 5, [crane_cycle(number) for number in range(5)])
    for start in range(0, 1000, 50):
        await box.append("gateway", "r", start + 50, [noise(number) for number in range(start, start + 50)])
    stats = await box.stats()
    assert stats.used_bytes <= 1024**2 * 1.2
    seen: dict[str, list[int]] = {}
    dropped = 0
    for batch in await sealed(box):
        for record in decode_batch(batch.data).records:
            dropped += record.last_seq() - record.seq + 1 if isinstance(record.payload, Gap) else 0
            seen.setdefault(batch.stream_id.rpartition(".")[2], []).extend(range(record.seq, record.last_seq() + 1))
    assert sorted(seen["crane_cycle"]) == [1, 2, 3, 4, 5]
    assert sorted(seen["log"]) == list(range(1, 1001))
    assert dropped > 0
    assert counters.total("dropped_log_capacity") == dropped
    assert counters.total("dropped_crane_cycle_capacity") == 0


async def test_a_full_disk_takes_no_records_but_receipts_and_recovers(opened: Opener, counters: Counters) -> None:
    box = opened(seal_records=10)
    await box.append("ais", "r", 10, [ais(number) for number in range(10)])
    (batch,) = await sealed(box)
    await _fill(box)
    items = [noise(number) for number in range(200)]
    assert await box.append("gateway", "r", 200, items) == Appended(200, is_on_disk=False)
    assert "full" in box.trouble
    assert counters.total("commit_failures") > 0
    assert batch.batch_id in [item.batch_id for item in await everything(box)]
    assert batch.batch_id in await box.settle([committed(batch)])
    assert await box.stored_no("gateway", "r") == 200
    await box._disk.do(Job(run=lambda store: store._db.execute("PRAGMA max_page_count = 1000000").fetchone()))
    await box.tend()
    assert box.trouble == ""
    assert await box.append("gateway", "r", 200, items) == Appended(200)


@pytest.mark.parametrize("is_protected", [True, False])
async def test_a_receipt_survives_the_failure_of_an_append_in_its_group(opened: Opener, *, is_protected: bool) -> None:
    """With its mutation proof: a receipt that counted as an append would fail with it, and nothing would make room."""
    box = opened(seal_records=10, group_commit_ms=100)
    await box.append("ais", "r", 10, [ais(number) for number in range(10)])
    (batch,) = await sealed(box)
    await _fill(box)
    receipt = Job(run=lambda store: store.settle(*committed(batch), 0), is_write=True, is_append=not is_protected)
    results = await asyncio.gather(
        box.append("gateway", "r", 200, [noise(number) for number in range(200)]),
        box._disk.do(receipt),
        return_exceptions=True,
    )
    assert results[0] == Appended(200, is_on_disk=False)
    assert (results[1] == batch.batch_id) is is_protected
    assert (batch.batch_id not in [item.batch_id for item in await everything(box)]) is is_protected


async def test_a_closed_outbox_says_so_at_once(opened: Opener) -> None:
    box = opened()
    await box.close()
    with pytest.raises(LinkError) as caught:
        await box.append("ais", "r", 1, [ais(1)])
    assert caught.value.reason == "closed"


async def test_a_database_that_breaks_while_running_is_salvaged_and_work_goes_on(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, counters: Counters
) -> None:
    box = opened()
    await box.append("ais", "r", 1, [ais(1)])
    real = tables.remember_run
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def broken(*_: object) -> None:
        monkeypatch.setattr(tables, "remember_run", real)
        raise error

    monkeypatch.setattr(tables, "remember_run", broken)
    assert await box.append("ais", "r", 2, [ais(2)]) == Appended(2, is_on_disk=False)
    await box.tend()
    assert box.trouble == ""
    (damage,) = box.take_damages()
    assert (damage.saved_batches, damage.lost) == (1, {})
    assert (tmp_path / damage.file).exists()
    first, second = await sealed(box)
    assert (first.first_seq, second.first_seq) == (1, 1)
    assert first.stream_id != second.stream_id
    assert counters.total("databases_set_aside") == 1
    assert box.take_damages() == []


async def test_stats_tell_what_has_no_receipt(opened: Opener) -> None:
    box = opened(seal_records=2)
    await box.append("ais", "r", 3, [ais(1), ais(2), wind(3)])
    batches = await sealed(box)
    stats = await box.stats()
    states = {state.stream_id.rpartition(".")[2]: state for state in stats.streams}
    assert (states["track"].next_seq, states["track"].buffered_records) == (3, 2)
    assert states["telemetry"].buffered_bytes == sum(len(b.data) for b in batches if b.stream_id.endswith("telemetry"))
    assert stats.oldest_age_s is not None
    await box.settle([committed(batch) for batch in batches])
    stats = await box.stats()
    assert [state.buffered_records for state in stats.streams] == [0, 0]
    assert stats.oldest_age_s is None


async def _fill(box: Outbox) -> None:
    """Let the database not grow any more, as on a full disk."""
    await box._disk.do(Job(run=_no_more_pages))


def _no_more_pages(store: Store) -> int:
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    return int(store._db.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0])
