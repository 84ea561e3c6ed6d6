"""From memory to the disk: each number arrives, whatever memory gives up while a part of it is being copied."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.codec import decode_batch
from contracts.payloads import Gap, Log
from contracts.records import Clock, ClockState, Observation, RecordClass
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import moving, tables
from gateway.outbox.bounds import ring_limits_of
from gateway.outbox.database import open_in_memory
from gateway.outbox.migration import migrate
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, ManualClock

BATCHES = 6
LENGTH = 10


def opened(db: sqlite3.Connection) -> Store:
    quarantine = Quarantine(Path("unused"))
    migrate(db, (SITE, GATEWAY), quarantine)
    limits = ring_limits_of(OutboxSettings(), ManualClock())
    store = Store(db, (SITE, GATEWAY), SealingPolicy(500, 60), limits, quarantine, Counters())
    store.reload(0)
    return store


@pytest.fixture
def stores() -> Iterator[tuple[Store, Store]]:
    connections = open_in_memory(), open_in_memory()
    yield opened(connections[0]), opened(connections[1])
    for connection in connections:
        connection.close()


def fill(ring: Store) -> str:
    """Put in batches of ten log events, and drop the first of them; returns the stream."""
    ring._sealing.is_hungry = True
    for number in range(1, BATCHES + 1):
        item = Observation(1, Clock(ClockState.NTP), 1, "boot1", "a", Log(level="info", event="event"))
        ring.append("a", "r", number * LENGTH, [item] * LENGTH)
        ring.flush(0)
    drop(ring)
    return next(stream.stream_id for stream in ring.shelf.streams)


def drop(ring: Store) -> None:
    ring._pressure._drop(RecordClass.LOG, "ring_overflow")


def held(store: Store, stream_id: str) -> list[tuple[int, int]]:
    stream = store.shelf.streams.find(stream_id)
    return list(tables.ranges(store.shelf.db, stream.key)) if stream is not None else []


def numbers(store: Store, stream_id: str) -> list[int]:
    return [seq for first, last in held(store, stream_id) for seq in range(first, last + 1)]


def gaps(store: Store) -> list[Gap]:
    rows = store.shelf.db.execute("SELECT data FROM batches ORDER BY first_seq")
    records = [each for (data,) in rows for each in decode_batch(data).records]
    return [each.payload for each in records if isinstance(each.payload, Gap)]


def test_a_declaration_that_grows_while_it_is_copied_arrives_whole(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part holds the declaration only; meanwhile the ring is full, and the next batch goes and is joined to it."""
    ring, disk = stores
    stream_id = fill(ring)
    monkeypatch.setattr(moving, "PART_BYTES", 1)
    for _ in range(3):
        load = moving.lift(ring)
        moving.stow(disk, load)
        drop(ring)
        moving.let_go(ring, load)
    while not (load := moving.lift(ring)).is_all or load.batches:
        moving.stow(disk, load)
        moving.let_go(ring, load)
    assert held(ring, stream_id) == []
    assert numbers(disk, stream_id) == list(range(1, BATCHES * LENGTH + 1))
    assert {gap.reason for gap in gaps(disk)} == {"ring_overflow"}


def test_what_the_disk_has_joined_is_not_put_in_twice(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part was copied and not let go of: the disk has made one declaration of it and of what was before."""
    ring, disk = stores
    stream_id = fill(ring)
    monkeypatch.setattr(moving, "PART_BYTES", 10**6)
    moving.stow(disk, moving.lift(ring))
    for _ in range(3):
        disk._pressure._drop(RecordClass.LOG, "capacity")
    load = moving.lift(ring)
    moving.stow(disk, load)
    moving.let_go(ring, load)
    assert held(ring, stream_id) == []
    assert numbers(disk, stream_id) == list(range(1, BATCHES * LENGTH + 1))
