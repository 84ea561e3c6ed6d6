"""Expand, then contract: what a schema must still hold so that the previous release runs on it. Sans-io.

While a cloud is updated, processes of two releases run on one database, and after a bad update the older one comes
back. So a release only adds. What it no longer needs it stops naming; the next release, when nobody names it any more,
may drop it (docs/operations_database.md).
"""

from dataclasses import dataclass

import msgspec

WIDER = {"int16": ("int32", "int64"), "int32": ("int64",)}
"""Types that hold all that another holds, and are read as the same by a program that expects the narrower."""


class ColumnShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column, in words that are the same on SQLite and PostgreSQL.

    Attributes:
        kind: "int16", "int32", "int64", "float", "text", "json", "bytes", "bool", or the name of another type.
        length: characters that a text may have; None without a bound.
        is_nullable: it may be empty.
        has_default: a row that does not name it gets a value.
        is_left: no longer named by the release, and there only for the one before it.
    """

    kind: str
    length: int | None = None
    is_nullable: bool = False
    has_default: bool = False
    is_left: bool = False


class TableShape(msgspec.Struct, frozen=True):
    """One table.

    Attributes:
        columns: by name.
        rules: what the server enforces, sorted: "primary(a,b)", "unique(a)", "unique(a) where …", "foreign(a)",
            "check(name)".
    """

    columns: dict[str, ColumnShape]
    rules: list[str]


class SchemaShape(msgspec.Struct, frozen=True):
    """A schema.

    Attributes:
        tables: by name.
    """

    tables: dict[str, TableShape]


class Released(msgspec.Struct, frozen=True):
    """What a release reads and writes.

    Attributes:
        release: its version.
        revision: newest revision that it brings.
        tables: as of ``SchemaShape``.
    """

    release: str
    revision: str
    tables: dict[str, TableShape]


@dataclass(frozen=True)
class Breach:
    """Something that a program relies on and would not find.

    Attributes:
        subject: table, or table and column.
        cause: what has become of it.
    """

    subject: str
    cause: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}"


def breaches(relied_on: dict[str, TableShape], found: dict[str, TableShape]) -> list[Breach]:
    """Return what a program would stumble over.

    Args:
        relied_on: tables that the program names.
        found: tables of the database that it is to run on.
    """
    broken: list[Breach] = []
    for name, table in relied_on.items():
        named = {column: shape for column, shape in table.columns.items() if not shape.is_left}
        if not named:
            continue
        if name not in found:
            broken.append(Breach(name, "the table is gone or renamed"))
            continue
        broken += _columns(name, named, found[name].columns)
        broken += _rules(name, table, found[name])
    return broken


def _columns(table: str, named: dict[str, ColumnShape], found: dict[str, ColumnShape]) -> list[Breach]:
    broken = []
    for name, shape in named.items():
        cause = _cause(shape, found.get(name))
        if cause:
            broken.append(Breach(f"{table}.{name}", cause))
    broken += [
        Breach(f"{table}.{name}", "is new, NOT NULL and without a default on the server: rows without it are refused")
        for name, shape in found.items()
        if name not in named and not shape.is_nullable and not shape.has_default
    ]
    return broken


def _cause(before: ColumnShape, after: ColumnShape | None) -> str:
    """Return what is wrong with a column that a program names; empty if nothing is."""
    if after is None:
        return "the column is gone or renamed"
    return _of_values(before, after) or _of_absence(before, after)


def _of_values(before: ColumnShape, after: ColumnShape) -> str:
    if after.kind != before.kind and after.kind not in WIDER.get(before.kind, ()):
        return f"was {before.kind}, is {after.kind}"
    if after.length is not None and (before.length is None or after.length < before.length):
        return f"is narrower: {after.length} of {before.length or 'any number of'} characters"
    return ""


def _of_absence(before: ColumnShape, after: ColumnShape) -> str:
    if before.is_nullable and not after.is_nullable:
        return "is NOT NULL now: rows that leave it empty are refused"
    if not before.is_nullable and after.is_nullable:
        return "may be NULL now: a reader that was promised a value may find none"
    if before.has_default and not after.has_default and not after.is_nullable:
        return "has no default on the server any more: rows without it are refused"
    return ""


def _rules(name: str, before: TableShape, after: TableShape) -> list[Breach]:
    gone = [rule for rule in before.rules if rule.startswith(("primary", "unique")) and rule not in after.rules]
    new = [rule for rule in after.rules if rule not in before.rules]
    return [
        *(Breach(name, f"{rule} is gone: ON CONFLICT needs it") for rule in gone),
        *(Breach(name, f"{rule} is new: rows that were allowed are refused") for rule in new),
    ]
