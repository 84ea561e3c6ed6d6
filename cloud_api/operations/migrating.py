"""Brings the operations database to a revision of its schema, all steps in one transaction.

Of several processes that start together one migrates and the others wait for it: on SQLite for the writer's place, on
PostgreSQL for an advisory lock, which the server gives back when its holder dies.
"""

import asyncio
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.operations.database import OperationsDatabase
from contracts.errors import ConfigError, LinkError

HEAD = "head"
BASE = "base"
LOCK_KEY = 0x706F7274_7472636B
"""Of the advisory lock: "porttrck"; a lock is of one database, so that no other program need know it."""
LOCK_WAIT_S = 60.0
"""To wait for a process that migrates: a step over a million rows takes seconds."""
LOCK_PERIOD_S = 0.1


async def migrate(database: OperationsDatabase, to: str = HEAD) -> tuple[str | None, str | None]:
    """Upgrade or downgrade to a revision.

    Args:
        database: an open database.
        to: a revision id, ``head`` (newest) or ``base`` (empty).

    Returns:
        Revision before and after, None where there is no schema.

    Raises:
        ConfigError: no such revision (reason ``bad_revision``).
        LinkError: the database could not be used now (reasons ``database``, ``locked``).
    """
    async with database.transaction("migrate operations database") as connection:
        await take_lock(connection, database.subject())
        return await connection.run_sync(migrate_connection, to)


async def take_lock(connection: AsyncConnection, subject: str) -> None:
    """Wait until no other process migrates, and keep it so until the transaction ends.

    Args:
        connection: a transaction for writing; on SQLite it is the lock itself.
        subject: the database, for an error.

    Raises:
        LinkError: another one holds it for longer than ``LOCK_WAIT_S`` (reason ``locked``).
    """
    if connection.dialect.name == "sqlite":
        return
    take = sa.select(sa.func.pg_try_advisory_xact_lock(LOCK_KEY))
    try:
        async with asyncio.timeout(LOCK_WAIT_S):
            while not (await connection.execute(take)).scalar_one():  # noqa: ASYNC110 - the lock is the server's
                await asyncio.sleep(LOCK_PERIOD_S)
    except TimeoutError as exc:
        cause = f"another process has been migrating it for {LOCK_WAIT_S:.0f} s"
        raise LinkError("migrate operations database", subject, cause, "wait for it", "locked") from exc


def revisions() -> list[str]:
    """Return the revision ids, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def current_revision(connection: sa.Connection) -> str | None:
    """Return the revision that a database is at; None where there is no schema."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate_connection(connection: sa.Connection, to: str) -> tuple[str | None, str | None]:
    """Do what ``migrate`` does, in an open transaction.

    Raises:
        ConfigError: no such revision (reason ``bad_revision``).
    """
    known = revisions()
    before = current_revision(connection)
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("cloud_api.operations") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _step(config: Any, known: list[str], before: str | None, target: str | None) -> None:  # noqa: ANN401 - alembic
    position = {None: -1} | {revision: index for index, revision in enumerate(known)}
    try:
        if position[target] > position[before]:
            command.upgrade(config, target or BASE)
        elif position[target] < position[before]:
            command.downgrade(config, target or BASE)
    except CommandError as exc:
        raise ConfigError("migrate operations database", str(target), str(exc), "", "bad_revision") from exc
