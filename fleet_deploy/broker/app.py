"""Composition root of ``broker serve``: wires settings, configuration, monitoring and the process, and nothing else."""

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from contracts.errors import ConfigError
from fleet_deploy.broker.configuration import BrokerConfiguration, nats_server_path
from fleet_deploy.broker.identity import ensure_server_certificate
from fleet_deploy.broker.monitor import HttpMonitor
from fleet_deploy.broker.service import BrokerService
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST
from fleet_deploy.durable_files import replace_file
from fleet_deploy.failures import unwrapping
from fleet_deploy.processes.ports import free_ports

ENDPOINTS = "broker.json"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a served broker listens: ``broker.json`` in its folder, for scripts and tests."""

    version: int = 1
    host: str
    mqtt_port: int
    client_port: int
    monitor_port: int
    supervisor_pid: int


@dataclass(frozen=True)
class ServeOptions:
    """What ``broker serve`` was asked for; a port of 0 means any free one."""

    authority: Path
    folder: Path
    host: str
    mqtt_port: int
    client_port: int
    monitor_port: int
    names: list[str]


def settings_for(options: ServeOptions) -> BrokerSettings:
    """Return the broker's settings, with free ports where none was asked for.

    Raises:
        LinkError: no free port.
    """
    wanted = [options.mqtt_port, options.client_port, options.monitor_port]
    free = iter(free_ports(wanted.count(0), options.host))
    mqtt_port, client_port, monitor_port = [port or next(free) for port in wanted]
    folder = options.folder.resolve()
    server = folder / "server"
    return BrokerSettings(
        host=options.host,
        mqtt_port=mqtt_port,
        client_port=client_port,
        monitor_port=monitor_port,
        certificate=server / CERTIFICATE,
        private_key=server / PRIVATE_KEY,
        trust=server / TRUST,
        data_dir=folder / "store",
        log_file=folder / "nats-server.log",
        pid_file=folder / "nats-server.pid",
    )


async def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: no authority, no nats-server, a folder that cannot be written.
        IntegrityError: the authority is damaged.
        LinkError: the broker does not get ready.
    """
    server = nats_server_path()
    settings = settings_for(options)
    folder = options.folder.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ensure_server_certificate(options.authority, folder / "server", options.names, datetime.now(UTC))
        _write_endpoints(folder, settings)
    except OSError as exc:
        raise ConfigError("serve broker", str(folder), exc.strerror or str(exc), "check the folder") from exc
    configuration = BrokerConfiguration(options.authority, settings, folder / "nats.conf")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession() as session:
        monitor = HttpMonitor(session, settings.monitor_port)
        with unwrapping():
            await BrokerService(server, configuration, settings, monitor).run(stop)


def _write_endpoints(folder: Path, settings: BrokerSettings) -> None:
    endpoints = Endpoints(
        host=settings.host,
        mqtt_port=settings.mqtt_port,
        client_port=settings.client_port,
        monitor_port=settings.monitor_port,
        supervisor_pid=os.getpid(),
    )
    replace_file(folder / ENDPOINTS, msgspec.json.encode(endpoints) + b"\n")
