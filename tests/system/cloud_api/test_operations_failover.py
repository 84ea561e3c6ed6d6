"""Two PostgreSQL servers, one a synchronous standby: the primary dies, the other takes over, nothing kept is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
import sqlalchemy as sa
from asyncpg import Connection

from cloud_api.operations import server as server_module
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from cloud_api.operations.tables import vessels
from cloud_api.operations.vessel_store import SqlVesselStore
from contracts.errors import LinkError
from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.prerequisites import is_left_out

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(is_left_out("postgresql-15"), reason="Debian package postgresql-15 is not installed"),
]
STATEMENT_TIMEOUT_S = 0.5
GIVEN_UP_S = 30.0

Pair = tuple[PostgresServer, PostgresServer]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary, and a standby that every commit waits for; the last test of the module ends the primary."""
    with running_postgres() as primary, running_postgres(primary) as standby:
        primary.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.psql("SELECT pg_reload_conf()")
        yield primary, standby


@asynccontextmanager
async def opened(pair: Pair) -> AsyncIterator[OperationsDatabase]:
    """A migrated database that knows both servers."""
    primary, standby = pair
    async with asyncio.timeout(GIVEN_UP_S):
        while primary.psql("SELECT sync_state FROM pg_stat_replication").strip() != "sync":  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    name = sa.make_url(primary.database()).database
    url = f"postgresql+asyncpg://porttrack@/{name}?host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}"
    database = OperationsDatabase(url, primary.access(2, STATEMENT_TIMEOUT_S))
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


async def save(database: OperationsDatabase, mmsi: int) -> bool:
    """Write one vessel; whether the store says that it has it."""
    try:
        await SqlVesselStore(database).save({mmsi: ({"name": f"SHIP {mmsi}"}, 1)})
    except LinkError:
        return False
    return True


async def kept(database: OperationsDatabase) -> set[int]:
    async with database.reading("read") as connection:
        return set((await connection.execute(sa.select(vessels.c.mmsi))).scalars())


async def acknowledged_without_the_standby(pair: Pair) -> set[int]:
    """The standby freezes; a commit that waits for it runs out of time; what do readers then take for kept?"""
    _, standby = pair
    async with opened(pair) as database:
        with standby.frozen():
            assert not await save(database, 1)
            return await kept(database)


async def test_a_commit_that_the_standby_lacks_is_seen_by_nobody(pair: Pair) -> None:
    assert await acknowledged_without_the_standby(pair) == set()


async def test_with_a_cancel_request_it_is_taken_for_kept(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: asyncpg's own connection."""
    monkeypatch.setattr(server_module, "HangingUpConnection", Connection)
    assert await acknowledged_without_the_standby(pair) == {1}


async def test_the_standby_takes_over_and_has_everything(pair: Pair) -> None:
    primary, standby = pair
    async with opened(pair) as database:
        stored = {mmsi for mmsi in range(1, 101) if await save(database, mmsi)}
        assert len(stored) == 100
        await asyncio.to_thread(primary.kill)
        assert not await save(database, 101)
        await asyncio.to_thread(standby.promote)
        promoted_s = monotonic()
        # nobody stands by the new primary yet
        standby.psql("ALTER SYSTEM RESET synchronous_standby_names")
        standby.psql("SELECT pg_reload_conf()")
        async with asyncio.timeout(GIVEN_UP_S):
            while not await save(database, 101):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        print(f"failover: writes again {monotonic() - promoted_s:.2f} s after the promotion")  # noqa: T201 - a figure
        assert stored - await kept(database) == set()
