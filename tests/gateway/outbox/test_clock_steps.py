"""Steps of the clock, through the outbox on real files: nothing is put in another order, nothing expires, nothing goes.

A device starts in 1970, is set to today, to 2099 by a receiver gone mad, back to today, and back to 1999. Each time
some records are stored and the outbox looks at ages. Its monotonic clock runs on; a start of the device begins it anew.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.payloads import Gap, Wind
from contracts.records import Clock, ClockState, Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.age_policy import AgePolicy
from gateway.outbox.backfill import Backfill, TimeReference
from gateway.outbox.models import Lane
from gateway.outbox.outbox import Outbox
from tests.support.gateway_records import GATEWAY, SITE

NS = 1_000_000_000
TODAY = 1_790_000_000 * NS
FUTURE = 4_080_000_000 * NS
PAST = 930_000_000 * NS
STEPS = [(0, False), (TODAY, True), (FUTURE, True), (TODAY, True), (PAST, True), (TODAY, True)]
HOUR_S = 3600.0


class SteppingClock:
    """Real monotonic time for the thread's waits, moved on by hand; UTC as it is stepped to."""

    def __init__(self, boot_id: str) -> None:
        self.boot_id = boot_id
        self._began_s = time.monotonic()
        self.skipped_s = 0.0
        self.base_ns = 0
        self.is_steered = False

    def mono_s(self) -> float:
        return time.monotonic() - self._began_s + self.skipped_s

    def wall_ns(self) -> int:
        return self.base_ns + int(self.mono_s() * NS)

    def is_believed(self) -> bool:
        return self.is_steered

    def age_s(self, _at_ns: int, mono_ns: int, _boot_id: str) -> float:
        return max(0.0, self.mono_s() - mono_ns / NS)


class Bench:
    def __init__(self, box: Outbox, clock: SteppingClock, counters: Counters) -> None:
        self.box, self.clock, self.counters = box, clock, counters
        self.stored = 0

    async def append(self, count: int) -> None:
        """Store records one after another, a second of the device apart."""
        for _ in range(count):
            self.clock.skipped_s += 1
            self.stored += 1
            item = Observation(
                observed_at_ns=self.clock.wall_ns(),
                clock=Clock(ClockState.NTP, 1.0) if self.clock.is_steered else Clock(ClockState.UNSYNCED),
                mono_ns=int(self.clock.mono_s() * NS),
                boot_id=self.clock.boot_id,
                source="wind",
                payload=Wind(speed_mps=float(self.stored)),
            )
            await self.box.append("wind", self.clock.boot_id, self.stored, [item])

    async def step(self, base_ns: int, *, is_steered: bool) -> None:
        """Set the clock; then an hour passes in which the outbox looks at ages."""
        self.clock.base_ns, self.clock.is_steered = base_ns, is_steered
        for _ in range(4):
            await self.append(2)
            self.clock.skipped_s += HOUR_S / 4

    async def batches(self) -> list[Batch]:
        await self.box.seal_all()
        found = [item for lane in Lane for item in await self.box.next_batches(lane, (), 1000, 10**9)]
        return [decode_batch(item.data) for item in found]


@asynccontextmanager
async def device(path: Path, boot_id: str, references: dict[str, TimeReference] | None = None) -> AsyncIterator[Bench]:
    clock, counters = SteppingClock(boot_id), Counters()
    # an age of a day: far above what the tests let pass, far below what the steps claim
    settings = OutboxSettings.model_validate({"group_commit_ms": 1, "classes": {"telemetry": {"max_age_h": 24}}})
    box = Outbox(
        path / "outbox.db",
        SITE,
        GATEWAY,
        settings,
        clock,
        counters,
        Backfill(({} if references is None else references).get),
    )
    box.start(lambda: None)
    try:
        yield Bench(box, clock, counters)
    finally:
        await box.close()


def check_whole(batches: list[Batch], records: int) -> None:
    """Each number once, in order, as a record; and in the order in which they were observed."""
    found = [record for batch in batches for record in batch.records]
    assert [record.seq for record in found] == list(range(1, records + 1))
    assert not [record for record in found if isinstance(record.payload, Gap)]
    assert [record.payload.speed_mps for record in found if isinstance(record.payload, Wind)] == [
        float(number) for number in range(1, records + 1)
    ]


async def test_steps_in_both_directions_reorder_and_expire_nothing(tmp_path: Path) -> None:
    async with device(tmp_path, "b1") as bench:
        for base_ns, is_steered in STEPS:
            await bench.step(base_ns, is_steered=is_steered)
        check_whole(await bench.batches(), len(STEPS) * 8)
        assert not [name for name in bench.counters.snapshot() if name.startswith("dropped")]


async def test_records_of_an_earlier_boot_outlive_the_steps_of_a_later_one(tmp_path: Path) -> None:
    async with device(tmp_path, "b1") as bench:
        await bench.step(TODAY, is_steered=True)
    async with device(tmp_path, "b2") as bench:
        for base_ns, is_steered in STEPS:
            await bench.step(base_ns, is_steered=is_steered)
        found = [record for batch in await bench.batches() for record in batch.records]
        assert [record.seq for record in found] == list(range(1, 8 + len(STEPS) * 8 + 1))
        assert not [record for record in found if isinstance(record.payload, Gap)]


async def test_with_ages_by_the_wall_clock_a_step_would_expire_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    async with device(tmp_path, "b1") as bench:

        def by_the_wall(
            _: AgePolicy, mono_s: float, at_ns: int, mono_ns: int, boot_id: str, *, is_time_known: bool
        ) -> float:
            del mono_s, mono_ns, boot_id, is_time_known
            return (bench.clock.wall_ns() - at_ns) / NS

        monkeypatch.setattr(AgePolicy, "age_s", by_the_wall)
        await bench.step(TODAY, is_steered=True)
        await bench.step(FUTURE, is_steered=True)
        assert bench.counters.snapshot().get("dropped_telemetry_age", 0) > 0


async def test_what_waited_from_before_the_clock_was_set_goes_up_with_its_time(tmp_path: Path) -> None:
    """Boot in 1970, an hour, then the clock is set: every stamp is right to the bound that it states, in order."""
    references: dict[str, TimeReference] = {}
    async with device(tmp_path, "b1", references) as bench:
        await bench.step(0, is_steered=False)
        before = await bench.batches()
        assert all(record.original_at_ns is None for batch in before for record in batch.records)
        mono_ns = int(bench.clock.mono_s() * NS)
        references["b1"] = TimeReference("b1", mono_ns, TODAY + mono_ns, 4.0, ClockState.NTP)
        await bench.step(TODAY, is_steered=True)
        batches = await bench.batches()
        check_whole(batches, 16)
        for record in (record for batch in batches for record in batch.records):
            true_ns = TODAY + record.mono_ns
            assert abs(record.observed_at_ns - true_ns) < 0.05 * NS
            assert (record.original_at_ns is None) == (record.seq > 8)
            assert record.clock.state is ClockState.NTP
            assert (record.clock.error_ms or 0) < 1000
        again = await bench.batches()
        assert again == batches, "a resend is the same"
