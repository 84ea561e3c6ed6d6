"""The operations database of this process."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.preparing import Standing, prepare
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
    """Open the database and make sure that its schema serves this program (``operations.preparing``).

    Args:
        settings: resolved settings.
        closing: closes it.

    Raises:
        ConfigError: its address cannot be used, or its schema is of a release that this one cannot serve on.
        LinkError: it cannot be used now.
    """
    database = make_database(settings)
    closing.push_async_callback(database.close)
    path = settings.sqlite_path
    if path is not None:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    standing, revision = await prepare(database)
    if standing is Standing.NEWER:
        _log.warning("operations_schema_newer", revision=revision)
    else:
        _log.info("operations_schema", standing=standing.value, before=revision)
    return database
