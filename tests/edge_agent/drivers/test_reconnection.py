import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from contracts.errors import LinkError
from edge_agent.backoff import FullJitter
from edge_agent.drivers import reconnection
from edge_agent.drivers.reconnection import Reconnection
from edge_agent.drivers.vitals import Vitals

Step = Callable[[Callable[[], None]], Awaitable[None]]


class ScriptedSession:
    """Hardware that fails as its script says: one entry an attempt, ``None`` refuses to open."""

    open_timeout_s = 0.05

    def __init__(self, *script: Step | None) -> None:
        self.script = list(script)
        self.opened = 0
        self.closed = 0
        self.done = asyncio.Event()

    async def open(self) -> None:
        self.opened += 1
        if not self.script:
            self.done.set()
            await asyncio.Event().wait()
        if self.script[0] is None:
            del self.script[0]
            raise LinkError("open", "port", "refused", "", "refused")

    async def serve(self, proven: Callable[[], None]) -> None:
        step = self.script.pop(0)
        assert step is not None
        await step(proven)

    async def close(self) -> None:
        self.closed += 1


async def answers_then_fails(proven: Callable[[], None]) -> None:
    proven()
    raise LinkError("read", "port", "hung up", "", "lost")


async def accepts_and_hangs_up(_proven: Callable[[], None]) -> None:
    raise LinkError("read", "port", "hung up", "", "lost")


async def ends(proven: Callable[[], None]) -> None:
    proven()


async def run(session: ScriptedSession, vitals: Vitals) -> list[str]:
    """Drive the script to its end; returns the log events."""
    with capture_logs() as logs:
        driver = Reconnection(session, vitals, "bench", FullJitter(0.0, 0.0))
        task = asyncio.create_task(driver.run())
        async with asyncio.timeout(5):
            await session.done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    return [entry["event"] for entry in logs]


async def test_it_warns_once_when_hardware_goes_and_tells_once_when_it_is_back() -> None:
    session = ScriptedSession(None, None, None, answers_then_fails, None, None, answers_then_fails)
    vitals = Vitals(0.0)
    assert await run(session, vitals) == ["link_lost", "link_up", "link_lost", "link_up", "link_lost"]
    assert "hung up" in vitals.last_error


async def test_a_peer_that_only_accepts_is_not_up() -> None:
    """A terminal server accepts while the instrument behind it is off: no flapping log, no heartbeat that says well."""
    session = ScriptedSession(accepts_and_hangs_up, accepts_and_hangs_up, accepts_and_hangs_up)
    vitals = Vitals(0.0)
    assert await run(session, vitals) == ["link_lost"]
    assert not vitals.is_link_up


async def test_hardware_is_released_after_every_attempt_and_at_the_end() -> None:
    session = ScriptedSession(None, answers_then_fails)
    await run(session, Vitals(0.0))
    assert session.closed == session.opened == 3


async def test_opening_that_never_ends_is_a_lost_link() -> None:
    session = ScriptedSession()
    vitals = Vitals(0.0)
    task = asyncio.create_task(Reconnection(session, vitals, "bench", FullJitter(0.0, 0.0)).run())
    async with asyncio.timeout(5):
        while "not open after" not in vitals.last_error:  # noqa: ASYNC110 - another task's words are polled
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_bug_is_not_taken_for_a_lost_link() -> None:
    async def crashes(_proven: Callable[[], None]) -> None:
        raise ZeroDivisionError

    session = ScriptedSession(crashes)
    with pytest.raises(ZeroDivisionError):
        await Reconnection(session, Vitals(0.0), "bench", FullJitter(0.0, 0.0)).run()
    assert session.closed == 1


async def test_a_recording_that_has_ended_leaves_the_driver_alive_and_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnection, "SIGN_INTERVAL_S", 0.0)
    session = ScriptedSession(ends)
    vitals = Vitals(0.0)
    task = asyncio.create_task(Reconnection(session, vitals, "bench", FullJitter(0.0, 0.0)).run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert session.opened == 1
    assert (vitals.is_link_up, vitals.last_error) == (False, "recording has ended")
    assert vitals.is_alive(asyncio.get_running_loop().time())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_attempts_slow_down_until_a_connection_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def holds(proven: Callable[[], None]) -> None:
        proven()
        monkeypatch.setattr(reconnection, "STABLE_S", 0.0)
        proven()
        raise LinkError("read", "port", "hung up", "", "lost")

    async def attempts_after(*script: Step) -> int:
        backoff = FullJitter(1.0, 8.0, draw=lambda: 0.0)
        session = ScriptedSession(*script)
        task = asyncio.create_task(Reconnection(session, Vitals(0.0), "bench", backoff).run())
        async with asyncio.timeout(5):
            await session.done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return backoff.attempts

    assert await attempts_after(answers_then_fails, answers_then_fails, answers_then_fails) == 3
    assert await attempts_after(answers_then_fails, answers_then_fails, holds) == 1
