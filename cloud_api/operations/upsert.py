"""INSERT … ON CONFLICT DO UPDATE, which SQLAlchemy spells in each dialect's own module."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]


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


async def upsert_many(
    connection: AsyncConnection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    key: list[str],
    changes: Callable[[Columns, Columns], Mapping[str, Any]],
) -> None:
    """Insert rows, or change those that have their key; one trip to the server for all.

    The rows go in the order of their key, so that two processes that write the same ones wait for each other and do
    not lock each other out.

    Args:
        connection: an open transaction.
        table: where.
        rows: new rows, all with the same columns, each key once.
        key: columns of a primary key or unique constraint.
        changes: what becomes of a row that is there already, made of its new and its old columns.
    """
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    found = dict(changes(statement.excluded, table.c))
    ordered = sorted((dict(row) for row in rows), key=lambda row: [row[name] for name in key])
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=found), ordered)


def newest(new: Columns, old: Columns, names: Sequence[str], at: str) -> dict[str, Any]:
    """Take the new values unless the row is newer already: of several processes the slower one may write later.

    Args:
        new: new columns.
        old: old columns.
        names: columns that are taken.
        at: column that says when; taken too.
    """
    return {name: sa.case((new[at] >= old[at], new[name]), else_=old[name]) for name in [*names, at]}


def completed(new: Columns, old: Columns, names: Sequence[str], at: str) -> dict[str, Any]:
    """As ``newest``, column by column: a column that the newer row does not fill is filled by the older one."""
    changes: dict[str, Any] = {
        name: sa.case(
            (new[at] >= old[at], sa.func.coalesce(new[name], old[name])),
            else_=sa.func.coalesce(old[name], new[name]),
        )
        for name in names
    }
    return changes | {at: sa.case((new[at] >= old[at], new[at]), else_=old[at])}
