"""INSERT … ON CONFLICT DO UPDATE, which SQLAlchemy spells in each dialect's own module."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def upsert(
    connection: AsyncConnection,
    table: sa.Table,
    values: Mapping[str, Any],
    key: list[str],
    changes: Mapping[str, Any],
) -> None:
    """Insert a row, or change the one that has its key.

    Args:
        connection: an open transaction.
        table: where.
        values: the new row.
        key: columns of a primary key or unique constraint.
        changes: what becomes of a row that is there already; values or SQL expressions over it.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(dict(values))
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(changes)))
