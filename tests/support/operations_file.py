"""Operations databases on SQLite for unit tests: made from the tables at once, and not synced to the disk."""

from pathlib import Path
from sqlite3 import Connection

import sqlalchemy as sa

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import metadata


def operations_file(path: Path) -> OperationsDatabase:
    """Return an open database with every table; what the migrations make is the same (a system test says so)."""
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    database = OperationsDatabase(f"sqlite+aiosqlite:///{path}")
    sa.event.listen(database.engine.sync_engine, "connect", _do_not_sync)
    return database


def _do_not_sync(connection: Connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()
