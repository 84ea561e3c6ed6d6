"""The picture is filled beside serving: it may take, fail or hang, and live records come meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.live.frames import FrameComposer
from cloud_api.live.picture import LivePicture
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from cloud_api.tracking.warming import PART, Observations, Warming
from contracts.errors import LinkError
from tests.support.cloud_observations import NOW_NS, S, batch, position, record
from tests.support.live_wire import decode

WARMING_SECTION = 7
DEADLINE_S = 20.0


class NoWait(random.Random):
    """Draws the shortest wait."""

    def uniform(self, a: float, b: float) -> float:
        del b
        return a


class Plant:
    """A picture with its feeder, and a history that does what the test says."""

    def __init__(self, read: Callable[[int], Awaitable[Observations]], timeout_s: float = DEADLINE_S) -> None:
        self.picture = LivePicture()
        self.track = TrackService(self.picture, TrackMetrics(CollectorRegistry()))
        self.warming = Warming(read, 3600 * S, self.track, self.picture, lambda: NOW_NS, NoWait(), timeout_s)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.warming.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wait_for(self, state: str) -> None:
        while self.warming.state != state:  # noqa: ASYNC110 - the state says itself, nothing wakes
            await asyncio.sleep(0)

    def says_warming(self) -> bool:
        self.picture.advance(0)
        frame, _ = FrameComposer(self.picture, 1).compose(None, NOW_NS)
        return WARMING_SECTION in decode(frame).unknown_sections

    def speed_kn(self, mmsi: int) -> float | None:
        target = self.picture.target(mmsi)
        assert target is not None
        assert target.position is not None
        return target.position.sog_kn


async def test_live_records_that_come_while_the_history_is_read_win_over_it() -> None:
    release = asyncio.Event()
    both, only_old = 224_000_001, 224_000_002

    async def read(since_ns: int) -> Observations:
        assert since_ns == NOW_NS - 3600 * S
        await release.wait()
        return [("demo", "gw-1", record(position(mmsi, sog_kn=1.0), NOW_NS - 9 * S)) for mmsi in (both, only_old)]

    plant = Plant(read)
    async with plant.running():
        await asyncio.sleep(0)
        plant.track.on_batch("demo", "gw-1", batch([record(position(both, sog_kn=8.0), NOW_NS - S)]), NOW_NS)
        assert (plant.speed_kn(both), plant.warming.state, plant.says_warming()) == (8.0, "warming", True)
        release.set()
        await plant.wait_for("warm")
    assert (plant.speed_kn(both), plant.speed_kn(only_old)) == (8.0, 1.0)
    assert not plant.says_warming()


async def test_a_history_that_hangs_and_one_that_fails_are_asked_again_and_told_once() -> None:
    asked: list[int] = []

    async def read(since_ns: int) -> Observations:
        asked.append(since_ns)
        if len(asked) == 1:
            await asyncio.get_running_loop().create_future()
        if len(asked) <= 3:
            raise LinkError("read history", "here", "gone", "", "unreachable")
        return [("demo", "gw-1", record(position(), NOW_NS - S))]

    plant = Plant(read, timeout_s=0.01)
    with capture_logs() as logs:
        async with plant.running():
            await plant.wait_for("retrying")
            assert plant.says_warming()
            await plant.wait_for("warm")
    assert len(asked) == 4
    assert not plant.says_warming()
    assert [entry["event"] for entry in logs] == ["picture_not_warmed", "picture_warmed"]


async def test_a_large_history_lets_others_have_their_turn_between_parts() -> None:
    observations: Observations = [
        ("demo", "gw-1", record(position(224_000_000 + number), NOW_NS - S)) for number in range(3 * PART)
    ]

    async def read(_since_ns: int) -> Observations:
        return observations

    plant, seen = Plant(read), set()
    async with plant.running():
        while plant.warming.state != "warm":
            seen.add(len(plant.picture.targets()))
            await asyncio.sleep(0)
    assert {PART, 2 * PART} <= seen
