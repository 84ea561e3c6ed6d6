"""The ticker and the reading of ``since``, on a loop whose clock is the test's."""

import asyncio
from collections.abc import Iterator

import pytest

from cloud_api.live.feed import LiveFeed, LiveTiming
from cloud_api.live.models import Origin
from cloud_api.live.picture import LivePicture
from tests.support.cloud_observations import NOW_NS, STREAM, position, record


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that never waits: when nothing is ready its clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_s = 0.0

    def time(self) -> float:
        return self._virtual_s

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined] # asyncio's own queues
        if not ready and scheduled:
            self._virtual_s = max(self._virtual_s, scheduled[0]._when)
        super()._run_once()  # type: ignore[misc] # asyncio's own step


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def run_for(
    loop: VirtualLoop, feed: LiveFeed, seconds: float, change_each_s: float | None, picture: LivePicture
) -> int:
    async def change() -> None:
        seq = 0
        while change_each_s is not None:
            seq += 1
            ais = position(sog_kn=seq % 10)
            picture.observe_ais(ais, record(ais, NOW_NS + seq, seq), Origin("demo", "g", "a"), STREAM, NOW_NS + seq)
            await asyncio.sleep(change_each_s)

    async def both() -> None:
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(change())]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    before = picture.tick
    loop.run_until_complete(both())
    return picture.tick - before


def make() -> tuple[LivePicture, LiveFeed]:
    picture = LivePicture()
    return picture, LiveFeed(picture, LiveTiming(), lambda: NOW_NS)


def test_at_most_five_ticks_a_second_however_much_changes(loop: VirtualLoop) -> None:
    picture, feed = make()
    assert 95 <= run_for(loop, feed, 20.0, 0.001, picture) <= 100


def test_one_tick_a_second_when_nothing_changes(loop: VirtualLoop) -> None:
    picture, feed = make()
    assert 19 <= run_for(loop, feed, 20.0, None, picture) <= 21


def test_who_waits_is_woken_by_the_tick_after_the_one_it_stands_at(loop: VirtualLoop) -> None:
    picture, feed = make()

    async def wait() -> int:
        waiting = asyncio.create_task(feed.wait_beyond(1))
        await asyncio.sleep(0)
        feed.turn()
        await asyncio.sleep(0.01)
        assert not waiting.done()
        feed.turn()
        await asyncio.wait_for(waiting, 1)
        return picture.tick

    assert loop.run_until_complete(wait()) == 2


@pytest.mark.parametrize(
    "since", ["", ":", "1", "x:1", "{epoch}:", "{epoch}:-1", "{epoch}:9", "{epoch}:1e0", "{epoch}:²"]
)
def test_what_cannot_be_resumed_gets_a_snapshot(loop: VirtualLoop, since: str) -> None:
    async def ask() -> int | None:
        _, feed = make()
        feed.turn()
        return feed.resume_tick(since.replace("{epoch}", str(feed.epoch)))

    assert loop.run_until_complete(ask()) is None


def test_a_tick_of_this_epoch_is_resumed(loop: VirtualLoop) -> None:
    async def ask() -> int | None:
        _, feed = make()
        feed.turn()
        return feed.resume_tick(f"{feed.epoch}:1")

    assert loop.run_until_complete(ask()) == 1
