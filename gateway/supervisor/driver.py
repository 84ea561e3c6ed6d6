"""Supervises one driver: adopts or starts it, kills it when it hangs or leaks, starts it again with backoff."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import structlog

from contracts.errors import LinkError
from contracts.health import SourceStatus
from edge_agent.backoff import FullJitter
from edge_agent.handover.protocol import Heartbeat
from firmware_configs.device import Supervision
from firmware_configs.hardware_profile import Source
from gateway.supervisor.lifecycle import DriverLife, Phase
from gateway.supervisor.memory import MIB
from gateway.supervisor.ports import ProcessLauncher
from gateway.supervisor.process import AdoptedProcess, DriverProcess, end, lock_holder

STOP_GRACE_S = 5.0
"""A driver hands over for at most 5 s after SIGTERM (docs/handover.md)."""
WATCH_INTERVAL_S = 0.5
MAX_REASONS = 64
"""Reasons of rejection kept of a driver: its own set is bounded, a broken one must not grow the status."""
EXIT_CONFIG = 2
END_REASONS = ("memory", "hang", "exit", "config", "requested")
"""Why drivers end: leaks, silence, by themselves or by a signal of somebody else, bad settings, on request."""

log = structlog.get_logger()


class Driver:
    """One source's driver, whoever started it.

    Args:
        source: its entry in the hardware profile.
        folder: folder of the hand-over socket, the locks and the logs.
        settings: hang timeout and backoff.
        launcher: starts processes.
    """

    def __init__(self, source: Source, folder: Path, settings: Supervision, launcher: ProcessLauncher) -> None:
        self.source = source.source
        self.log_path = folder / f"{source.source}.log"
        self._entry = source
        self._lock_path = folder / f"{source.source}.lock"
        self._launcher = launcher
        self._memory_mib = settings.driver_memory_mib
        self._life = DriverLife(settings.hang_timeout_s, FullJitter(settings.backoff_base_s, settings.backoff_cap_s))
        self._process: DriverProcess | None = None
        self._heartbeat = Heartbeat(is_link_up=False)
        self._faults: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._records = 0
        self._last_record_at_ns: int | None = None
        self._last_stored_at_s = 0.0
        self._last_error = ""
        self._is_stopping = False
        self._restart = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether the process has said Hello and is alive."""
        return self._life.phase is Phase.RUNNING

    @property
    def is_link_up(self) -> bool:
        """Whether its hardware is connected, by its last heartbeat."""
        return self.is_running and self._heartbeat.is_link_up

    @property
    def pid(self) -> int | None:
        """Process id, None while no process is alive."""
        return self._process.pid if self._process is not None else None

    @property
    def last_error(self) -> str:
        """Last error in plain words, empty if none."""
        return self._heartbeat.last_error or self._last_error

    async def run(self) -> None:
        """Keep the driver running until ``stop``."""
        while not self._is_stopping:
            self._restart.clear()
            process = await self._find_or_start()
            wait_s = await self._live(process) if process else self._life.ended(time.monotonic())
            if wait_s > 0 and not self._is_stopping:
                await self._pause(wait_s)

    async def stop(self) -> None:
        """End the driver, letting it hand over what it holds; ``run`` returns."""
        self._is_stopping = True
        self._restart.set()
        process = self._process
        if process is not None:
            await end(process, STOP_GRACE_S)
        self._life.stopped()

    def request_restart(self) -> None:
        """End the driver and start it again at once."""
        self._restart.set()

    def status(self) -> SourceStatus:
        """Return its state as the status reports it."""
        age_s = None if self._last_record_at_ns is None else time.monotonic() - self._last_stored_at_s
        rejected = dict(list(self._heartbeat.rejected.items())[:MAX_REASONS])
        for reason, count in self._faults.items():
            rejected[reason] = rejected.get(reason, 0) + count
        return SourceStatus(
            source=self.source,
            kind=self._entry.driver,
            place=self._entry.place,
            state=self._life.phase.value,
            last_record_at_ns=self._last_record_at_ns,
            last_record_age_s=age_s,
            records=self._records,
            restarts=self._life.restarts,
            ends=dict(self._ends),
            rejected=rejected,
            last_error=self.last_error[:500],
        )

    def said_hello(self, pid: int) -> None:
        """See ``DriverEvents``."""
        log.info("driver_running", source=self.source, pid=pid)
        self._life.said_hello(time.monotonic())
        self._last_error = ""

    def beat(self, heartbeat: Heartbeat) -> None:
        """See ``DriverEvents``."""
        self._heartbeat = heartbeat
        self._life.heard(time.monotonic())

    def held_up(self, *, is_held_up: bool) -> None:
        """See ``DriverEvents``."""
        self._life.held_up(is_held_up=is_held_up, now=time.monotonic())

    def stored(self, count: int, last_at_ns: int) -> None:
        """See ``DriverEvents``."""
        self._records += count
        self._last_record_at_ns = last_at_ns
        self._last_stored_at_s = time.monotonic()

    def misbehaved(self, reason: str, cause: str) -> None:
        """See ``DriverEvents``."""
        name = f"handover_{reason}"
        if not self._faults[name]:
            log.warning("driver_misbehaved", source=self.source, reason=reason, cause=cause)
        self._faults[name] += 1
        self._last_error = cause

    async def _find_or_start(self) -> DriverProcess | None:
        pid = await asyncio.to_thread(lock_holder, self._lock_path)
        if pid is not None:
            log.info("driver_adopted", source=self.source, pid=pid)
            return AdoptedProcess(pid, self._lock_path)
        try:
            return await self._launcher.start(self.source, self.log_path)
        except LinkError as exc:
            log.warning("driver_not_started", source=self.source, cause=exc.cause)
            self._last_error = exc.cause
            return None

    async def _live(self, process: DriverProcess) -> float:
        """Watch a process to its end; returns how long to wait before the next start, s."""
        if self._is_stopping:
            await end(process, STOP_GRACE_S)
            return 0.0
        self._process = process
        # a driver of an earlier gateway may have said Hello before it was found here
        if not (self.is_running and isinstance(process, AdoptedProcess)):
            self._life.started(time.monotonic())
        try:
            reason, cause = await self._watch(process)
        finally:
            self._process = None
        if self._is_stopping:
            return 0.0
        self._heartbeat = Heartbeat(is_link_up=False, rejected=self._heartbeat.rejected)
        wait_s = self._life.ended(time.monotonic())
        if self._restart.is_set():
            self._ends["requested"] += 1
            log.info("driver_restarted_on_request", source=self.source)
            return 0.0
        self._last_error = cause
        self._ends[reason] += 1
        wait = round(wait_s, 2)
        log.warning("driver_ended", source=self.source, pid=process.pid, reason=reason, cause=cause, wait_s=wait)
        return wait_s

    async def _watch(self, process: DriverProcess) -> tuple[str, str]:
        """Watch a process until it ends or has to be ended; returns why: a word of ``END_REASONS``, and in words."""
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(process.wait(), name=f"driver-{self.source}-wait")
            while not ending.done():
                fault = self._life.overdue(time.monotonic())
                leak = self._over_memory(process)
                if fault or leak:
                    process.send(signal.SIGKILL)
                    await ending
                    return ("memory", f"{leak}, killed") if leak else ("hang", f"{fault}, killed")
                if self._restart.is_set() and not self._is_stopping:
                    await end(process, STOP_GRACE_S)
                await asyncio.wait({ending}, timeout=WATCH_INTERVAL_S)
            code = ending.result()
        return "config" if code == EXIT_CONFIG else "exit", _explain(code)

    def _over_memory(self, process: DriverProcess) -> str:
        resident = process.resident_bytes()
        if resident is None or resident <= self._memory_mib * MIB:
            return ""
        return f"memory {resident // MIB} MiB over {self._memory_mib} MiB"

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._restart.wait()
        except TimeoutError:
            return


def _explain(code: int | None) -> str:
    if code is None:
        return "ended"
    if code == EXIT_CONFIG:
        return "config error, see its log"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
