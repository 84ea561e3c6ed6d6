import asyncio
import os
import signal
from pathlib import Path

import pytest

from edge_agent.handover.source_lock import SourceLock
from gateway.supervisor import process
from gateway.supervisor.process import AdoptedProcess, end, lock_holder


def test_a_free_or_absent_lock_has_no_holder(tmp_path: Path) -> None:
    path = tmp_path / "ais.lock"
    assert lock_holder(path) is None
    lock = SourceLock(path)
    assert lock.try_acquire(4711)
    assert lock_holder(path) == 4711
    lock.release()
    assert path.read_text() == "4711\n"
    assert lock_holder(path) is None


def test_looking_at_a_lock_never_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "ais.lock"
    lock_holder(path)
    assert not path.exists()
    first, second = SourceLock(path), SourceLock(path)
    assert first.try_acquire(1)
    lock_holder(path)
    assert not second.try_acquire(2)
    first.release()


def test_a_pid_without_its_lock_is_never_signalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pid in an old lock file may be somebody else's by now."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append(arguments))
    path = tmp_path / "ais.lock"
    lock = SourceLock(path)
    lock.try_acquire(4711)
    AdoptedProcess(4711, path).send(signal.SIGKILL)
    lock.release()
    AdoptedProcess(4711, path).send(signal.SIGKILL)
    assert sent == [(4711, signal.SIGKILL)]


async def test_an_adopted_driver_lives_as_long_as_it_holds_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "POLL_S", 0)
    path = tmp_path / "ais.lock"
    lock = SourceLock(path)
    lock.try_acquire(4711)
    waiting = asyncio.create_task(AdoptedProcess(4711, path).wait())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    lock.release()
    assert await waiting is None


class Deaf:
    """A process that only dies of SIGKILL."""

    pid = 1

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.dead = asyncio.Event()

    async def wait(self) -> int | None:
        await self.dead.wait()
        return -9

    def send(self, signal_number: int) -> None:
        self.signals.append(signal_number)
        if signal_number == signal.SIGKILL:
            self.dead.set()

    def resident_bytes(self) -> int | None:
        return None


async def test_a_driver_that_does_not_end_is_made_to() -> None:
    deaf = Deaf()
    assert await end(deaf, 0.001) == -9
    assert deaf.signals == [signal.SIGTERM, signal.SIGKILL]
