"""Composition root of a driver process: one source, its driver and its hand-over, until told to stop.

Only wires. The driver runs in a group of its own kind of failure: if it crashes, what it had numbered is still handed
over before the process ends, because the gateway will start it again at once and the records would be lost.
"""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from contracts.errors import LinkError
from edge_agent import clock
from edge_agent.alarms.sink import AlarmSink
from edge_agent.drivers.reconnection import Reconnection, backoff_for
from edge_agent.drivers.registry import make_session
from edge_agent.drivers.vitals import Vitals
from edge_agent.handover.client import HandOverClient, new_run_id
from edge_agent.handover.outgoing import OutgoingRun
from edge_agent.handover.sink import HandOverSink
from edge_agent.handover.source_lock import LOCK_RETRY_S, LOCK_TIMEOUT_S, SourceLock, lock_path
from firmware_configs.hardware_profile import Source

EXIT_OK = 0
EXIT_CRASHED = 1
EXIT_CONFIG = 2
EXIT_NO_GATEWAY = 75
"""EX_TEMPFAIL of sysexits.h: the gateway is gone, or another driver holds the source."""

HAND_OVER_TIMEOUT_S = 5.0
"""Longest time to hand over what is held after SIGTERM, s."""


@dataclass(frozen=True)
class AgentSettings:
    """What a driver process runs by.

    Attributes:
        source: the driver instance.
        socket_path: the gateway's socket.
        lock_timeout_s: longest wait for the source's lock, s.
        gone_s: longest time without a gateway, s.
        hand_over_timeout_s: longest time to hand over after SIGTERM, s.
    """

    source: Source
    socket_path: Path
    lock_timeout_s: float = LOCK_TIMEOUT_S
    gone_s: float = 10.0
    hand_over_timeout_s: float = HAND_OVER_TIMEOUT_S


async def run_agent(settings: AgentSettings) -> int:
    """Run one driver until SIGTERM or SIGINT, or until its gateway is gone; returns the exit code.

    Raises:
        ConfigError: the source's settings do not fit its driver.
        LinkError: the lock file cannot be made.
    """
    log = structlog.get_logger().bind(source=settings.source.source)
    lock = SourceLock(lock_path(settings.socket_path, settings.source.source))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        if not await _acquire(lock, settings.lock_timeout_s, stop):
            if stop.is_set():
                return EXIT_OK
            log.warning("source_is_taken", timeout_s=settings.lock_timeout_s)
            return EXIT_NO_GATEWAY
        return await Agent(settings, stop).run()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        lock.release()


async def _acquire(lock: SourceLock, timeout_s: float, stop: asyncio.Event) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not lock.try_acquire(os.getpid()):
        if stop.is_set() or time.monotonic() >= deadline_s:
            return False
        await asyncio.sleep(LOCK_RETRY_S)
    return True


class Agent:
    """The parts of one driver process.

    Args:
        settings: what it runs by.
        stop: set to end it.

    Raises:
        ConfigError: the source's settings do not fit its driver.
    """

    def __init__(self, settings: AgentSettings, stop: asyncio.Event) -> None:
        source = settings.source
        self._settings = settings
        self._stop = stop
        self._log = structlog.get_logger().bind(source=source.source)
        self._outgoing = OutgoingRun(new_run_id())
        vitals = Vitals(time.monotonic())
        probe = clock.ClockProbe(best_reference=vitals.clocks.best)
        stamper = clock.Stamper(source.source, source.place, clock.read_boot_id(), probe)
        kept = HandOverSink(self._outgoing, stamper, vitals)
        sink = AlarmSink(kept, source)
        vitals.count_from(sink.counts)
        backoff = backoff_for(source.link.kind)
        self._reconnection = Reconnection(make_session(source, sink, vitals), vitals, source.source, backoff)
        self._client = HandOverClient(
            settings.socket_path, source.source, os.getpid(), self._outgoing, kept, vitals, sink.adopt, settings.gone_s
        )

    async def run(self) -> int:
        """Run until stopped; returns the exit code."""
        source = self._settings.source
        self._log.info("driver_started", driver=source.driver, place=source.place, run_id=self._outgoing.run_id)
        code = EXIT_OK
        try:
            async with asyncio.TaskGroup() as group:
                handing_over = group.create_task(self._client.run(), name="hand-over")
                code = await self._drive()
                await self._finish(handing_over)
        except* LinkError as gone:
            self._log.warning("gateway_gone", cause=str(gone.exceptions[0]), pending=self._outgoing.pending)
            code = EXIT_NO_GATEWAY
        self._log.info("driver_stopped", exit_code=code, last_no=self._outgoing.last_no, unsent=self._outgoing.pending)
        return code

    async def _drive(self) -> int:
        """Run the driver until stopped; a crash is told here, so that the hand-over can still finish."""
        code = EXIT_OK
        try:
            async with asyncio.TaskGroup() as group:
                driving = group.create_task(self._reconnection.run(), name="driver")
                await self._stop.wait()
                driving.cancel()
        except* Exception as crash:  # noqa: BLE001 - any bug of a driver: told, and this process ends by it
            self._log.error("driver_crashed", exc_info=crash)
            code = EXIT_CRASHED
        return code

    async def _finish(self, handing_over: asyncio.Task[None]) -> None:
        self._client.finish()
        await asyncio.wait((handing_over,), timeout=self._settings.hand_over_timeout_s)
        if not handing_over.done():
            self._log.warning("hand_over_unfinished", pending=self._outgoing.pending)
            handing_over.cancel()
