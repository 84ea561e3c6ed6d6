"""What a process does with the schema before it serves: bring it up, bear it, or refuse.

On SQLite the file belongs to the program, which brings it to its own revision. A PostgreSQL server is migrated by its
operator (``python -m cloud_api migrate``), once, before the first process of a new release starts. So a process finds
its own revision, or an older one (refused: the migration was forgotten), or a newer one: that of an update under way,
or of one that was taken back. It serves on that one if everything that it names is still there, which the rule of
expand and contract promises for one release (ADR 0137); else it is refused.
"""

from enum import StrEnum

import sqlalchemy as sa

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.expansion_policy import Breach, breaches
from cloud_api.operations.migrating import current_revision, migrate_connection, revisions
from cloud_api.operations.schema_reading import found_tables, named_tables
from cloud_api.operations.tables import metadata
from contracts.errors import ConfigError

MAX_NAMED = 5
"""Things that are missing named in one error; the rest is counted."""
REQUIRED = {
    "fsync": (("on",), "set fsync = on in the server's postgresql.conf"),
    "synchronous_commit": (("on", "local", "remote_write", "remote_apply"), "set synchronous_commit = on"),
    "server_encoding": (("UTF8",), "create the database with ENCODING 'UTF8'"),
}
"""Settings of a PostgreSQL whose word counts: a receipt makes a gateway delete what was committed here."""


class Standing(StrEnum):
    """What became of the schema."""

    CURRENT = "current"
    MIGRATED = "migrated"
    NEWER = "newer"


async def prepare(database: OperationsDatabase) -> tuple[Standing, str | None]:
    """Make sure that this program can serve on a database.

    Args:
        database: an SQLite file is brought to this program's revision, a PostgreSQL is only looked at.

    Returns:
        What became of it, and the revision that was found.

    Raises:
        ConfigError: it is of another release that this one cannot serve on, or the server does not keep what it
            commits (reasons ``schema_older``, ``schema_newer``, ``not_durable``).
        LinkError: it could not be used now.
    """
    if database.is_sqlite:
        async with database.transaction("prepare operations database") as connection:
            return await connection.run_sync(_prepare_own, database.subject())
    async with database.reading("prepare operations database") as connection:
        await connection.run_sync(_demand_durable, database.subject())
        return await connection.run_sync(_judge, database.subject())


def _prepare_own(connection: sa.Connection, subject: str) -> tuple[Standing, str | None]:
    found = current_revision(connection)
    if found == revisions()[-1]:
        return Standing.CURRENT, found
    if found is not None and found not in revisions():
        return _judge(connection, subject)
    migrate_connection(connection, revisions()[-1])
    return Standing.MIGRATED, found


def _judge(connection: sa.Connection, subject: str) -> tuple[Standing, str | None]:
    known, found = revisions(), current_revision(connection)
    if found == known[-1]:
        return Standing.CURRENT, found
    if found is None or found in known:
        cause = f"its schema is {found or 'empty'}, this program needs {known[-1]}"
        hint = "run `python -m cloud_api migrate` once, before the processes of a new release"
        raise ConfigError("prepare operations database", subject, cause, hint, "schema_older")
    missing = breaches(named_tables(metadata), found_tables(connection))
    if missing:
        cause = f"its schema is {found}, this program knows {known[-1]}: {_words(missing)}"
        hint = "run the newer program, or restore the backup from before the update"
        raise ConfigError("prepare operations database", subject, cause, hint, "schema_newer")
    return Standing.NEWER, found


def _words(missing: list[Breach]) -> str:
    named = "; ".join(str(breach) for breach in missing[:MAX_NAMED])
    return named if len(missing) <= MAX_NAMED else f"{named}; and {len(missing) - MAX_NAMED} more"


def _demand_durable(connection: sa.Connection, subject: str) -> None:
    for name, (allowed, hint) in REQUIRED.items():
        value = connection.execute(sa.select(sa.func.current_setting(name))).scalar_one()
        if value not in allowed:
            raise ConfigError("prepare operations database", subject, f"{name} is {value}", hint, "not_durable")
