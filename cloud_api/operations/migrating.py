"""Brings the operations database to a revision of its schema."""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.operations.database import OperationsDatabase
from contracts.errors import ConfigError, LinkError

HEAD = "head"
BASE = "base"


async def migrate(database: OperationsDatabase, to: str = HEAD) -> tuple[str | None, str | None]:
    """Upgrade or downgrade to a revision.

    Args:
        database: an open database.
        to: a revision id, ``head`` (newest) or ``base`` (empty).

    Returns:
        Revision before and after, None where there is no schema.

    Raises:
        ConfigError: no such revision (reason ``bad_revision``).
        LinkError: the database could not be used now (reason ``database``).
    """
    try:
        # not through `transaction`: alembic opens its own, one a step
        async with database.engine.connect() as connection:
            return await connection.run_sync(_migrate, to)
    except (SQLAlchemyError, OSError) as exc:
        cause = str(exc).partition("\n")[0]
        raise LinkError("migrate operations database", database.subject(), cause, "", "database") from exc


def revisions() -> list[str]:
    """Return the revision ids, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("cloud_api.operations") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(connection: sa.Connection, to: str) -> tuple[str | None, str | None]:
    known = revisions()
    before = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    target = {HEAD: known[-1], BASE: None}.get(to, to)
    if target is not None and target not in known:
        hint = f"allowed: {BASE}, {', '.join(known)}, {HEAD}"
        raise ConfigError("migrate operations database", to, "no such revision", hint, "bad_revision")
    if before is not None and before not in known:
        cause = f"its revision {before} is not known to this program"
        raise ConfigError("migrate operations database", to, cause, "run the newer program", "bad_revision")
    config = _config()
    config.attributes["connection"] = connection
    _step(config, known, before, target)
    return before, target


def _step(config: Any, known: list[str], before: str | None, target: str | None) -> None:  # noqa: ANN401 - alembic
    position = {None: -1} | {revision: index for index, revision in enumerate(known)}
    try:
        if position[target] > position[before]:
            command.upgrade(config, target or BASE)
        elif position[target] < position[before]:
            command.downgrade(config, target or BASE)
    except CommandError as exc:
        raise ConfigError("migrate operations database", str(target), str(exc), "", "bad_revision") from exc
