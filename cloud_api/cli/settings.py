"""``python -m cloud_api settings``: every key that a settings file may hold."""

import typer

from cloud_api.settings import Settings
from cloud_api.settings_reference import reference


def main() -> None:
    """Write the reference of all settings, in Markdown."""
    typer.echo(reference(Settings), nl=False)
