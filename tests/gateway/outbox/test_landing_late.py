"""A disk that hangs in a commit and does it after all: what was given to memory meanwhile is stored once, in order."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.codec import decode_batch
from contracts.errors import PeerError
from contracts.payloads import Ais
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.custody import Custody
from gateway.outbox.line import Line
from gateway.outbox.models import Appended, Lane
from gateway.outbox.outbox import Outbox
from gateway.outbox.store import Store
from tests.support.ais_feed import FIRST_MMSI
from tests.support.gateway_records import GATEWAY, SITE, RunningClock, ais

SETTINGS = OutboxSettings(group_commit_ms=1, disk_timeout_s=0.8)
EACH = 10
WAIT_S = 10.0


class Gate:
    """Holds the writer's thread behind its commit, as a disk does that has done the work and does not answer."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._is_open = threading.Event()
        self._is_open.set()
        self._is_reached = threading.Event()
        done = Custody.committed

        def committed(custody: Custody, store: Store) -> None:
            self._is_reached.set()
            assert self._is_open.wait(WAIT_S)
            done(custody, store)

        patch.setattr(Custody, "committed", committed)

    @contextmanager
    def closed(self) -> Iterator[None]:
        self._is_reached.clear()
        self._is_open.clear()
        try:
            yield
        finally:
            self._is_open.set()

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._is_reached.wait, WAIT_S)


async def append(box: Outbox, number: int) -> Appended:
    """Append the group of a number, from 1."""
    last_no = number * EACH
    return await box.append("ais", "r", last_no, [ais(each) for each in range(last_no - EACH + 1, last_no + 1)])


async def settle(box: Outbox) -> None:
    async with asyncio.timeout(WAIT_S):
        while (await box.stats()).is_volatile:
            await box.tend()
            await asyncio.sleep(0.01)


async def stored(box: Outbox) -> Counter[int]:
    await box.seal_all()
    found: Counter[int] = Counter()
    for lane in Lane:
        for batch in await box.next_batches(lane, frozenset(), 1000, 2**30):
            payloads = [record.payload for record in decode_batch(batch.data).records]
            found.update(payload.mmsi - FIRST_MMSI for payload in payloads if isinstance(payload, Ais))
    return found


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@contextmanager
def opened(path: Path) -> Iterator[Outbox]:
    box = Outbox(path, SITE, GATEWAY, SETTINGS, RunningClock(), Counters())
    box.start(lambda: None)
    yield box


async def through_a_hang(box: Outbox, gate: Gate) -> Counter[int]:
    """Append before, in and after a hang; returns what is stored, by ship."""
    try:
        assert (await append(box, 1)).is_on_disk
        with gate.closed():
            waiting = [asyncio.create_task(append(box, 2))]
            await gate.reached()
            # behind the thread: its own time runs out when the first has long been in memory
            await asyncio.sleep(0.5)
            waiting.append(asyncio.create_task(append(box, 3)))
            first = await waiting[0]
            assert not first.is_on_disk
            assert not (await append(box, 4)).is_on_disk
            assert not (await waiting[1]).is_on_disk
        await settle(box)
        assert (await append(box, 5)).is_on_disk
        return await stored(box)
    finally:
        await box.close()


EXPECTED = Counter(dict.fromkeys(range(1, 5 * EACH + 1), 1))


async def test_what_landed_late_is_taken_back_and_stored_once(tmp_path: Path, gate: Gate) -> None:
    with opened(tmp_path / "outbox.db") as box:
        assert await through_a_hang(box, gate) == EXPECTED


async def test_without_taking_back_it_travels_twice(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation."""

    monkeypatch.setattr(Store, "withdraw", lambda *_: 0)
    with opened(tmp_path / "outbox.db") as box:
        found = await through_a_hang(box, gate)
    assert found - EXPECTED == Counter(dict.fromkeys(range(EACH + 1, 2 * EACH + 1), 1))


async def test_without_the_line_an_append_is_passed_by_another(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation: appends behind the first keep waiting for the disk, and those after them go straight to memory."""

    async def at_once(*_: object) -> None:
        return None

    monkeypatch.setattr(Line, "first", at_once)
    monkeypatch.setattr("gateway.outbox.desk.Desk.give_up_line", lambda _: None)
    with opened(tmp_path / "outbox.db") as box, pytest.raises(PeerError, match="begins at 31 where 21 belongs"):
        await through_a_hang(box, gate)
