"""``python -m cloud_api migrate``: bring the operations database to a revision of its schema."""

import asyncio
from typing import Annotated

import typer

from cloud_api.cli.options import ConfigFile
from cloud_api.composition.operations import make_database
from cloud_api.operations import migrating
from cloud_api.settings import OperationsSettings, load_settings

Revision = Annotated[str, typer.Option("--to", help="revision id, 'head' or 'base'")]

STATEMENT_TIMEOUT_S = 3600.0
"""For a statement of a migration: one over all rows of a large table takes minutes, and somebody watches it."""


def main(config: ConfigFile, to: Revision = migrating.HEAD) -> None:
    """Upgrade (or downgrade, with --to) the operations database."""
    settings = load_settings(config)
    patient = settings.operations.model_copy(update={"statement_timeout_s": STATEMENT_TIMEOUT_S})
    before, after = asyncio.run(_migrate(patient, to))
    typer.echo(f"operations database: {before or 'empty'} -> {after or 'empty'}")


async def _migrate(settings: OperationsSettings, to: str) -> tuple[str | None, str | None]:
    database = make_database(settings)
    try:
        return await migrating.migrate(database, to)
    finally:
        await database.close()
