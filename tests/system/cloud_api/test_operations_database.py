"""The operations database on real SQLite and real PostgreSQL: migrations, caps, and what the services keep in it."""

import asyncio
from pathlib import Path
from time import monotonic

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec import structs

from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.ingest.judging_policy import Refused
from cloud_api.operations import upsert
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import BASE, migrate, revisions
from cloud_api.operations.poison_store import SqlPoisonStore
from cloud_api.operations.tables import gateways, metadata, poison_batches, vessels
from cloud_api.operations.vessel_register import WRITE_TIMEOUT_S
from cloud_api.operations.vessel_store import MAX_PENDING, SqlVesselStore, VesselIdentities
from contracts.errors import ConfigError, LinkError
from contracts.payloads import Ais
from contracts.topics import Channel, Topic
from tests.support.statuses import status

pytestmark = pytest.mark.system

TOPIC = Topic(site="puerto-demo", gateway="gw-1", channel=Channel.RECORDS)


@pytest.fixture
def empty(empty_operations: OperationsDatabase) -> OperationsDatabase:
    return empty_operations


@pytest.fixture
def database(operations: OperationsDatabase) -> OperationsDatabase:
    return operations


async def count(database: OperationsDatabase, table: sa.Table) -> int:
    async with database.transaction("count") as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_the_migrations_make_what_the_tables_say(database: OperationsDatabase) -> None:
    async with database.engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata)
        )
    assert differences == []


async def test_every_step_down_and_up_keeps_the_rows_of_tables_that_stay(database: OperationsDatabase) -> None:
    store = SqlGatewayStore(database)
    entry = GatewayEntry(status(), 1, 2, 3.5)
    await store.save([entry])
    await SqlPoisonStore(database).set_aside(Refused(TOPIC, "bomb", "", b"x"), 1)
    known = revisions()
    for revision in reversed(known):
        await migrate(database, revision)
    assert await store.load() == [entry]
    assert await migrate(database) == (known[0], known[-1])
    assert await store.load() == [entry]
    assert await count(database, poison_batches) == 1
    assert await migrate(database, BASE) == (known[-1], None)
    with pytest.raises(LinkError):
        await store.load()
    assert await migrate(database) == (None, known[-1])
    assert await store.load() == []


async def test_migrating_twice_changes_nothing(database: OperationsDatabase) -> None:
    assert await migrate(database) == (revisions()[-1], revisions()[-1])


async def test_an_unknown_revision_is_named_with_those_there_are(database: OperationsDatabase) -> None:
    with pytest.raises(ConfigError, match="allowed: base, 0001"):
        await migrate(database, "0815")


async def test_a_newer_database_is_not_touched(database: OperationsDatabase) -> None:
    async with database.transaction("pretend") as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="9999"):
        await migrate(database)


async def test_poison_is_kept_within_its_cap_and_the_newest_stays(database: OperationsDatabase) -> None:
    store = SqlPoisonStore(database, max_total_bytes=1000, max_rows=50)
    evicted = [
        await store.set_aside(Refused(TOPIC, "not_zstd", "", bytes([number]) * 300), number) for number in range(6)
    ]
    assert evicted == [0, 0, 0, 1, 1, 1]
    async with database.transaction("read") as connection:
        kept = (await connection.execute(sa.select(poison_batches.c.first_seen_ns).order_by(sa.text("1")))).scalars()
        assert list(kept) == [3, 4, 5]


async def test_poison_has_a_cap_of_rows_too(database: OperationsDatabase) -> None:
    store = SqlPoisonStore(database, max_rows=3)
    for number in range(5):
        await store.set_aside(Refused(TOPIC, "not_zstd", "", bytes([number])), number)
    assert await store.counts() == {"not_zstd": 3}


async def test_poison_seen_again_stays_longest(database: OperationsDatabase) -> None:
    store = SqlPoisonStore(database, max_rows=2)
    for number, data in enumerate([b"a", b"b", b"a", b"c"]):
        await store.set_aside(Refused(TOPIC, "not_zstd", "", data), number)
    async with database.transaction("read") as connection:
        columns = poison_batches.c
        rows = await connection.execute(sa.select(columns.payload, columns.times_seen).order_by(columns.payload))
        assert [tuple(row) for row in rows] == [(b"a", 2), (b"c", 1)]


async def test_poison_with_texts_that_no_database_holds_is_kept(database: OperationsDatabase) -> None:
    refused = Refused(TOPIC, "bad_id", "lone \ud800 and \x00" + "x" * 900, b"x", "s\x00\ud800" * 200, 2**70, -(2**70))
    await SqlPoisonStore(database).set_aside(refused, 1)
    assert await count(database, poison_batches) == 1


async def test_a_gateway_keeps_when_it_was_first_seen(database: OperationsDatabase) -> None:
    store = SqlGatewayStore(database)
    await store.save([GatewayEntry(status(), 1, 2, None)])
    await store.save([GatewayEntry(status(software="0.2.0"), 7, 8, -1.5)])
    assert await store.load() == [GatewayEntry(status(software="0.2.0"), 1, 8, -1.5)]


async def test_a_slower_process_does_not_put_an_older_report_over_a_newer_one(database: OperationsDatabase) -> None:
    store = SqlGatewayStore(database)
    await store.save([GatewayEntry(status(software="0.2.0"), 1, 8, 1.5)])
    await store.save([GatewayEntry(status(software="0.1.0"), 1, 7, None)])
    assert await store.load() == [GatewayEntry(status(software="0.2.0"), 1, 8, 1.5)]


async def test_a_report_with_any_text_and_any_number_is_kept(database: OperationsDatabase) -> None:
    store = SqlGatewayStore(database)
    report = structs.replace(status(software="nul \x00 and \U0001f6a2"), counters={"x" * 300: 2**64 - 1})
    entry = GatewayEntry(report, 1, 2, -1e300)
    await store.save([entry])
    assert await store.load() == [entry]


async def test_a_row_that_this_program_cannot_read_is_left_out(database: OperationsDatabase) -> None:
    store = SqlGatewayStore(database)
    await store.save([GatewayEntry(status(), 1, 2, None), GatewayEntry(status("gw-2"), 1, 2, None)])
    async with database.transaction("spoil") as connection:
        await connection.execute(sa.update(gateways).where(gateways.c.gateway == "gw-2").values(status={"x": 1}))
    assert [entry.status.gateway for entry in await store.load()] == ["gw-1"]


async def test_an_identity_is_completed_never_emptied(database: OperationsDatabase) -> None:
    store = SqlVesselStore(database)
    await store.save({7: ({"name": "ALBA", "imo": 9_074_729}, 1)})
    await store.save({7: ({"callsign": "EA123"}, 2), 8: ({"name": "OTRA"}, 2)})
    async with database.transaction("read") as connection:
        columns = vessels.c
        rows = await connection.execute(
            sa.select(columns.mmsi, columns.name, columns.callsign, columns.imo, columns.updated_at_ns).order_by("mmsi")
        )
        assert [tuple(row) for row in rows] == [(7, "ALBA", "EA123", 9_074_729, 2), (8, "OTRA", None, None, 2)]


async def test_an_older_message_fills_only_what_is_empty(database: OperationsDatabase) -> None:
    store = SqlVesselStore(database)
    await store.save({7: ({"name": "NEW NAME"}, 9)})
    await store.save({7: ({"name": "OLD NAME", "callsign": "EA123"}, 5)})
    async with database.reading("read") as connection:
        rows = await connection.execute(sa.select(vessels.c.name, vessels.c.callsign, vessels.c.updated_at_ns))
        assert [tuple(row) for row in rows] == [("NEW NAME", "EA123", 9)]


async def test_what_no_column_holds_costs_its_neighbours_nothing(database: OperationsDatabase) -> None:
    """PostgreSQL refuses a value that is too long or too large, and with it the transaction of all the others."""
    heard = VesselIdentities()
    heard.hear(Ais(msg_type=5, mmsi=224_000_001, name="A" * 41, imo=2**64 - 1, callsign="EA\x00", ship_type=2**31), 1)
    heard.hear(Ais(msg_type=5, mmsi=224_000_002, name="A" * 40, imo=2**63 - 1, ship_type=2**31 - 1), 1)
    heard.hear(Ais(msg_type=5, mmsi=224_000_001, to_bow_m=-1, to_stern_m=20), 2)
    assert heard.unfit == {"name": 1, "imo": 1, "callsign": 1, "ship_type": 1, "to_bow_m": 1}
    await SqlVesselStore(database).save(heard.due())
    async with database.reading("read") as connection:
        rows = await connection.execute(sa.select(vessels.c.name, vessels.c.imo, vessels.c.to_stern_m).order_by("mmsi"))
        assert [tuple(row) for row in rows] == [(None, None, 20), ("A" * 40, 2**63 - 1, None)]


async def test_the_fleet_of_a_first_start_is_written_within_its_time(database: OperationsDatabase) -> None:
    store = SqlVesselStore(database)
    rows: dict[int, tuple[dict[str, int | str], int]] = {
        224_000_000 + number: ({"name": f"SHIP {number}"}, 1) for number in range(MAX_PENDING)
    }
    begun = monotonic()
    await store.save(rows)
    took_s = monotonic() - begun
    print(f"{len(rows)} identities on {database.engine.dialect.name}: {took_s:.2f} s")  # noqa: T201 - a figure
    assert took_s < WRITE_TIMEOUT_S
    assert await count(database, vessels) == MAX_PENDING


async def write_the_same_rows_in_different_orders(database: OperationsDatabase) -> list[BaseException]:
    store = SqlVesselStore(database)
    rows: dict[int, tuple[dict[str, int | str], int]] = {number: ({"name": "ALBA"}, 1) for number in range(1, 501)}
    turned = dict(reversed(rows.items()))
    saves = [store.save(turned if number % 2 else rows) for number in range(8)]
    return [found for found in await asyncio.gather(*saves, return_exceptions=True) if found is not None]


async def test_processes_that_write_the_same_rows_do_not_lock_each_other_out(database: OperationsDatabase) -> None:
    """Two writers that took the rows in different orders would each hold what the other waits for."""
    assert await write_the_same_rows_in_different_orders(database) == []
    assert await count(database, vessels) == 500


@pytest.mark.parametrize("empty_operations", ["postgresql"], indirect=True)
async def test_without_one_order_the_rows_are_a_deadlock(
    database: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: the rows as they come."""
    monkeypatch.setattr(upsert, "sorted", lambda rows, **_: list(rows), raising=False)
    errors = await write_the_same_rows_in_different_orders(database)
    assert errors
    assert "deadlock" in str(errors[0])


async def test_a_database_that_cannot_be_opened_is_a_link_error(tmp_path: Path) -> None:
    database = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.sqlite")
    with pytest.raises(LinkError):
        await database.check()
    await database.close()
    # aiosqlite's thread reports its own end to this loop after a failed connect; nobody can wait for that
    await asyncio.sleep(0.2)
