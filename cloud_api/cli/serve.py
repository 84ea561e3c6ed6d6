"""``python -m cloud_api serve``: run roles of the cloud until SIGTERM or SIGINT."""

import asyncio
import signal
from typing import Annotated, cast

import typer

from cloud_api.app import run_cloud
from cloud_api.cli.options import ConfigFile
from cloud_api.logging_setup import set_up_logging
from cloud_api.settings import ROLES, Role, Settings, load_settings
from contracts.errors import ConfigError

RoleList = Annotated[str, typer.Option("--roles", help="comma-separated: api, store, track")]

ALL_ROLES = ",".join(ROLES)


def main(config: ConfigFile, roles: RoleList = ALL_ROLES) -> None:
    """Run roles of the cloud until SIGTERM; ends within 8 s of it."""
    chosen = parse_roles(roles)
    settings = load_settings(config)
    set_up_logging(settings.log.level, settings.log.format)
    asyncio.run(_serve(settings, chosen))


def parse_roles(text: str) -> frozenset[Role]:
    """Read a list of roles.

    Raises:
        ConfigError: an unknown role, or none (reason ``bad_role``).
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in ROLES]
    if unknown or not names:
        cause = f"no role {unknown[0]!r}" if unknown else "no role given"
        raise ConfigError("read roles", f"--roles {text}", cause, f"allowed: {', '.join(ROLES)}", "bad_role")
    return frozenset(cast("list[Role]", names))


async def _serve(settings: Settings, roles: frozenset[Role]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_cloud(settings, roles, stop)
