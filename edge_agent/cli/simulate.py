"""``python -m edge_agent simulate``: the demonstration hardware of a site as real endpoints, until SIGTERM or SIGINT.

Exit codes: 0 told to stop, 1 an endpoint cannot be opened, 2 usage or a profile that has to be corrected.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError, LinkError
from edge_agent.logs import configure_logs
from edge_agent.simulation.runtime import SimulationSettings, simulate
from firmware_configs.explain import problems
from firmware_configs.loading import PROFILES_DIR

EXIT_LINK = 1
EXIT_USAGE = 2

app = typer.Typer(add_completion=False)


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        app(args=arguments, prog_name="python -m edge_agent simulate")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    return 0


@app.command()
def run(
    *,
    site: Annotated[str, typer.Option(help="site id")],
    out: Annotated[Path, typer.Option(help="file that names the endpoints, written when all of them listen")],
    seed: Annotated[int, typer.Option(min=0, help="of ships, weather and containers; the same seed repeats a run")] = 1,
    hardware: Annotated[str, typer.Option(help="hardware profile whose sources are simulated")] = "port-combined",
    profiles: Annotated[Path, typer.Option(help="folder with hardware and sites")] = PROFILES_DIR,
    rate: Annotated[float, typer.Option(min=0.1, max=100, help="simulated seconds a second")] = 1.0,
) -> None:
    """Run ships, cranes, weather and moorings of a site behind real serial lines, TCP ports and Modbus PLCs."""
    configure_logs()
    settings = SimulationSettings(site, hardware, seed, out, profiles, rate)
    try:
        asyncio.run(simulate(settings))
    except ConfigError as exc:
        for line in problems(exc):
            sys.stderr.write(f"error: {line}\n")
        raise typer.Exit(EXIT_USAGE) from exc
    except LinkError as exc:
        sys.stderr.write(f"error: {exc}\n")
        raise typer.Exit(EXIT_LINK) from exc
