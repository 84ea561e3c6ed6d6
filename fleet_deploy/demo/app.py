"""Composition root of ``demo``: wires layout, ports, supervisor, monitoring and the API, and nothing else."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from fleet_deploy.broker.monitor import HttpMonitor
from fleet_deploy.demo.cloud_client import HttpCloud
from fleet_deploy.demo.layout import GATEWAYS, SOURCE, Layout
from fleet_deploy.demo.lock import holding
from fleet_deploy.demo.parts import Ports, part_environment
from fleet_deploy.demo.progress import Board, make_board
from fleet_deploy.demo.service import Demonstration
from fleet_deploy.failures import unwrapping
from fleet_deploy.processes.orphans import become_subreaper
from fleet_deploy.processes.ports import check_port, free_ports
from fleet_deploy.processes.supervisor import Supervisor


@dataclass(frozen=True)
class DemoOptions:
    """What ``demo`` was asked for."""

    folder: Path
    port: int
    seed: int


async def run_demo(options: DemoOptions) -> None:
    """Run the demonstration port until SIGINT, SIGTERM or SIGHUP.

    Raises:
        ConfigError: the port is taken, the folder is in use or cannot be written.
        IntegrityError: the authority in the folder is damaged.
        LinkError: a part did not get ready.
    """
    layout = Layout(options.folder.resolve())
    layout.make_folders()
    with holding(layout.lock):
        check_port(options.port)
        free = free_ports(3 + len(GATEWAYS))
        ports = Ports(options.port, free[0], free[1], free[2], dict(zip(GATEWAYS, free[3:], strict=True)))
        become_subreaper()
        board = make_board()
        try:
            async with aiohttp.ClientSession() as session:
                await _run_until_told(layout, ports, options.seed, session, board)
        finally:
            board.close()


async def _run_until_told(
    layout: Layout, ports: Ports, seed: int, session: aiohttp.ClientSession, board: Board
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with unwrapping():
        async with asyncio.TaskGroup() as keeping:
            supervisor = Supervisor(keeping, SOURCE, part_environment(os.environ), board.say)
            cloud = HttpCloud(session, f"http://127.0.0.1:{ports.http}")
            monitor = HttpMonitor(session, ports.monitor)
            demonstration = Demonstration(layout, ports, seed, supervisor, monitor, cloud, board)
            try:
                # a group of its own: when the start fails, the parts are still there to be stopped in their order
                async with asyncio.TaskGroup() as group:
                    running = group.create_task(demonstration.run(), name="demonstration")
                    told = group.create_task(stop.wait(), name="until-told")
                    await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
                    running.cancel()
                    told.cancel()
            finally:
                board.close()
                board.say("demonstration", "parando / stopping")
                await supervisor.stop()
    board.say("demonstration", "parada / stopped")
