"""The operations database of this process."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from cloud_api.operations.server import ServerAccess
from cloud_api.settings import OperationsSettings

_log = structlog.get_logger(__name__)


def make_database(settings: OperationsSettings) -> OperationsDatabase:
    """Make the database of resolved settings; it connects once it is asked something.

    Raises:
        ConfigError: its address or a file that it needs cannot be used.
    """
    access = ServerAccess(settings.password_file, settings.trust, settings.pool_size, settings.statement_timeout_s)
    return OperationsDatabase(settings.url, access)


async def open_operations(settings: OperationsSettings, closing: AsyncExitStack) -> OperationsDatabase:
    """Open the database; an SQLite file is made and brought to the newest schema.

    Args:
        settings: resolved settings.
        closing: closes it.

    Raises:
        ConfigError: its address cannot be used.
        LinkError: it cannot be used now.
    """
    database = make_database(settings)
    closing.push_async_callback(database.close)
    path = settings.sqlite_path
    if path is not None:
        # one machine, one file: its processes are of one version
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        before, after = await migrate(database)
        _log.info("operations_migrated", before=before, after=after)
    return database
