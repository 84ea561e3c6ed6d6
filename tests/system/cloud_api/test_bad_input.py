"""Bad input into the store role over each history: every case has the fate that docs/bad_input.md gives it, counted."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from cloud_api.backoff import FullJitter
from cloud_api.history.influx.http_v1 import InfluxQueries, InfluxV1Writer, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.schema import SLOTS
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.models import StreamAccount
from cloud_api.history.ports import HistoryWriter
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.service import IngestService
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from cloud_api.operations.point_quarantine import SqlPointQuarantine
from cloud_api.operations.poison_store import SqlPoisonStore
from contracts.codec import encode_batch
from contracts.receipt import Outcome, Receipt
from contracts.topics import Channel, Topic
from tests.support import bad_batches
from tests.support.batches import GATEWAY, SITE, STREAM, batch, position, record
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, sink_on

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
TOPIC = Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECORDS)
VESSELS = 100_000 if IS_WHOLE else 10_000
YEAR_NS = 365 * DAY_NS
TIMES = {"1970": 0, "a day into 1970": DAY_NS, "before 1970": -YEAR_NS, "2100": 130 * YEAR_NS, "2262": 2**63 - 1}


@dataclass
class Sender:
    """The way back to gateways, as a list."""

    receipts: list[Receipt] = field(default_factory=list)

    async def publish(self, topic: Topic, data: bytes) -> None:
        assert topic.channel is Channel.RECEIPT
        self.receipts.append(msgspec.json.decode(data, type=Receipt))


@dataclass
class Store:
    """The store role over one kind of history."""

    kind: str
    ingest: IngestService
    sender: Sender
    registry: CollectorRegistry
    database: OperationsDatabase
    reader: SqlLedgerReader | SqliteHistoryReader
    influx: InfluxServer | None = None

    async def take(self, *payloads: bytes) -> list[Receipt]:
        """Send payloads as one gateway; returns their answers."""
        before = len(self.sender.receipts)
        for data in payloads:
            await self.ingest.on_records(TOPIC, data)
        async with asyncio.timeout(120):
            await self.ingest.drain()
        return self.sender.receipts[before:]

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def account(self) -> StreamAccount | None:
        accounts = await self.reader.accounting()
        assert all(one.is_whole() for one in accounts), accounts
        assert [one.stream_id for one in accounts] in ([], [STREAM])
        return accounts[0] if accounts else None


@pytest.fixture(params=["sqlite", "influxdb"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    database = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/operations.sqlite")
    await migrate(database)
    registry = CollectorRegistry()
    if request.param == "sqlite":
        path = tmp_path / "history.sqlite"
        writer: HistoryWriter = SqliteHistoryWriter(path)
        async with running(database, registry, writer, SqliteHistoryReader(path)) as made:
            yield made
        return
    with running_influx(tmp_path / "influx") as server:
        queries = InfluxQueries(Server(server.url, DATABASE))
        await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 0))
        await queries.close()
        quarantine = SqlPointQuarantine(database)
        ledger = SqlStreamLedger(database)
        sink = sink_on(InfluxV1Writer(Server(server.url, DATABASE)), registry=registry)
        writer = LedgeredWriter(sink, ledger, quarantine, LedgeredMetrics(registry))
        async with running(database, registry, writer, SqlLedgerReader(database)) as made:
            made.influx = server
            yield made


class running:  # noqa: N801 - used as a function
    """The store role's tasks around a history, until the block ends."""

    def __init__(
        self,
        database: OperationsDatabase,
        registry: CollectorRegistry,
        writer: HistoryWriter,
        reader: SqlLedgerReader | SqliteHistoryReader,
    ) -> None:
        self._database, self._writer, self._reader = database, writer, reader
        sender, metrics = Sender(), IngestMetrics(registry)
        desk = PoisonDesk(SqlPoisonStore(database), sender, metrics)
        backoff = FullJitter(0.01, 0.1, random.Random(1))
        ingest = IngestService(writer, sender, desk, metrics, backoff, time.time_ns, lambda _batch: None)
        kind = "sqlite" if isinstance(reader, SqliteHistoryReader) else "influxdb"
        self._store = Store(kind, ingest, sender, registry, database, reader)
        self._desk = desk

    async def __aenter__(self) -> Store:
        ingest, desk = self._store.ingest, self._desk
        self._tasks = [asyncio.create_task(ingest.run()), asyncio.create_task(desk.run())]
        return self._store

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._writer.close()
        if isinstance(self._reader, SqliteHistoryReader):
            await self._reader.close()
        await self._database.close()


async def test_wrong_types_and_numbers_that_are_none_refuse_their_batch(store: Store) -> None:
    cases = bad_batches.wrong_types()
    receipts = await store.take(*cases.values())
    assert [one.reason for one in receipts] == ["not_a_batch"] * len(cases)
    assert {one.outcome for one in receipts} == {Outcome.REFUSED}
    assert store.counted("ingest_rejected_total", reason="not_a_batch") == len(cases)
    assert await SqlPoisonStore(store.database).counts() == {"not_a_batch": len(cases)}
    assert await store.account() is None


async def test_too_much_of_anything_refuses_its_batch(store: Store) -> None:
    cases = bad_batches.oversize()
    receipts = await store.take(*cases.values())
    assert sorted(one.reason for one in receipts) == sorted(cases)
    for reason in cases:
        assert store.counted("ingest_rejected_total", reason=reason) == 1
    assert await SqlPoisonStore(store.database).counts() == dict.fromkeys(cases, 1)
    assert await store.account() is None


async def test_another_gateways_stream_and_another_writers_numbers_are_refused_and_alarm(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    good = encode_batch(batch(1, 3))
    receipts = await store.take(bad_batches.foreign(), good)
    receipts += await store.take(bad_batches.of_two_writers())
    by_reason = {one.reason: one for one in receipts}
    assert sorted(by_reason) == ["", "foreign_stream", "range_conflict"]
    assert by_reason["foreign_stream"].stream_id == ""
    assert capsys.readouterr().out.count("ingest_alarm") == 2
    for reason in ("foreign_stream", "range_conflict"):
        assert store.counted("ingest_rejected_total", reason=reason) == 1
    account = await store.account()
    assert account is not None
    assert account.received == 3


@pytest.mark.parametrize("when", TIMES)
async def test_times_of_another_century_are_stored_and_accounted(store: Store, when: str) -> None:
    (receipt,) = await store.take(bad_batches.at(1, TIMES[when]))
    assert receipt.outcome is Outcome.COMMITTED
    account = await store.account()
    assert account is not None
    assert account.received == 3
    if store.influx is not None:
        assert store.counted("influx_points_written_total", measurement="ais", policy="beyond") == 3
        (series,) = store.influx.query("SELECT at_ns, seq FROM beyond.ais", DATABASE)
        assert [row[1:] for row in series["values"]] == [[TIMES[when], seq] for seq in (1, 2, 3)]


async def test_a_time_that_no_store_can_hold_refuses_its_batch_and_no_other(store: Store) -> None:
    receipts = await store.take(bad_batches.at(1, 2**63), bad_batches.at(4, 2**70), bad_batches.at(7, 1))
    assert sorted(one.reason for one in receipts) == ["", "unstorable", "unstorable"]
    assert store.counted("ingest_rejected_total", reason="unstorable") == 2


async def test_a_value_that_only_the_history_server_cannot_hold_is_set_aside_whole(store: Store) -> None:
    long, wide = msgspec.structs.replace(record(1), source="a" * 300), record(2, position(2**70))
    (receipt,) = await store.take(encode_batch(batch(1, 3, records=[long, wide, record(3)])))
    if store.kind == "sqlite":
        # the number is over what its tables hold, and a batch is stored or refused whole
        assert (receipt.outcome, receipt.reason) == (Outcome.REFUSED, "unstorable")
        return
    assert receipt.outcome is Outcome.COMMITTED
    account = await store.account()
    assert account is not None
    assert account.received == 3
    assert await SqlPointQuarantine(store.database).counts() == {"bad_tag": 1, "integer_range": 1}
    for reason in ("bad_tag", "integer_range"):
        assert store.counted("history_rejected_points_total", reason=reason) == 1


async def test_any_text_and_any_place_on_no_map_are_stored_as_they_came(store: Store) -> None:
    odd = [
        msgspec.structs.replace(record(1), source='a\nb,c=d e\\"', raw='\x00\n"\\'),
        record(2, position(-5)),
        record(3, position(224_000_001, lon_deg=1e300)),
    ]
    (receipt,) = await store.take(encode_batch(batch(1, 3, records=odd)))
    assert receipt.outcome is Outcome.COMMITTED
    account = await store.account()
    assert account is not None
    assert account.received == 3
    assert await SqlPointQuarantine(store.database).counts() == {}


async def test_random_vessels_are_stored_and_do_not_explode_the_series(store: Store) -> None:
    dice, now_ns = random.Random(5), time.time_ns()
    started_s = time.monotonic()
    for first in range(1, VESSELS, 500):
        records = [
            record(seq, position(dice.randrange(10**9)), observed_at_ns=now_ns + seq)
            for seq in range(first, first + 500)
        ]
        await store.take(encode_batch(batch(first, first + 499, records=records)))
    took_s = time.monotonic() - started_s
    account = await store.account()
    assert account is not None
    assert account.received == VESSELS
    series = 0
    if store.influx is not None:
        series = store.influx.series_cardinality(DATABASE)
        assert series <= SLOTS + 10
        ((_, stored),) = store.influx.query("SELECT count(seq) FROM raw.ais", DATABASE)[0]["values"]
        assert stored == VESSELS
    if IS_WHOLE:
        print(  # noqa: T201
            f"bad input: {VESSELS} random vessels into {store.kind}: {took_s:.1f} s, {series or 'one a vessel'} series"
        )
