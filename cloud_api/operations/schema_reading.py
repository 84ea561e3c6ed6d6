"""Reads the shape of a schema: what the tables of this program say, and what a database really has."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from cloud_api.operations.expansion_policy import ColumnShape, TableShape

VERSION_TABLE = "alembic_version"
KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.BigInteger, "int64"),
    (sa.SmallInteger, "int16"),
    (sa.Integer, "int32"),
    (sa.Boolean, "bool"),
    (sa.Float, "float"),
    (sa.JSON, "json"),
    (sa.String, "text"),
    (sa.LargeBinary, "bytes"),
)
"""First match: BigInteger and SmallInteger are Integers to SQLAlchemy."""


def named_tables(metadata: sa.MetaData) -> dict[str, TableShape]:
    """Return what a program names.

    Args:
        metadata: its tables.
    """
    return {table.name: _of_table(table) for table in metadata.sorted_tables}


def found_tables(connection: sa.Connection) -> dict[str, TableShape]:
    """Return what a database has.

    Args:
        connection: to SQLite or PostgreSQL.
    """
    inspector = sa.inspect(connection)
    names = [name for name in inspector.get_table_names() if name != VERSION_TABLE]
    return {name: _of_database(inspector, name) for name in sorted(names)}


def _of_table(table: sa.Table) -> TableShape:
    columns = {
        column.name: _column(
            column.type,
            is_nullable=bool(column.nullable),
            has_default=column.server_default is not None or column is table.autoincrement_column,
        )
        for column in table.columns
    }
    rules = [_rule("primary", [column.name for column in table.primary_key.columns])]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            rules.append(_rule("unique", [column.name for column in constraint.columns]))
        elif isinstance(constraint, sa.CheckConstraint):
            rules.append(f"check({constraint.name})")
        elif isinstance(constraint, sa.ForeignKeyConstraint):
            rules.append(_rule("foreign", constraint.column_keys))
    for index in table.indexes:
        if index.unique:
            is_partial = index.dialect_options["postgresql"].get("where") is not None
            rules.append(_rule("unique", [column.name for column in index.columns], is_partial=is_partial))
    return TableShape(columns, sorted(rules))


def _of_database(inspector: sa.Inspector, name: str) -> TableShape:
    primary = inspector.get_pk_constraint(name)["constrained_columns"]
    is_sqlite = inspector.dialect.name == "sqlite"
    columns = {}
    for column in inspector.get_columns(name):
        # SQLite's INTEGER PRIMARY KEY is its 64-bit row number, and counts by itself
        is_row_number = is_sqlite and primary == [column["name"]] and type(column["type"]) is sa.INTEGER
        kind = sa.BigInteger() if is_row_number else column["type"]
        has_default = column.get("default") is not None or column.get("identity") is not None or is_row_number
        columns[column["name"]] = _column(kind, is_nullable=column["nullable"], has_default=has_default)
    rules = [_rule("primary", primary)]
    rules += [_rule("unique", unique["column_names"]) for unique in inspector.get_unique_constraints(name)]
    rules += [f"check({check['name']})" for check in inspector.get_check_constraints(name)]
    rules += [_rule("foreign", key["constrained_columns"]) for key in inspector.get_foreign_keys(name)]
    for index in inspector.get_indexes(name):
        if index["unique"] and "duplicates_constraint" not in index:
            options = index.get("dialect_options", {})
            is_partial = any(option.endswith("_where") for option in options)
            rules.append(_rule("unique", index["column_names"], is_partial=is_partial))
    return TableShape(columns, sorted(set(rules)))


def _column(kind: sa.types.TypeEngine[Any], *, is_nullable: bool, has_default: bool) -> ColumnShape:
    word = next((word for type_, word in KINDS if isinstance(kind, type_)), type(kind).__name__.lower())
    length = kind.length if isinstance(kind, sa.String) else None
    return ColumnShape(word, length, is_nullable, has_default)


def _rule(word: str, columns: Iterable[str | None], *, is_partial: bool = False) -> str:
    return f"{word}({','.join(str(column) for column in columns)})" + (" where …" if is_partial else "")
