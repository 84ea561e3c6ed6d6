"""Keeps parts running: each a process with a log, restarted with backoff when it dies, stopped in stages. A shell."""

import asyncio
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet_deploy.processes.capped_log import trim_log
from fleet_deploy.processes.child import Child
from fleet_deploy.processes.orphans import adopted, end_adopted, reap
from fleet_deploy.processes.restarts import BackoffLimits, RestartPolicy

STOP_GRACE_S = 6.0
"""From the first SIGTERM to SIGKILL for whatever is left."""
STAGE_WAIT_S = 2.5
"""A stage that has not ended by then no longer holds up the next one."""
TIDY_INTERVAL_S = 2.0
LIMITS = BackoffLimits(base_s=0.5, cap_s=10.0, stable_s=20.0)


@dataclass(frozen=True)
class Part:
    """One process to keep.

    Args:
        name: unique, for people.
        command: program and arguments.
        stage: parts of a higher stage are stopped before those of a lower one.
        log: its output goes here.
        prepare: called before every start.
    """

    name: str
    command: list[str]
    stage: int
    log: Path
    prepare: Callable[[], None] = lambda: None


class Supervisor:
    """Runs parts inside a task group.

    Args:
        group: tasks are made here.
        folder: working folder of every part.
        environment: environment of every part.
        say: tells a person (part, what happened).
    """

    def __init__(
        self, group: asyncio.TaskGroup, folder: Path, environment: Mapping[str, str], say: Callable[[str, str], None]
    ) -> None:
        self._group = group
        self._folder = folder
        self._environment = environment
        self._say = say
        self._parts: dict[str, Part] = {}
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked_to_restart: set[str] = set()
        self._is_stopping = False
        self._tidying = group.create_task(self._tidy(), name="tidy")
        self.exits: dict[str, list[int]] = {}

    def start(self, part: Part) -> None:
        """Begin to keep a part."""
        self._parts[part.name] = part
        self.exits[part.name] = []
        self._tasks[part.name] = self._group.create_task(self._keep(part), name=f"keep-{part.name}")

    def restart(self, name: str) -> None:
        """End a part's process, so that it is started again at once."""
        child = self._children.get(name)
        if child is not None:
            self._asked_to_restart.add(name)
            child.signal(signal.SIGTERM)

    def pids(self) -> dict[str, int]:
        """Return the pid of every part that runs."""
        return {name: child.pid for name, child in self._children.items()}

    async def stop(self) -> None:
        """Stop everything, highest stage first; SIGKILL after ``STOP_GRACE_S``, orphans too. Takes at most 8 s."""
        self._is_stopping = True
        self._tidying.cancel()
        deadline_s = time.monotonic() + STOP_GRACE_S
        for stage in sorted({part.stage for part in self._parts.values()}, reverse=True):
            children = [self._children[name] for name in self._names(stage) if name in self._children]
            for child in children:
                child.signal(signal.SIGTERM)
            await _wait_all(children, min(STAGE_WAIT_S, deadline_s - time.monotonic()))
        await _wait_all(list(self._children.values()), deadline_s - time.monotonic())
        for name, child in list(self._children.items()):
            if child.exit_code is None:
                self._say(name, "no termina / does not end: killed")
            child.kill()
        await _wait_all(list(self._children.values()), 1.0)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        end_adopted(self._own())

    def _names(self, stage: int) -> list[str]:
        return [name for name, part in self._parts.items() if part.stage == stage]

    def _own(self) -> set[int]:
        return {child.pid for child in self._children.values()}

    async def _keep(self, part: Part) -> None:
        policy = RestartPolicy(LIMITS, random.SystemRandom().random)
        while not self._is_stopping:
            started_at_s = time.monotonic()
            code = await self._run_once(part)
            if self._is_stopping:
                return
            self.exits[part.name].append(code)
            del self.exits[part.name][:-100]
            if part.name in self._asked_to_restart:
                self._asked_to_restart.discard(part.name)
                continue
            delay_s = policy.delay_after_exit(started_at_s, time.monotonic())
            self._say(part.name, f"caído / died (exit code {code}), starts again in {delay_s:.1f} s; see {part.log}")
            await asyncio.sleep(delay_s)

    async def _run_once(self, part: Part) -> int:
        part.prepare()
        child = await Child.start(
            part.name, part.command, folder=self._folder, environment=self._environment, log=part.log
        )
        self._children[part.name] = child
        try:
            return await child.wait()
        finally:
            del self._children[part.name]

    async def _tidy(self) -> None:
        """Reap adopted processes that ended, and keep the logs under their cap."""
        while True:
            await asyncio.sleep(TIDY_INTERVAL_S)
            reap(adopted(self._own()))
            for part in self._parts.values():
                try:
                    trim_log(part.log)
                except OSError as exc:
                    self._say(part.name, f"its log was cut without a copy: {exc.strerror}")


async def _wait_all(children: list[Child], timeout_s: float) -> None:
    if children:
        waits = [asyncio.create_task(child.wait(), name=f"end-{child.name}") for child in children]
        _, pending = await asyncio.wait(waits, timeout=max(0.0, timeout_s))
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
