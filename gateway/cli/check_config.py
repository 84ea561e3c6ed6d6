"""``python -m gateway check-config``: read a device profile as the gateway and its drivers would.

Exit codes: 0 valid, 2 not.
"""

from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from edge_agent.drivers.register_fit import check_registers
from firmware_configs.explain import problems
from firmware_configs.loading import PROFILES_DIR, load_device


def check_config(
    config: Annotated[Path, typer.Argument(metavar="DEVICE.yaml", help="Perfil del equipo / device profile")],
    profiles: Annotated[
        Path, typer.Option(metavar="DIR", help="Perfiles de hardware y puertos / hardware and sites")
    ] = PROFILES_DIR,
) -> None:
    """Comprobar un perfil / check a profile.

    Raises:
        ConfigError: a file is not valid, or a register map does not fit what its driver measures.
    """
    effective = load_device(config, profiles)
    if errors := check_registers(effective.sources):
        cause = "\n".join(line for error in errors for line in problems(error))
        raise ConfigError("check profile", str(config), cause, "", "invalid")
    sources = ", ".join(source.source for source in effective.sources)
    typer.echo(f"correcto / valid: {effective.site}.{effective.device} ({effective.hardware}: {sources})")
