"""``demo``: the whole port on this machine. Exit codes as ``fleet_deploy.__main__``; 0 after Ctrl-C or SIGTERM."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from fleet_deploy.demo.app import DemoOptions, run_demo

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def demo(
    folder: Annotated[
        Path,
        typer.Option(
            "--dir", help="Carpeta, se conserva / folder of certificates, history and logs; kept between runs."
        ),
    ],
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Puerto HTTP / HTTP port of the control room.")
    ] = 8080,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Semilla del tráfico / seed of the simulated traffic.")
    ] = 1,
) -> None:
    """Un puerto entero en este equipo / a whole port on this machine; prints its address, Ctrl-C stops all of it."""
    asyncio.run(run_demo(DemoOptions(folder, port, seed)))
