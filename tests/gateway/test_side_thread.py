"""Work beside the event loop: one piece at a time, also where nobody waits for the one before any longer."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from contracts.errors import LinkError
from gateway.side_thread import SideThread


class Disk:
    """Answers when it is let, and notes what was done in which order."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.done: list[str] = []
        self.at_once = 0

    def write(self, name: str) -> Callable[[], None]:
        def work() -> None:
            self.at_once += 1
            assert self.at_once == 1, "two threads would write the same file"
            self.answers.wait(10)
            self.done.append(name)
            self.at_once -= 1

        return work


async def test_a_piece_whose_caller_was_cancelled_is_waited_for_by_the_next() -> None:
    disk, side = Disk(), SideThread("test")
    first = asyncio.create_task(side.do(disk.write("old")))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(side.do(disk.write("new")))
    await asyncio.sleep(0)
    disk.answers.set()
    await second
    assert disk.done == ["old", "new"]


async def test_a_disk_that_does_not_answer_is_given_up_once_and_then_refused_at_once() -> None:
    disk, side = Disk(), SideThread("test", timeout_s=0.05)
    with pytest.raises(LinkError, match="no answer in"):
        await side.do(disk.write("first"))
    with pytest.raises(LinkError, match="since an earlier attempt"):
        await side.do(disk.write("second"))
    disk.answers.set()
    while not disk.done:  # noqa: ASYNC110 - a thread, not a task
        await asyncio.sleep(0.01)
    await side.do(disk.write("third"))
    assert disk.done == ["first", "third"]


async def test_an_error_of_the_work_passes_through() -> None:
    def work() -> None:
        raise LinkError("write", "file", "full", "", "disk")

    with pytest.raises(LinkError, match="full"):
        await SideThread("test").do(work)
