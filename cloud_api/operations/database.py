"""Connects to the operations database and translates its errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sqlite3 import Connection as SqliteConnection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from contracts.errors import ConfigError, LinkError

BUSY_TIMEOUT_S = 5.0
"""SQLite has one writer at a time; ours write single rows."""


class OperationsDatabase:
    """One engine; services open short transactions on it.

    Args:
        url: SQLAlchemy URL of an async driver.

    Raises:
        ConfigError: the URL cannot be used (reason ``bad_url``).
    """

    def __init__(self, url: str) -> None:
        self.engine = _make_engine(url)

    @asynccontextmanager
    async def transaction(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; it is committed when the block ends without an error.

        Args:
            operation: what it is for, for the message of an error.

        Raises:
            LinkError: the database could not be used now (reason ``database``).
        """
        try:
            async with self.engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as exc:
            raise LinkError(operation, self.subject(), str(exc).partition("\n")[0], "", "database") from exc

    async def check(self) -> None:
        """Ask it something.

        Raises:
            LinkError: as ``transaction``.
        """
        async with self.transaction("check operations database") as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    def subject(self) -> str:
        """Return the URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)


def _make_engine(url: str) -> AsyncEngine:
    hint = "allowed: sqlite+aiosqlite:///PATH or postgresql+asyncpg://…"
    try:
        parsed = sa.make_url(url)
        engine = create_async_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ImportError, SQLAlchemyError) as exc:
        raise ConfigError("open operations database", "operations.url", str(exc), hint, "bad_url") from exc
    if parsed.get_backend_name() == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection type
    cursor: SqliteConnection = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
