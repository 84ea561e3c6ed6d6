"""What each release of the cloud reads and writes of the operations database, kept in ``migrations/released``.

``python -m cloud_api.operations.releases 0.2.0`` writes the file of a release; it is made once, when the release is,
and never changed: a test holds every file to be what the migrations up to its revision make.
"""

import asyncio
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import msgspec
import sqlalchemy as sa

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.expansion_policy import ColumnShape, Released, TableShape
from cloud_api.operations.migrating import migrate, revisions
from cloud_api.operations.schema_reading import found_tables, named_tables
from cloud_api.operations.tables import metadata


def released() -> list[Released]:
    """Return what each release relied on, oldest first.

    Raises:
        msgspec.DecodeError: a file is not what ``write_release`` wrote.
    """
    known = revisions()
    found = [
        msgspec.json.decode(entry.read_bytes(), type=Released)
        for entry in (files("cloud_api.operations") / "migrations" / "released").iterdir()
        if entry.name.endswith(".json")
    ]
    return sorted(found, key=lambda one: (known.index(one.revision), one.release))


def with_left(named: dict[str, TableShape], found: dict[str, TableShape]) -> dict[str, TableShape]:
    """Return the tables of a program, and marked what a database has beside them for the release before.

    Args:
        named: what the program names.
        found: what the database has.
    """
    whole = {}
    for name, table in found.items():
        mine = named[name].columns if name in named else {}
        columns: dict[str, ColumnShape] = {
            column: mine[column] if column in mine else msgspec.structs.replace(shape, is_left=True)
            for column, shape in table.columns.items()
        }
        whole[name] = TableShape(columns, table.rules)
    return whole


def write_release(release: str, folder: Path, named: sa.MetaData = metadata) -> Path:
    """Write what this program relies on.

    Args:
        release: its version.
        folder: where.
        named: its tables.

    Returns:
        The file.

    Raises:
        FileExistsError: the release has its file already.
    """
    found = asyncio.run(_found())
    one = Released(release, revisions()[-1], with_left(named_tables(named), found))
    file = folder / f"{release}.json"
    with file.open("xb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(one, order="deterministic")) + b"\n")
    return file


async def _found() -> dict[str, TableShape]:
    with tempfile.TemporaryDirectory() as folder:
        database = OperationsDatabase(f"sqlite+aiosqlite:///{folder}/operations.sqlite")
        try:
            await migrate(database)
            async with database.reading("read schema") as connection:
                return await connection.run_sync(found_tables)
        finally:
            await database.close()


if __name__ == "__main__":
    sys.stdout.write(f"{write_release(sys.argv[1], Path(__file__).parent / 'migrations' / 'released')}\n")
