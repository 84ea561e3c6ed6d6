"""A status names exactly the numbers that lie in the outbox: after receipts in any order, joins and a new start."""

import sqlite3
from pathlib import Path

import pytest

from contracts.receipt import Outcome, Receipt
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.held import HeldRanges
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, ais

NONE: frozenset[int] = frozenset()


def opened(path: Path) -> Outbox:
    box = Outbox(path, SITE, GATEWAY, OutboxSettings(group_commit_ms=5), ManualClock(), Counters())
    box.start(lambda: None)
    return box


async def append(box: Outbox, count: int, *, known: int = 0) -> None:
    for number in range(known + 1, known + count + 1):
        await box.append("ais", "run", number, [ais(number)])


async def held(box: Outbox) -> list[tuple[int, int]] | None:
    (stream,) = (await box.stats()).streams
    assert stream.oldest_seq == (stream.buffered_ranges[0][0] if stream.buffered_ranges else None)
    return stream.buffered_ranges


async def batches(box: Outbox) -> list[StoredBatch]:
    return [item for lane in Lane for item in await box.next_batches(lane, NONE, 100, 10**9)]


def in_file(path: Path) -> list[tuple[int, int]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT first_seq, last_seq FROM batches ORDER BY first_seq").fetchall()
    connection.close()
    return [(first, last) for first, last in rows]


async def test_what_receipts_take_leaves_the_ranges_and_a_new_start_finds_them_again(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    box = opened(path)
    box.set_hungry(True)
    await append(box, 6)
    assert await held(box) == [(1, 6)]
    taken = [item for item in await batches(box) if item.first_seq in (2, 4, 5)]
    receipts = [
        Receipt(outcome=Outcome.COMMITTED, stream_id=one.stream_id, first_seq=one.first_seq, last_seq=one.last_seq)
        for one in taken
    ]
    await box.settle([(receipt, None) for receipt in receipts])
    assert await held(box) == [(1, 1), (3, 3), (6, 6)]
    await box.close()
    assert in_file(path) == [(1, 1), (3, 3), (6, 6)]
    box = opened(path)
    assert await held(box) == [(1, 1), (3, 3), (6, 6)]
    await append(box, 2, known=6)
    assert await held(box) == [(1, 1), (3, 3), (6, 8)]
    await box.close()


async def test_open_batches_that_are_joined_are_still_held(tmp_path: Path) -> None:
    box = opened(tmp_path / "outbox.db")
    await append(box, 5)
    assert await held(box) == [(1, 5)]
    await box.seal_all()
    assert len(await batches(box)) == 1
    assert await held(box) == [(1, 5)]
    await box.close()


async def test_ranges_in_memory_that_left_the_sums_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the comparison: rows that go past the ranges in memory are noticed by the sum of the stream."""
    box = opened(tmp_path / "outbox.db")
    await append(box, 3)
    assert await held(box) == [(1, 3)]
    monkeypatch.setattr("gateway.outbox.streams.Stream.take", lambda *_: None)
    await append(box, 2, known=3)
    assert await held(box) == [(1, 5)]
    monkeypatch.setattr("gateway.outbox.streams.read_held", lambda *_: HeldRanges([(1, 5)]))
    await append(box, 1, known=5)
    assert await held(box) == [(1, 5)]
    await box.close()
