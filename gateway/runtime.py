"""Composition root of the gateway: makes the parts, starts them, and stops them in the order that loses nothing."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog

from contracts.errors import ConfigError, LinkError
from contracts.topics import Channel, topic
from edge_agent.clock import ClockProbe, Stamper
from edge_agent.clock_reference import ClockReferences
from firmware_configs.device import EffectiveConfig
from gateway.alarms.keeper import AlarmKeeper
from gateway.certificate import Validity, validity
from gateway.clock import DeviceClock
from gateway.commands import GatewayCommands
from gateway.counters import Counters
from gateway.folders import Folders
from gateway.health.journal import Journal
from gateway.health.measures import Measures, class_bounds
from gateway.health.reporter import Owner, Reporter
from gateway.local.board import Board
from gateway.local.metrics import GatewayCollector
from gateway.local.page import LocalPage
from gateway.outbox.backfill import Backfill, TimeReference
from gateway.outbox.database import check_version
from gateway.outbox.gaps import GATEWAY_SOURCE
from gateway.outbox.outbox import Outbox
from gateway.supervisor.driver_log import DriverLogs
from gateway.supervisor.process import Launcher
from gateway.supervisor.server import HandOverServer
from gateway.supervisor.supervisor import Supervisor
from gateway.timekeeping.timekeeper import Timekeeper
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.uplink import Uplink

STOP_BUDGET_S = 7.0
"""From SIGTERM to the end of sending; service managers and balena kill after 10 s."""
DRAIN_S = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway runs by.

    Attributes:
        config_path: device profile, as the drivers are told it.
        profiles_dir: folder of the other profiles.
        config: the effective config.
        pid: of this process.
    """

    config_path: Path
    profiles_dir: Path
    config: EffectiveConfig
    pid: int


class Gateway:
    """All parts of a gateway.

    Args:
        settings: what it runs by.

    Raises:
        ConfigError: a source has the name that the gateway keeps for itself.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        config = settings.config
        if any(source.source == GATEWAY_SOURCE for source in config.sources):
            hint = "name the source after what it reads"
            raise ConfigError(
                "check profile", str(settings.config_path), "a source is named 'gateway'", hint, "invalid"
            )
        owner = (config.site, config.device)
        folder = config.run_dir
        self._settings = settings
        self._folders = Folders(config.data_dir, folder)
        self._counters = Counters()
        self._clocks = ClockReferences()
        self._clock = DeviceClock(ClockProbe(best_reference=self._clocks.best), self._clocks.best)
        self._outbox = Outbox(
            config.data_dir / "outbox.db", *owner, config.outbox, self._clock, self._counters, Backfill(self._reference)
        )
        socket_path = folder / "handover.sock"
        launcher = Launcher(
            settings.config_path, settings.profiles_dir, socket_path, config.supervision.driver_memory_mib
        )
        self._supervisor = Supervisor(config.sources, folder, config.supervision, launcher)
        board = Board()
        names = list(self._supervisor.drivers)
        alarms_path = config.data_dir / "alarms.json"
        self._alarms = AlarmKeeper(self._outbox, alarms_path, names, board.put_alarms, self._counters)
        self._server = HandOverServer(socket_path, self._supervisor.drivers, self._alarms, self._counters, self._clocks)
        files = {name: driver.log_path for name, driver in self._supervisor.drivers.items()}
        self._driver_logs = DriverLogs(files, self._counters)
        own = _certificate(config.identity.certificate)
        journal = self._make_journal()
        floor_ns = round(own.begins_at * 1e9) if own else 0
        self._timekeeper = Timekeeper(config.data_dir / "known_time", self._clock, journal, floor_ns)
        self._clock.find_reference = self._timekeeper.reference
        self._uplink = self._make_uplink(owner)
        self._reporter = self._make_reporter(board, journal)
        collector = GatewayCollector(board, config.hardware, config.data_dir, own.ends_at if own else None)
        self._page = LocalPage(config.local.host, config.local.port, board, collector)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set; then let the drivers hand over, send what can be sent, and end.

        Raises:
            LinkError: the run folder cannot be used, or another gateway uses it or the data.
            SchemaTooNewError: the outbox in it was written by a newer program.
        """
        self._folders.take(self._settings.pid)
        # before any driver runs: what it would hand over could not be stored
        check_version(self._settings.config.data_dir / "outbox.db")
        self._outbox.start(self._uplink.wake)
        try:
            await self._alarms.load()
            await self._server.start()
            self._page.start()
            log.info("gateway_started", gateway=self._settings.config.device, software=software_version())
            async with asyncio.TaskGroup() as tasks:
                eternal = [
                    tasks.create_task(_guard(part.run(), name), name=name)
                    for name, part in (
                        ("outbox", self._outbox),
                        ("uplink", self._uplink),
                        ("health", self._reporter),
                        ("logs", self._driver_logs),
                        ("time", self._timekeeper),
                    )
                ]
                drivers = tasks.create_task(self._supervisor.run(), name="supervisor")
                await stop.wait()
                await self._wind_down(drivers)
                for task in eternal:
                    task.cancel()
        finally:
            await self._close()
        log.info("gateway_stopped")

    async def _wind_down(self, drivers: "asyncio.Task[None]") -> None:
        started_at = self._clock.mono_s()
        log.info("gateway_stopping")
        await self._supervisor.stop()
        await drivers
        try:
            await self._reporter.note_changes()
            await self._outbox.seal_all()
        except LinkError as exc:
            log.warning("gateway_stops_unsealed", cause=exc.cause)
        left_s = STOP_BUDGET_S - (self._clock.mono_s() - started_at)
        is_drained = await self._uplink.drain(min(DRAIN_S, max(0.0, left_s)))
        log.info("outbox_drained" if is_drained else "outbox_keeps_records")

    async def _close(self) -> None:
        await self._server.close()
        await self._uplink.disconnect()
        await asyncio.to_thread(self._page.stop)
        await self._timekeeper.keep()
        try:
            await self._outbox.close()
        except LinkError as exc:
            log.warning("outbox_not_closed", cause=exc.cause)
        self._folders.release()

    def _reference(self, boot_id: str) -> TimeReference | None:
        return self._timekeeper.reference(boot_id)

    def _make_uplink(self, owner: tuple[str, str]) -> Uplink:
        config = self._settings.config
        subscriptions = [
            (topic(*owner, Channel.RECEIPT).mqtt(), 0),
            (topic(*owner, Channel.COMMAND).mqtt(), 1),
        ]
        # not a dot: NATS refuses client ids that hold one of its separators
        client_id = "_".join(owner)
        transport = MqttTransport(
            client_id, config.identity, config.uplink, subscriptions, self._counters, self._timekeeper.judge_by
        )
        commands = GatewayCommands(self._supervisor, lambda: self._reporter.report())  # noqa: PLW0108 - made below
        return Uplink(
            owner, self._outbox, transport, self._clock, config.uplink, config.brokers, commands, self._counters
        )

    def _make_journal(self) -> Journal:
        stamper = Stamper(GATEWAY_SOURCE, None, self._clock.boot_id, ClockProbe(best_reference=self._clocks.best))
        return Journal(GATEWAY_SOURCE, self._outbox, stamper, self._counters)

    def _make_reporter(self, board: Board, journal: Journal) -> Reporter:
        config = self._settings.config
        return Reporter(
            Owner(config.site, config.device, software_version()),
            self._clock,
            self._supervisor.drivers,
            self._outbox,
            self._uplink,
            journal,
            board,
            self._counters,
            Measures(config.flash, class_bounds(config.outbox)),
            interval_s=config.local.status_interval_s,
        )


def software_version() -> str:
    """Return the version of the distribution, "source" when run from a source tree."""
    try:
        return version("porttrack")
    except PackageNotFoundError:
        return "source"


async def _guard(work: Awaitable[None], name: str) -> None:
    """Run an eternal task; its return is a failure."""
    await work
    raise RuntimeError(f"{name} has ended by itself")


def _certificate(path: Path) -> Validity | None:
    try:
        return validity(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
