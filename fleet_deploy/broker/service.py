"""Runs one nats-server: start, reload when the register changes, restart when it dies or hangs, stop. A shell.

Decisions are in ``watch`` and ``processes.restarts``; what the broker allows is in ``permissions`` and ``render``.
"""

import asyncio
import random
import shutil
import signal
import time
from pathlib import Path

import structlog

from contracts.errors import LinkError, PortTrackError
from fleet_deploy.broker.configuration import BrokerConfiguration, Change, Mark
from fleet_deploy.broker.ports import Monitor
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.broker.watch import LOOK_INTERVAL_S, Action, Watch
from fleet_deploy.processes.child import Child
from fleet_deploy.processes.restarts import BackoffLimits, RestartPolicy

POLL_S = 0.25
"""How often register and certificates are looked at: a revocation is in force within a second."""
FIRST_LOOK_S = 0.2
START_S = 15.0
"""For one start: JetStream recovers its store before it listens."""
FIRST_TRIES = 3
"""Before a broker that was never ready is given up: one that ran before us may still hold the ports for a moment."""
LIMITS = BackoffLimits(base_s=0.25, cap_s=5.0, stable_s=20.0)

log = structlog.get_logger()


class BrokerService:
    """One server under supervision.

    Args:
        server: the nats-server program.
        configuration: its file.
        settings: for caps and folders.
        monitor: its monitoring.
    """

    def __init__(
        self, server: Path, configuration: BrokerConfiguration, settings: BrokerSettings, monitor: Monitor
    ) -> None:
        self._server = server
        self._configuration = configuration
        self._settings = settings
        self._monitor = monitor
        self._log = log.bind(server=settings.server_name)
        self._child: Child | None = None
        self._has_been_ready = False
        self._shall_clear = self._is_restarting = False
        self._is_listening = False
        self._is_reload_due = False

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set; the broker is then stopped.

        Raises:
            ConfigError: the configuration cannot be written.
            IntegrityError: the register is damaged at the start.
            LinkError: the broker did not get ready in ``FIRST_TRIES`` starts.
        """
        self._configuration.refresh()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._supervise(), name="broker-supervise"),
                group.create_task(self._follow_register(), name="broker-register"),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()

    async def _supervise(self) -> None:
        policy = RestartPolicy(LIMITS, random.SystemRandom().random)
        while True:
            started_at_s = time.monotonic()
            code = await self._run_once()
            if self._is_restarting:
                self._is_restarting = False
                continue
            if not self._has_been_ready and policy.restarts + 1 >= FIRST_TRIES:
                cause = f"ended with code {code} before it was ready, {FIRST_TRIES} times"
                hint = f"see {self._settings.log_file}"
                raise LinkError("start broker", self._settings.server_name, cause, hint, "not_ready")
            delay_s = policy.delay_after_exit(started_at_s, time.monotonic())
            self._log.warning("broker_died", exit_code=code, restart_in_s=round(delay_s, 3), restarts=policy.restarts)
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> int:
        if self._shall_clear:
            shutil.rmtree(self._settings.data_dir, ignore_errors=True)
            self._shall_clear = False
        self._is_listening = self._is_reload_due = False
        command = [str(self._server), "-c", str(self._configuration.path)]
        child = await Child.start("nats-server", command, folder=self._configuration.path.parent)
        self._child = child
        look = asyncio.create_task(self._look_after(child), name="broker-look")
        try:
            return await child.wait()
        finally:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
            self._child = None
            await child.stop()

    async def _look_after(self, child: Child) -> None:
        watch = Watch(self._settings.store_cap_bytes)
        began_s = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S if self._is_listening else FIRST_LOOK_S)
            action = watch.judge(await self._monitor.look())
            if action is Action.SAY_READY:
                self._has_been_ready = self._is_listening = True
                self._log.info("broker_ready", pid=child.pid, users=self._configuration.users)
                self._reload_if_due(child)
            elif action is Action.SAY_SILENT:
                self._log.warning("broker_silent", pid=child.pid)
            elif action in (Action.END, Action.END_AND_CLEAR):
                # a store that was full already at the first look answers all the same
                self._has_been_ready = True
                self._shall_clear = action is Action.END_AND_CLEAR
                self._log.warning("broker_ended", pid=child.pid, reason="store_full" if self._shall_clear else "hang")
                child.kill()
            elif not self._is_listening and time.monotonic() - began_s > START_S:
                self._log.warning("broker_ended", pid=child.pid, reason="never_ready")
                child.kill()

    async def _follow_register(self) -> None:
        seen: Mark | None = None  # nothing seen: what changed between the first writing and now is found at once
        is_broken = False
        while True:
            await asyncio.sleep(POLL_S)
            mark = self._configuration.mark()
            if mark == seen:
                continue
            seen = mark
            try:
                change = self._configuration.refresh()
            except PortTrackError as exc:
                self._log.warning("broker_configuration_kept", reason=exc.reason, cause=str(exc))
                is_broken = True
                continue
            if is_broken:
                self._log.info("broker_configuration_readable")
                is_broken = False
            if self._child is None:
                continue  # the next start reads the file
            if change is Change.RESTART:
                self._log.info("broker_restarting", reason="nodes_changed")
                self._is_restarting = True
                self._child.signal(signal.SIGTERM)
            elif change is Change.RELOAD:
                self._is_reload_due = True
                self._reload_if_due(self._child)

    def _reload_if_due(self, child: Child) -> None:
        """Reload a server that listens; one that is still starting would die of the signal, and is told later."""
        if self._is_reload_due and self._is_listening:
            self._is_reload_due = False
            child.signal(signal.SIGHUP)
            self._log.info("broker_reloaded", users=self._configuration.users)
