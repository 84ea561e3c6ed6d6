"""``python -m gateway run``: run the gateway of one device until SIGTERM or Ctrl-C.

Exit codes: 0 stopped, 1 a bug, 2 usage or config error, 65 the outbox in the data folder was written by a newer program
(the file stays as it is), 75 the data folder cannot be used now.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.logs import configure_logs
from firmware_configs.loading import PROFILES_DIR, load_device
from gateway.runtime import Gateway, GatewaySettings


def run(
    config: Annotated[Path, typer.Option(metavar="DEVICE.yaml", help="Perfil del equipo / device profile")],
    profiles: Annotated[
        Path, typer.Option(metavar="DIR", help="Perfiles de hardware y puertos / hardware and sites")
    ] = PROFILES_DIR,
    log_level: Annotated[str, typer.Option(help="debug, info, warning, error")] = "info",
) -> None:
    """Poner en marcha el equipo / run the gateway."""
    configure_logs(log_level)
    effective = load_device(config, profiles)
    gateway = Gateway(GatewaySettings(config.resolve(), profiles.resolve(), effective, os.getpid()))
    asyncio.run(_run(gateway))


async def _run(gateway: Gateway) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await gateway.run(stop)
