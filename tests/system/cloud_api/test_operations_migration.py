"""Schema of the operations database on real SQLite and PostgreSQL: there and back, raced, killed, refused."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import time
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations

from cloud_api.operations import database as database_module
from cloud_api.operations import migrating
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.expansion_policy import breaches
from cloud_api.operations.migrating import BASE, migrate, revisions
from cloud_api.operations.preparing import Standing, prepare
from cloud_api.operations.releases import released
from cloud_api.operations.schema_reading import found_tables, named_tables
from cloud_api.operations.server import ServerAccess
from cloud_api.operations.tables import metadata
from contracts.errors import ConfigError, LinkError
from tests.support.postgres_server import PostgresServer
from tests.support.processes import Process, ending

pytestmark = pytest.mark.system

Rows = dict[str, list[tuple[Any, ...]]]
PROCESSES = 4
START_S = 5.0
"""After which all of them have started, on a busy machine too."""


def value(column: sa.Column[Any], row: int) -> object:
    """A value that a column holds and that no other row has."""
    if isinstance(column.type, sa.JSON):
        return {"row": row}
    if isinstance(column.type, sa.String):
        return f"{row}ñ"[: column.type.length]
    if isinstance(column.type, sa.LargeBinary):
        return bytes([0, row])
    if isinstance(column.type, sa.Boolean):
        return row % 2 == 0
    return row + 0.5 if isinstance(column.type, sa.Float) else row


def fill(connection: sa.Connection) -> None:
    """Give every table three rows, one of them with everything empty that may be."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name == "alembic_version":
            continue
        for row in range(101, 104):
            filled = [column for column in table.columns if row != 102 or not column.nullable]
            connection.execute(sa.insert(table).values({column.name: value(column, row) for column in filled}))


def contents(connection: sa.Connection, like: Rows | None = None) -> Rows:
    """Everything that is stored, or just the tables and columns of ``like``."""
    tables = sa.MetaData()
    tables.reflect(connection)
    found: Rows = {}
    for table in tables.sorted_tables:
        if table.name == "alembic_version" or (like is not None and table.name not in like):
            continue
        names = [column.name for column in table.columns] if like is None else like[table.name][0]
        rows = connection.execute(sa.select(*(table.c[name] for name in names))).all()
        found[table.name] = [tuple(names), *sorted((tuple(row) for row in rows), key=repr)]
    return found


async def run(database: OperationsDatabase, work: Callable[..., Any], *arguments: object) -> Any:
    async with database.transaction("test") as connection:
        return await connection.run_sync(work, *arguments)


async def test_every_step_there_and_back_keeps_every_row(empty_operations: OperationsDatabase) -> None:
    """At each revision all its tables hold rows; the next step and the way back leave them as they were."""
    known = revisions()
    for older, newer in pairwise(known):
        await migrate(empty_operations, BASE)
        await migrate(empty_operations, older)
        await run(empty_operations, fill)
        before: Rows = await run(empty_operations, contents)
        assert len(before) >= 2
        await migrate(empty_operations, newer)
        assert await run(empty_operations, contents, before) == before, newer
        await run(empty_operations, contents)
        await migrate(empty_operations, older)
        assert await run(empty_operations, contents) == before, newer


async def test_both_backends_have_the_same_schema(operations: OperationsDatabase) -> None:
    found = await run(operations, found_tables)
    assert breaches(named_tables(metadata), found) == []
    assert breaches(released()[-1].tables, found) == []


async def migrate_together(
    database: OperationsDatabase, access: ServerAccess, folder: Path, mode: str
) -> tuple[list[int], str]:
    """Migrate from as many processes at once as a cluster has; their exit codes and what they say."""
    url = database.engine.url.render_as_string(hide_password=False)
    begin_at = str(time() + START_S)
    arguments = ["tests.support.migrating_process", url, str(access.password_file), str(access.trust), begin_at, mode]
    processes = [Process(f"m{number}", arguments, folder / f"m{number}.log") for number in range(PROCESSES)]
    with ending(processes):
        for process in processes:
            process.start()
        codes = [await asyncio.to_thread(process.wait, 60) for process in processes]
    return codes, "".join(process.tail() for process in processes)


@pytest.fixture
def access(empty_operations: OperationsDatabase, request: pytest.FixtureRequest) -> ServerAccess:
    """What other processes need to reach the same database."""
    if empty_operations.is_sqlite:
        return ServerAccess()
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.access()


async def test_processes_that_start_together_do_not_race(
    empty_operations: OperationsDatabase, access: ServerAccess, tmp_path: Path
) -> None:
    codes, said = await migrate_together(empty_operations, access, tmp_path, "locked")
    assert codes == [0] * PROCESSES, said
    assert said.count("(None, ") == 1
    assert await prepare(empty_operations) == (Standing.CURRENT, revisions()[-1])


async def test_without_the_lock_they_race(
    empty_operations: OperationsDatabase, access: ServerAccess, tmp_path: Path
) -> None:
    """Mutation proof: nobody waits for anybody."""
    codes, said = await migrate_together(empty_operations, access, tmp_path, "unlocked")
    assert any(codes), said


async def test_a_lock_that_is_not_given_back_is_not_waited_for_for_ever(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_WAIT_S", 0.5)
    database = OperationsDatabase(postgres.database(), postgres.access())
    async with database.transaction("hold") as connection:
        await migrating.take_lock(connection, "x")
        with pytest.raises(LinkError) as caught:
            await migrate(database)
        assert caught.value.reason == "locked"
    assert await migrate(database) == (None, revisions()[-1])
    await database.close()


def fail_at_second_table(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    create = Operations.create_table

    def create_or_die(self: Operations, name: str, *columns: Any, **options: Any) -> Any:
        made.append(name)
        if len(made) > 1:
            raise OSError("the process is gone")
        return create(self, name, *columns, **options)

    monkeypatch.setattr(Operations, "create_table", create_or_die)


async def test_a_migration_that_breaks_off_leaves_the_schema_it_found(
    empty_operations: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_at_second_table(patch)
        with pytest.raises(LinkError):
            await migrate(empty_operations)
    assert await run(empty_operations, found_tables) == {}
    assert await migrate(empty_operations) == (None, revisions()[-1])


@pytest.mark.parametrize("empty_operations", ["sqlite"], indirect=True)
async def test_without_one_transaction_it_leaves_half_a_step(
    empty_operations: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: SQLite as its driver has it, which begins no transaction before DDL."""
    sa.event.remove(empty_operations.engine.sync_engine, "begin", database_module._begin_sqlite)
    fail_at_second_table(monkeypatch)
    with pytest.raises(LinkError):
        await migrate(empty_operations)
    assert list(await run(empty_operations, found_tables)) == ["gateways"]


async def test_an_older_schema_is_brought_up_or_refused(empty_operations: OperationsDatabase) -> None:
    known = revisions()
    await migrate(empty_operations, known[-2])
    if empty_operations.is_sqlite:
        assert await prepare(empty_operations) == (Standing.MIGRATED, known[-2])
    else:
        with pytest.raises(ConfigError, match=f"is {known[-2]}, this program needs {known[-1]}.*migrate") as caught:
            await prepare(empty_operations)
        assert caught.value.reason == "schema_older"
        await migrate(empty_operations, BASE)
        with pytest.raises(ConfigError, match="is empty"):
            await prepare(empty_operations)
        await migrate(empty_operations)
    assert await prepare(empty_operations) == (Standing.CURRENT, known[-1])


async def become_newer(database: OperationsDatabase, *statements: str) -> None:
    async with database.transaction("a release later") as connection:
        for statement in (*statements, "UPDATE alembic_version SET version_num = '9999'"):
            await connection.execute(sa.text(statement))


async def test_a_newer_schema_that_only_adds_is_served(operations: OperationsDatabase) -> None:
    await become_newer(operations, "ALTER TABLE vessels ADD COLUMN flag VARCHAR(2)", "CREATE TABLE berths (x INTEGER)")
    assert await prepare(operations) == (Standing.NEWER, "9999")


async def test_a_newer_schema_that_lacks_something_is_refused(operations: OperationsDatabase) -> None:
    await become_newer(operations, "ALTER TABLE vessels DROP COLUMN callsign", "DROP TABLE open_streams")
    with pytest.raises(ConfigError, match=r"vessels\.callsign: the column is gone") as caught:
        await prepare(operations)
    assert caught.value.reason == "schema_newer"
    assert "open_streams: the table is gone" in str(caught.value)


@pytest.mark.parametrize("setting", ["synchronous_commit"])
async def test_a_server_that_does_not_keep_what_it_commits_is_refused(postgres: PostgresServer, setting: str) -> None:
    url = postgres.database()
    postgres.psql(f'ALTER DATABASE "{sa.make_url(url).database}" SET {setting} = off')
    database = OperationsDatabase(url, postgres.access())
    await migrate(database)
    with pytest.raises(ConfigError, match=f"{setting} is off"):
        await prepare(database)
    await database.close()


async def test_a_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.psql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    database = OperationsDatabase(postgres.url("latin"), postgres.access())
    with pytest.raises(ConfigError, match="server_encoding is LATIN1"):
        await prepare(database)
    await database.close()


async def test_a_file_that_is_no_database_is_a_link_error(tmp_path: Path) -> None:
    (tmp_path / "operations.sqlite").write_bytes(b"no database" * 100)
    database = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/operations.sqlite")
    with pytest.raises(LinkError):
        await prepare(database)
    await database.close()
    await asyncio.sleep(0.2)
