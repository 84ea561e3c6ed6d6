"""``python -m cloud_api check-config``: say whether ``serve`` could start with these settings."""

from typing import Annotated

import typer

from cloud_api.bus.tls import client_context
from cloud_api.cli.options import ConfigFile
from cloud_api.cli.serve import ALL_ROLES, parse_roles
from cloud_api.composition.history import check_history
from cloud_api.composition.operations import make_database
from cloud_api.settings import Settings, load_settings
from contracts.errors import ConfigError

RoleList = Annotated[str, typer.Option("--roles", help="those that serve shall run; comma-separated")]


def main(config: ConfigFile, roles: RoleList = ALL_ROLES) -> None:
    """Check the settings and every file that they name; changes nothing."""
    chosen = parse_roles(roles)
    settings = load_settings(config)
    client_context(settings.bus.certificate, settings.bus.private_key, settings.bus.trust)
    database = make_database(settings.operations)
    check_history(settings.history, chosen)
    _check_paths(settings, str(config))
    typer.echo(f"{config}: good")
    typer.echo(f"  http        {settings.http.host}:{settings.http.port}")
    typer.echo(f"  probes      {settings.probes.host}:{settings.probes.port}")
    typer.echo(f"  bus         {settings.bus.kind}: {', '.join(settings.bus.servers)}")
    typer.echo(f"  history     {settings.history.kind}: {settings.history.subject()}")
    typer.echo(f"  operations  {database.subject()}")
    typer.echo(f"  chart       {settings.site.chart}")
    typer.echo(f"  sites       {', '.join(settings.track.sites) or 'all that are heard'}")


def _check_paths(settings: Settings, config: str) -> None:
    if not settings.site.chart.is_file():
        raise ConfigError("check settings", config, f"site.chart: no file {settings.site.chart}", "", "missing")
    control_room_dir = settings.control_room.dir
    if control_room_dir is not None and not control_room_dir.is_dir():
        cause = f"control_room.dir: no folder {control_room_dir}"
        raise ConfigError("check settings", config, cause, "run `make control-room`", "missing")
