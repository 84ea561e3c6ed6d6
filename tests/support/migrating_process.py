"""A process that migrates an operations database at a given moment: ``python -m`` this module.

Arguments: URL, password file, authority, wall time to begin at (s), and ``locked`` or ``unlocked``, which takes away
what keeps processes apart. Prints the revisions before and after; ends with 1 on an error of the database.
"""

import asyncio
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from cloud_api.operations import database as database_module
from cloud_api.operations import migrating
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.server import ServerAccess
from contracts.errors import PortTrackError


async def _no_lock(*_: object) -> None:
    return


def _no_begin(connection: sa.Connection) -> None:
    del connection


async def _migrate(url: str, password_file: str, trust: str, begin_at_s: float) -> tuple[str | None, str | None]:
    database = OperationsDatabase(url, ServerAccess(Path(password_file), Path(trust)))
    await asyncio.sleep(max(0.0, begin_at_s - time.time()))
    try:
        return await migrating.migrate(database)
    finally:
        await database.close()


def main() -> int:
    """Migrate once."""
    url, password_file, trust, begin_at, mode = sys.argv[1:]
    if mode == "unlocked":
        migrating.take_lock = _no_lock  # type: ignore[assignment] # the protection that is taken away
        database_module._begin_sqlite = _no_begin
    try:
        sys.stdout.write(f"{asyncio.run(_migrate(url, password_file, trust, float(begin_at)))}\n")
    except PortTrackError as exc:
        sys.stdout.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
