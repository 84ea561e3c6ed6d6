"""The operations database when its PostgreSQL dies, freezes, refuses: errors in time, recovery, nothing lost.

By default two kills and a frozen server for 4 s; PORTTRACK_WHOLE=1: ten kills and 20 s, by the same code.
"""

import asyncio
import contextlib
import json
import os
import random
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest
import sqlalchemy as sa

from cloud_api.backoff import FullJitter
from cloud_api.operations import server as server_module
from cloud_api.operations.database import CLOSE_TIMEOUT_S, OperationsDatabase
from cloud_api.operations.migrating import migrate
from cloud_api.operations.server import ANSWER_MARGIN_S, CONNECT_TIMEOUT_S, ServerAccess
from cloud_api.operations.tables import vessels
from cloud_api.operations.vessel_store import SqlVesselStore
from contracts.errors import LinkError
from tests.support.certs import TestAuthority
from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.prerequisites import is_left_out

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(is_left_out("postgresql-15"), reason="Debian package postgresql-15 is not installed"),
]
KILLS = 10 if IS_WHOLE else 2
FROZEN_S = 20.0 if IS_WHOLE else 4.0
STATEMENT_TIMEOUT_S = 0.5
GRACEFUL_CLOSE_S = 2.0
"""What SQLAlchemy gives a broken connection to say good-bye."""
ERROR_WITHIN_S = max(STATEMENT_TIMEOUT_S + ANSWER_MARGIN_S, CONNECT_TIMEOUT_S) + GRACEFUL_CLOSE_S + 1.0
"""After which every caller knows: the answer that does not come, the good-bye, and 1 s for a busy machine."""
WRITERS = 4


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that the tests of this module may kill, freeze and configure."""
    with running_postgres() as server:
        yield server


@asynccontextmanager
async def opened(server: PostgresServer, *, pool_size: int = WRITERS) -> AsyncIterator[OperationsDatabase]:
    database = OperationsDatabase(server.database(), server.access(pool_size, STATEMENT_TIMEOUT_S))
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


@dataclass
class Writers:
    """Tasks that write one vessel after the other, each again until the store has taken it.

    Attributes:
        stored: MMSIs that the store said it had.
        attempts_s: how long each attempt took, s.
        last_stored_s: when the last one was stored, by the monotonic clock.
        lag_s: longest time that the event loop was held up, s.
    """

    database: OperationsDatabase
    stored: set[int] = field(default_factory=set)
    failures: int = 0
    attempts_s: list[float] = field(default_factory=list)
    last_stored_s: float = 0.0
    lag_s: float = 0.0

    async def write(self, first: int) -> None:
        store, backoff = SqlVesselStore(self.database), FullJitter(0.05, 0.5, random.Random(first))
        mmsi = first
        while True:
            begun = monotonic()
            try:
                await store.save({mmsi: ({"name": f"SHIP {mmsi}"}, 1)})
            except LinkError:
                self.failures += 1
                self.attempts_s.append(monotonic() - begun)
                await asyncio.sleep(backoff.next_delay_s())
                continue
            backoff.reset()
            self.stored.add(mmsi)
            self.last_stored_s = monotonic()
            self.attempts_s.append(self.last_stored_s - begun)
            mmsi += WRITERS
            await asyncio.sleep(0.005)

    async def watch_loop(self) -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(0.05)
            self.lag_s = max(self.lag_s, monotonic() - before - 0.05)

    async def recovered(self, since_s: float) -> float:
        """Wait until something was stored after a moment; returns how long after, s."""
        async with asyncio.timeout(30):
            while self.last_stored_s <= since_s:  # noqa: ASYNC110 - as often as it is looked at, so exact is the figure
                await asyncio.sleep(0.01)
        return self.last_stored_s - since_s


@asynccontextmanager
async def writing(database: OperationsDatabase) -> AsyncIterator[Writers]:
    writers = Writers(database)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(writers.write(first)) for first in range(1, WRITERS + 1)]
        tasks.append(group.create_task(writers.watch_loop()))
        await writers.recovered(monotonic())
        yield writers
        for task in tasks:
            task.cancel()


async def kept(database: OperationsDatabase) -> set[int]:
    async with database.reading("read") as connection:
        return set((await connection.execute(sa.select(vessels.c.mmsi))).scalars())


def tell(name: str, **figures: float) -> None:
    print(json.dumps({"figure": name, **{key: round(value, 3) for key, value in figures.items()}}))  # noqa: T201


async def test_what_was_stored_outlives_every_kill(own: PostgresServer) -> None:
    """kill -9 of all processes of the server in mid-write, started again at once: nothing acknowledged is missing."""
    recoveries: list[float] = []
    async with opened(own) as database:
        async with writing(database) as writers:
            for _ in range(KILLS):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(own.kill)
                await asyncio.sleep(0.3)
                await asyncio.to_thread(own.start)
                recoveries.append(await writers.recovered(monotonic()))
        missing = writers.stored - await kept(database)
    tell(
        "postgres_killed", kills=KILLS, stored=len(writers.stored), missing=len(missing), failures=writers.failures,
        recovery_s_median=statistics.median(recoveries), recovery_s_max=max(recoveries),
        attempt_s_max=max(writers.attempts_s), loop_lag_s_max=writers.lag_s,
    )  # fmt: skip
    assert not missing
    assert writers.failures
    assert max(writers.attempts_s) < ERROR_WITHIN_S
    assert max(recoveries) < 5


async def test_a_frozen_server_is_an_error_in_time_and_the_work_goes_on_after_it(own: PostgresServer) -> None:
    async with opened(own) as database:
        async with writing(database) as writers:
            await asyncio.sleep(0.5)
            with own.frozen():
                await asyncio.sleep(FROZEN_S)
                seen = len(writers.stored)
            recovery_s = await writers.recovered(monotonic())
            await asyncio.sleep(0.2)
        missing = writers.stored - await kept(database)
    tell(
        "postgres_frozen", frozen_s=FROZEN_S, stored=len(writers.stored), missing=len(missing),
        failures=writers.failures, recovery_s=recovery_s, attempt_s_max=max(writers.attempts_s),
        loop_lag_s_max=writers.lag_s,
    )  # fmt: skip
    assert not missing
    assert len(writers.stored) > seen
    assert writers.failures
    assert max(writers.attempts_s) < ERROR_WITHIN_S


async def test_without_a_limit_of_its_own_a_frozen_server_is_waited_for_for_ever(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: only the server's own timeout, which a frozen server does not keep."""
    monkeypatch.setattr(server_module, "ANSWER_MARGIN_S", 3600.0)
    async with opened(own) as database:
        with own.frozen(), pytest.raises(TimeoutError):
            async with asyncio.timeout(STATEMENT_TIMEOUT_S + ANSWER_MARGIN_S + 1.0):
                await database.check()


async def cancel_one(database: OperationsDatabase, statement: str, after_s: float) -> bool:
    """Cancel a task that asks for ever, and never minds an error; whether it ends."""

    async def ask() -> None:
        while True:
            with contextlib.suppress(LinkError):
                async with database.transaction("ask") as connection:
                    await connection.execute(sa.text(statement))

    task = asyncio.create_task(ask())
    await asyncio.sleep(after_s)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    ended = task.cancelled()
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
    return ended


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(5)", "SELECT 1"])
async def test_a_task_that_is_cancelled_ends(own: PostgresServer, statement: str) -> None:
    """Its connection is hung up on, and what fails over that must not hide that the task is to end."""
    async with opened(own) as database:
        assert all([await cancel_one(database, statement, 0.02 + number * 0.001) for number in range(20)])
        await database.check()


async def test_without_looking_for_it_the_cancellation_is_lost(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: every error of the driver is taken for one of the link, and the pool pings its connections."""

    @asynccontextmanager
    async def translated(_: object, operation: str) -> AsyncIterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError, *server_module.DRIVER_ERRORS) as exc:
            raise LinkError(operation, "", "", "", "database") from exc

    async with opened(own) as database:
        monkeypatch.setattr(OperationsDatabase, "_translated", translated)
        monkeypatch.setattr(database.engine.sync_engine.pool, "_pre_ping", True)
        async with asyncio.timeout(60):
            while await cancel_one(database, "SELECT 1", random.uniform(0.02, 0.06)):  # noqa: ASYNC110 - until it is lost
                await asyncio.sleep(0)


async def test_the_end_does_not_wait_for_a_frozen_server(own: PostgresServer) -> None:
    async with opened(own) as database:
        await database.check()
        with own.frozen():
            begun = monotonic()
            await database.close()
            assert monotonic() - begun < CLOSE_TIMEOUT_S + 0.5


async def test_a_statement_that_takes_too_long_is_given_up(own: PostgresServer) -> None:
    async with opened(own) as database:
        with pytest.raises(LinkError, match=r"statement timeout.*statement_timeout_s"):
            async with database.transaction("sleep") as connection:
                await connection.execute(sa.text("SELECT pg_sleep(5)"))
        await database.check()


async def test_a_process_never_holds_more_connections_than_its_pool(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_api.operations.database.POOL_TIMEOUT_S", 0.3)
    async with opened(own, pool_size=2) as database:
        async with database.reading("hold") as first, database.reading("hold"):
            with pytest.raises(LinkError):
                await database.check()
            query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            assert (await first.execute(query)).scalar_one() == 2
        await database.check()


async def test_a_reading_cannot_write(own: PostgresServer) -> None:
    async with opened(own) as database:
        with pytest.raises(LinkError, match="read-only"):
            async with database.reading("write") as connection:
                await connection.execute(sa.insert(vessels).values(mmsi=1, updated_at_ns=1))
        async with database.transaction("write") as connection:
            await connection.execute(sa.insert(vessels).values(mmsi=1, updated_at_ns=1))


async def test_the_connection_is_encrypted_whatever_the_environment_says(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PGSSLMODE", "disable"), ("PGHOST", "192.0.2.1"), ("PGUSER", "nobody"), ("PGPASSWORD", "x")):
        monkeypatch.setenv(name, value)
    async with opened(own) as database, database.reading("ask") as connection:
        query = sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert (await connection.execute(query)).scalar_one() is True


async def refused(url: str, access: ServerAccess) -> LinkError:
    database = OperationsDatabase(url, access)
    with pytest.raises(LinkError) as caught:
        await database.check()
    await database.close()
    return caught.value


async def test_a_server_of_another_authority_or_name_is_refused(own: PostgresServer, tmp_path: Path) -> None:
    url = own.database()
    foreign = ServerAccess(own.password_file, TestAuthority(tmp_path, "another authority").trust)
    assert "operations.trust" in (await refused(url, foreign)).hint
    assert "operations.trust" in (await refused(url.replace("127.0.0.1", "localhost"), own.access())).hint


async def test_a_server_without_tls_is_refused(own: PostgresServer) -> None:
    url = own.database()
    own.psql("ALTER SYSTEM SET ssl = off")
    own.psql("SELECT pg_reload_conf()")
    try:
        await asyncio.sleep(0.5)
        error = await refused(url, own.access())
        assert "SSL" in error.cause
        assert (own.folder / "password").read_text().strip() not in str(error)
    finally:
        own.psql("ALTER SYSTEM RESET ssl")
        own.psql("SELECT pg_reload_conf()")
        await asyncio.sleep(0.5)


async def test_a_password_is_changed_without_a_restart(own: PostgresServer, tmp_path: Path) -> None:
    own.psql("CREATE ROLE clerk LOGIN PASSWORD 'one'")
    own.psql("GRANT pg_read_all_data TO clerk")
    file = tmp_path / "password"
    file.write_text("one\n")
    url = own.url("postgres").replace("porttrack@", "clerk@")
    database = OperationsDatabase(url, ServerAccess(file, own.trust))
    await database.check()
    own.psql("ALTER ROLE clerk PASSWORD 'two'")
    await database.engine.dispose()
    with pytest.raises(LinkError, match="password_file"):
        await database.check()
    file.write_text("two\n")
    await database.check()
    await database.close()


async def test_a_socket_of_the_machine_is_used_without_tls(own: PostgresServer) -> None:
    name = sa.make_url(own.database()).database
    url = f"postgresql+asyncpg://porttrack@/{name}?host={own.folder}&port={own.port}"
    database = OperationsDatabase(url, ServerAccess(own.password_file))
    await database.check()
    await database.close()


async def test_of_several_servers_the_one_that_answers_is_used(own: PostgresServer) -> None:
    name = sa.make_url(own.database()).database
    url = f"postgresql+asyncpg://porttrack@/{name}?host=127.0.0.1:1&host=127.0.0.1:{own.port}"
    database = OperationsDatabase(url, own.access())
    await database.check()
    await database.close()


async def test_a_server_that_takes_no_writes_is_refused(own: PostgresServer) -> None:
    url = own.database()
    own.psql(f'ALTER DATABASE "{sa.make_url(url).database}" SET default_transaction_read_only = on')
    error = await refused(url, own.access())
    assert error.reason == "database"
