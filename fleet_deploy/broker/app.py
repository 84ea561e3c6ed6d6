"""Composition root of ``broker serve``: wires servers, monitoring and processes, and nothing else."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from contracts.errors import ConfigError
from fleet_deploy.broker.configuration import nats_server_path
from fleet_deploy.broker.monitor import HttpMonitor
from fleet_deploy.broker.servers import CONFIGURATION, BrokerOptions, Server, servers_of
from fleet_deploy.broker.service import BrokerService
from fleet_deploy.durable_files import replace_file
from fleet_deploy.failures import unwrapping

ENDPOINTS = "broker.json"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a served broker listens: ``broker.json`` in its folder, for scripts and tests.

    Attributes:
        version: of this format.
        host: of the listeners.
        mqtt_port: for gateways.
        client_port: for the cloud.
        monitor_port: of the broker, or of a node's core.
        front_monitor_port: of a node's front.
        supervisor_pid: of ``broker serve``.
    """

    version: int = 1
    host: str
    mqtt_port: int
    client_port: int
    monitor_port: int
    front_monitor_port: int | None = None
    supervisor_pid: int


async def serve(options: BrokerOptions) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: no authority, no nats-server, a folder that cannot be written.
        IntegrityError: the authority is damaged.
        LinkError: the broker does not get ready.
    """
    program = nats_server_path()
    folder = options.folder.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        servers = servers_of(options, folder if options.cluster else folder / CONFIGURATION, datetime.now(UTC))
        _write_endpoints(folder, servers)
    except OSError as exc:
        raise ConfigError("serve broker", str(folder), exc.strerror or str(exc), "check the folder") from exc
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession() as session:
        with unwrapping():
            async with asyncio.TaskGroup() as group:
                for server in servers:
                    monitor = HttpMonitor(session, server.settings.monitor_port)
                    service = BrokerService(program, server.configuration, server.settings, monitor)
                    group.create_task(service.run(stop), name=f"broker-{server.settings.server_name}")


def _write_endpoints(folder: Path, servers: list[Server]) -> None:
    first, *front = [server.settings for server in servers]
    endpoints = Endpoints(
        host=first.host,
        mqtt_port=first.mqtt_port,
        client_port=first.client_port,
        monitor_port=first.monitor_port,
        front_monitor_port=front[0].monitor_port if front else None,
        supervisor_pid=os.getpid(),
    )
    replace_file(folder / ENDPOINTS, msgspec.json.encode(endpoints) + b"\n")
