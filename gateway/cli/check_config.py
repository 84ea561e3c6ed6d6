"""``python -m gateway check-config``: read a device profile as the gateway would. Exit codes: 0 valid, 2 not."""

from pathlib import Path
from typing import Annotated

import typer

from firmware_configs.loading import PROFILES_DIR, load_device


def check_config(
    config: Annotated[Path, typer.Argument(metavar="DEVICE.yaml", help="Perfil del equipo / device profile")],
    profiles: Annotated[
        Path, typer.Option(metavar="DIR", help="Perfiles de hardware y puertos / hardware and sites")
    ] = PROFILES_DIR,
) -> None:
    """Comprobar un perfil / check a profile."""
    effective = load_device(config, profiles)
    sources = ", ".join(source.source for source in effective.sources)
    typer.echo(f"correcto / valid: {effective.site}.{effective.device} ({effective.hardware}: {sources})")
