"""Exactly once in two stores: a real store process is killed between and inside of write, ledger and receipt.

timeline of a round: batches are sent; the process kills itself at its point; what has a receipt by now is in InfluxDB
and in the ledger; a new process; all batches are sent again, answered or not; every number is in InfluxDB once and in
the ledger once.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.schema import BEYOND, PLACED
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.operations.database import OperationsDatabase
from contracts.batch import Batch
from contracts.receipt import Outcome
from fleet_deploy.ca.service import IssuedFiles
from tests.support.batches import SITE, batch, gap, record
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import FakeGateway, cloud_identity, gateway_identity
from tests.support.faulty_store import Point, Spec
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS
from tests.support.mqtt_client import MqttClient
from tests.support.processes import Process, ending, wait_until

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
PASSAGES = (1, 2, 4) if IS_WHOLE else (2,)
CASES = [
    (point, backend)
    for number, point in enumerate(Point)
    for turn, backend in enumerate(("sqlite", "postgresql"))
    if IS_WHOLE or number % 2 == turn
]
"""Every point of death; in the reduced form on one of the databases, by turns."""
"""At which passage of its point the process ends."""
BATCHES, LENGTH = 30, 50
RECEIPTS_TIMEOUT_S = 30.0
PAUSE_S = 0.1 if IS_WHOLE else 0.0


@dataclass
class Plant:
    """Broker and InfluxDB that all rounds share; each has a gateway, and so streams, of its own."""

    broker: RunningBroker
    influx: InfluxServer
    cloud: IssuedFiles
    rounds: int = 0

    def numbers(self, gateway: str) -> Counter[int]:
        """How often each number of a gateway's ships is in the history."""
        found = Counter[int]()
        for policy in (PLACED, BEYOND):
            statement = f"SELECT seq FROM {policy}.ais WHERE gateway = '{gateway}'"  # noqa: S608 - our names
            for series in self.influx.query(statement, DATABASE):
                found.update(row[1] for row in series["values"])
        return found


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with (
        running_broker(tmp_path_factory.mktemp("broker")) as broker,
        running_influx(tmp_path_factory.mktemp("influx")) as influx,
    ):
        asyncio.run(make_database(influx.url))
        yield Plant(broker, influx, cloud_identity(broker))


async def make_database(url: str) -> None:
    queries = InfluxQueries(Server(url, DATABASE))
    await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 0))
    await queries.close()


def sent(gateway: str, now_ns: int) -> list[Batch]:
    """Batches of ships of now: two records of one ship and one nanosecond in each, and a gap in some."""
    stream = f"{SITE}.{gateway}.abcd1234.track"
    made = []
    for number in range(BATCHES):
        first = number * LENGTH + 1
        last = first + LENGTH - 1
        times = {seq: now_ns + seq * 1_000_000 for seq in range(first, last + 1)}
        times[first + 7] = times[first]
        records = [record(seq, observed_at_ns=at_ns) for seq, at_ns in times.items()]
        if number % 5 == 0:
            records[10:20] = [gap(first + 10, first + 19, "thinned")]
        made.append(batch(first, last, stream, records))
    return made


def expected(batches: list[Batch]) -> set[int]:
    return {one.seq for item in batches for one in item.records if one.last_seq() == one.seq}


class Round:
    """One gateway, and store processes one after the other on one operations database."""

    def __init__(self, plant: Plant, operations: OperationsDatabase, folder: Path) -> None:
        plant.rounds += 1
        self.plant, self.operations, self.folder = plant, operations, folder
        self.gateway = f"gw-{plant.rounds}"
        files = gateway_identity(plant.broker, SITE, self.gateway)
        self.client = MqttClient(files, plant.broker.host, plant.broker.mqtt_port, client_id=self.gateway)
        self.fake = FakeGateway(self.client, SITE, self.gateway)
        self.processes: list[Process] = []

    def start(self, spec: Spec) -> Process:
        path = self.folder / f"spec-{len(self.processes)}.json"
        path.write_bytes(msgspec.json.encode(spec))
        process = Process("store", ["tests.support.faulty_store", str(path)], self.folder / "store.log")
        self.processes.append(process)
        before = process.tail().count("bus_connected")
        process.start()
        wait_until(lambda: process.tail().count("bus_connected") > before, 20, f"store on the bus\n{process.tail()}")
        return process

    def acknowledged(self) -> set[int]:
        """First numbers of batches that have a receipt."""
        receipts = self.fake.receipts()
        assert all(one.outcome is Outcome.COMMITTED for one in receipts), receipts
        return {one.first_seq for one in receipts}

    async def balance(self) -> StreamBalance | None:
        reader = SqlLedgerReader(self.operations)
        for account in await reader.accounting():
            assert not account.drift, account
        own = [one for one in await reader.balances() if f".{self.gateway}." in one.stream_id]
        return own[0] if own else None


@pytest.mark.parametrize("passage", PASSAGES)
@pytest.mark.parametrize(("point", "empty_operations"), CASES, indirect=["empty_operations"])
async def test_a_killed_store_loses_nothing_and_doubles_nothing(
    plant: Plant, operations: OperationsDatabase, spec: Spec, tmp_path: Path, point: Point, passage: int
) -> None:
    now = Round(plant, operations, tmp_path)
    batches = sent(now.gateway, time.time_ns())
    with ending(now.processes):
        doomed = now.start(msgspec.structs.replace(spec, point=point, at=passage))
        for item in batches:
            now.fake.send(item)
            # a group takes what waits: so there are more of them than passages
            await asyncio.sleep(PAUSE_S)
        await asyncio.to_thread(wait_until, lambda: not doomed.is_running, 20, f"the kill at {point}")
        assert doomed._child is not None
        assert doomed._child.returncode == -signal.SIGKILL
        await asyncio.sleep(0.2)
        await expect_both_to_hold(now, batches, now.acknowledged())
        now.start(spec)
        started_s = time.monotonic()
        for item in batches:
            now.fake.send(item)
        want = {item.first_seq for item in batches}
        await asyncio.to_thread(wait_until, lambda: now.acknowledged() == want, RECEIPTS_TIMEOUT_S, "every receipt")
        took_s = time.monotonic() - started_s
        await expect_both_to_hold(now, batches, want)
        numbers = plant.numbers(now.gateway)
        assert numbers == Counter(expected(batches)), "history"
        balance = await now.balance()
        assert balance is not None
        assert balance.covered == [SeqRange(1, BATCHES * LENGTH)]
        assert balance.received() == len(expected(batches))
    now.client.close()
    if IS_WHOLE:
        name = "sqlite" if operations.is_sqlite else "postgresql"
        print(f"exactly once: {point}#{passage} {name}: {sum(numbers.values())} records, 0 lost, 0 doubled, "  # noqa: T201
              f"{took_s:.1f} s until every receipt")  # fmt: skip


@pytest.mark.parametrize("empty_operations", ["sqlite"], indirect=True)
async def test_a_store_that_notes_first_and_is_killed_before_it_writes_loses_records(
    plant: Plant, operations: OperationsDatabase, spec: Spec, tmp_path: Path
) -> None:
    """Mutation proof of the order: the resend is known to the ledger, answered, and the points are nowhere."""
    now = Round(plant, operations, tmp_path)
    batches = sent(now.gateway, time.time_ns())
    with ending(now.processes):
        doomed = now.start(msgspec.structs.replace(spec, is_ledger_first=True, point=Point.BEFORE_SINK, at=1))
        for item in batches:
            now.fake.send(item)
        await asyncio.to_thread(wait_until, lambda: not doomed.is_running, 20, "the kill")
        now.start(spec)
        for item in batches:
            now.fake.send(item)
        want = {item.first_seq for item in batches}
        await asyncio.to_thread(wait_until, lambda: now.acknowledged() == want, RECEIPTS_TIMEOUT_S, "every receipt")
        assert len(plant.numbers(now.gateway)) < len(expected(batches))
    now.client.close()


async def expect_both_to_hold(now: Round, batches: list[Batch], acknowledged: set[int]) -> None:
    """A receipt speaks of what is in both stores, and each number is in the history once at most."""
    numbers = now.plant.numbers(now.gateway)
    assert max(numbers.values(), default=1) == 1
    balance = await now.balance()
    for item in batches:
        if item.first_seq in acknowledged:
            assert expected([item]) <= numbers.keys()
            assert balance is not None
            assert any(
                one.first_seq <= item.first_seq and item.last_seq <= one.last_seq for one in balance.covered
            )  # fmt: skip


@pytest.fixture
def spec(plant: Plant, operations: OperationsDatabase, request: pytest.FixtureRequest) -> Spec:
    files = plant.cloud
    url = operations.engine.url.render_as_string(hide_password=False)
    made = Spec(
        plant.broker.url, str(files.certificate), str(files.private_key), str(files.trust), plant.influx.url, url
    )
    if operations.is_sqlite:
        return made
    server = request.getfixturevalue("postgres")
    return msgspec.structs.replace(
        made, password_file=str(server.password_file), operations_trust=str(server.trust)
    )  # fmt: skip
