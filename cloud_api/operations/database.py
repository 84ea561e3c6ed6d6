"""Connects to the operations database, SQLite or PostgreSQL, and translates its errors.

A transaction is for writing unless it says otherwise: on SQLite it takes the one writer's place at once (a transaction
that reads first and writes later would fail in the middle because another process has written in between); on both it
ends whole or not at all. A connection that broke is replaced by the next transaction. What breaks during a commit may
have been committed: whoever repeats must bear that, and everything that is kept here does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sqlite3 import Connection as SqliteConnection
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cloud_api.operations.server import DRIVER_ERRORS, ServerAccess, connect_arguments, hint_for
from contracts.errors import ConfigError, LinkError

BUSY_TIMEOUT_S = 5.0
"""SQLite has one writer at a time; ours write single rows."""
POOL_TIMEOUT_S = 5.0
"""To wait for a connection that another task of this process holds; ours hold one for milliseconds."""
RECYCLE_S = 1800
"""Age at which a connection is replaced: below what firewalls forget (typically 1 h)."""
CLOSE_TIMEOUT_S = 1.0
"""To say good-bye to the server; a frozen one is left without."""
_WRITES = "porttrack_writes"

_log = structlog.get_logger(__name__)


class OperationsDatabase:
    """One engine; services open short transactions on it.

    Args:
        url: SQLAlchemy URL of an async driver, without a password.
        access: the rest of the way to a PostgreSQL server; SQLite needs none of it.

    Raises:
        ConfigError: the URL or a file of ``access`` cannot be used (reasons of ``server.connect_arguments``).
    """

    def __init__(self, url: str, access: ServerAccess | None = None) -> None:
        self.engine = _make_engine(url, access or ServerAccess())

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def transaction(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for writing; it is committed when the block ends without an error.

        Args:
            operation: what it is for, for the message of an error.

        Raises:
            LinkError: the database could not be used now (reason ``database``).
        """
        async with self._translated(operation), self.engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads, all of it the same moment of the database; waits for no writer.

        Args:
            operation: what it is for, for the message of an error.

        Raises:
            LinkError: the database could not be used now (reason ``database``).
        """
        options: dict[str, Any] = {_WRITES: False}
        if not self.is_sqlite:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        async with self._translated(operation), self.engine.connect() as connection:
            await connection.execution_options(**options)
            async with connection.begin():
                yield connection

    async def check(self) -> None:
        """Ask it something.

        Raises:
            LinkError: as ``transaction``.
        """
        async with self.reading("check operations database") as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections; a server that does not answer is left alone after ``CLOSE_TIMEOUT_S``."""
        try:
            # a file is closed for certain: its last connection empties the log into it
            async with asyncio.timeout(None if self.is_sqlite else CLOSE_TIMEOUT_S):
                await self.engine.dispose()
        except (TimeoutError, SQLAlchemyError, OSError, *DRIVER_ERRORS) as exc:
            _log.warning("operations_not_closed", subject=self.subject(), error=str(exc) or "timeout")

    def subject(self) -> str:
        """Return the URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def _translated(self, operation: str) -> AsyncIterator[None]:
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0

        def is_cancelled() -> bool:
            return task is not None and task.cancelling() > cancelled_before

        try:
            yield
        except (SQLAlchemyError, OSError, *DRIVER_ERRORS) as exc:
            if is_cancelled():
                # the connection was hung up on because the task was cancelled, and its rollback failed over that
                raise asyncio.CancelledError from exc
            # what runs out of time says nothing
            cause = str(exc).partition("\n")[0] or "no answer in time"
            raise LinkError(operation, self.subject(), cause, hint_for(exc), "database") from exc
        if is_cancelled():
            raise asyncio.CancelledError


def _make_engine(url: str, access: ServerAccess) -> AsyncEngine:
    hint = "allowed: sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER@HOST:PORT/DATABASE"
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_async_engine(parsed)
            sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        if parsed.drivername != "postgresql+asyncpg":
            raise ConfigError("open operations database", "operations.url", f"is {parsed.drivername}", hint, "bad_url")
        engine = create_async_engine(
            parsed,
            connect_args=connect_arguments(parsed, access),
            pool_size=access.pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_recycle=RECYCLE_S,
        )
        sa.event.listen(engine.sync_engine, "checkout", _demand_open)
    except (ArgumentError, NoSuchModuleError, ImportError, SQLAlchemyError) as exc:
        raise ConfigError("open operations database", "operations.url", str(exc), hint, "bad_url") from exc
    return engine


def _demand_open(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - the driver's own type
    # instead of the pool's own ping, which costs three trips and takes a cancellation in the middle for a dead line
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection type
    # the driver would begin transactions by itself, before a change of data only: not before DDL, nor to read
    connection.isolation_level = None
    cursor: SqliteConnection = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
