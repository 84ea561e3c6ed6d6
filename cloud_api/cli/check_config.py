"""``python -m cloud_api check-config``: say whether ``serve`` could start with these settings."""

import typer

from cloud_api.bus.tls import client_context
from cloud_api.cli.options import ConfigFile
from cloud_api.composition.operations import make_database
from cloud_api.settings import load_settings
from contracts.errors import ConfigError


def main(config: ConfigFile) -> None:
    """Check the settings and every file that they name; changes nothing."""
    settings = load_settings(config)
    client_context(settings.bus.certificate, settings.bus.private_key, settings.bus.trust)
    database = make_database(settings.operations)
    if not settings.site.chart.is_file():
        raise ConfigError("check settings", str(config), f"site.chart: no file {settings.site.chart}", "", "missing")
    control_room_dir = settings.control_room.dir
    if control_room_dir is not None and not control_room_dir.is_dir():
        cause = f"control_room.dir: no folder {control_room_dir}"
        raise ConfigError("check settings", str(config), cause, "run `make control-room`", "missing")
    typer.echo(f"{config}: good")
    typer.echo(f"  http        {settings.http.host}:{settings.http.port}")
    typer.echo(f"  bus         {', '.join(settings.bus.servers)}")
    typer.echo(f"  history     {settings.history.subject()}")
    typer.echo(f"  operations  {database.subject()}")
    typer.echo(f"  chart       {settings.site.chart}")
