"""A slow InfluxDB makes receipts late and nothing else: the store process does not grow while gateways send and send.

timeline: at full pace; then the way to InfluxDB is narrowed to a trickle while a gateway sends each batch again and
again, several times what the process may hold; then the way is opened and every batch is answered.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import psutil
import pytest

from cloud_api.bus import nats_session
from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.ingest import service
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from contracts.codec import encode_batch
from contracts.receipt import Outcome
from tests.support.batches import SITE, batch, record
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import FakeGateway, cloud_identity, gateway_identity
from tests.support.faulty_store import Spec
from tests.support.influx_server import running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS
from tests.support.mqtt_client import MqttClient
from tests.support.processes import Process, ending, wait_until
from tests.support.slow_proxy import SlowProxy, running_slow_proxy

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
GATEWAY = "gw-1"
BATCHES, LENGTH = 400 if IS_WHOLE else 60, 250
RAW_BYTES = 600
SLOW_BYTES_PER_S = 120_000.0
SLOW_S = 150.0 if IS_WHOLE else 12.0
OFFERED_BYTES_PER_S = 20e6
MIB = 2**20
DECODED_MIB = 30
"""Two groups as objects and as lines, and what Python's allocator keeps of them."""
ANSWER_TIMEOUT_S = 120.0
MAX_DRIFT_MIB = 16.0
"""By which the second half of the time may exceed the first: what an allocator does, not what a queue does."""


def cap_mib() -> float:
    """What the process may hold of a load that does not end: the bus's, the intake's, and two groups."""
    return (nats_session.PENDING_BYTES + service.MAX_WAITING * batch_bytes()) / MIB + DECODED_MIB


@cache
def payloads() -> list[bytes]:
    """Batches that hardly compress, as long raw sentences do not."""
    dice, now_ns = random.Random(4), time.time_ns()
    stream, made = f"{SITE}.{GATEWAY}.abcd1234.track", []
    for number in range(BATCHES):
        first = number * LENGTH + 1
        records = [
            msgspec.structs.replace(
                record(seq, observed_at_ns=now_ns + seq * 1_000_000), raw=dice.randbytes(RAW_BYTES // 2).hex()
            )
            for seq in range(first, first + LENGTH)
        ]
        made.append(encode_batch(batch(first, first + LENGTH - 1, stream, records)))
    return made


def batch_bytes() -> int:
    return max(map(len, payloads()))


class Plant:
    """A gateway, a store process, and the slow way from it to InfluxDB."""

    def __init__(self, folder: Path, broker: RunningBroker, proxy: SlowProxy, spec: Spec) -> None:
        self.proxy = proxy
        files = gateway_identity(broker, SITE, GATEWAY)
        self.client = MqttClient(files, broker.host, broker.mqtt_port, client_id=GATEWAY)
        self.fake = FakeGateway(self.client, SITE, GATEWAY)
        path = folder / "spec.json"
        path.write_bytes(msgspec.json.encode(spec))
        self.process = Process("store", ["tests.support.faulty_store", str(path)], folder / "store.log")

    def start(self) -> None:
        self.process.start()
        wait_until(lambda: "bus_connected" in self.process.tail(), 20, f"store on the bus\n{self.process.tail()}")

    def rss_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / MIB)

    def answered(self) -> set[int]:
        receipts = self.fake.receipts()
        assert all(one.outcome is Outcome.COMMITTED for one in receipts)
        return {one.first_seq for one in receipts}

    def push(self, seconds: float) -> list[float]:
        """Send every batch again and again; returns the size of the process over the time, MiB."""
        sizes, sent, started_s = [], 0, time.monotonic()
        while (age_s := time.monotonic() - started_s) < seconds:
            if sent * batch_bytes() < age_s * OFFERED_BYTES_PER_S:
                self.fake.send_bytes(payloads()[sent % BATCHES])
                sent += 1
            else:
                time.sleep(0.01)
            if sent % 20 == 0:
                sizes.append(self.rss_mib())
        self.offered_mib = sent * batch_bytes() / MIB
        return sizes


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def plant(tmp_path: Path, broker: RunningBroker, request: pytest.FixtureRequest) -> Iterator[Plant]:
    with running_influx(tmp_path / "influx") as influx, running_slow_proxy(influx.port) as proxy:
        url = f"sqlite+aiosqlite:///{tmp_path}/operations.sqlite"
        asyncio.run(prepare(influx.url, url))
        files = cloud_identity(broker)
        way = f"http://127.0.0.1:{proxy.port}"
        spec = Spec(broker.url, str(files.certificate), str(files.private_key), str(files.trust), way, url)
        made = Plant(tmp_path, broker, proxy, msgspec.structs.replace(spec, is_unbounded=request.param))
        with ending([made.process]):
            made.start()
            yield made
            made.proxy.bytes_per_s = None
        made.client.close()


async def prepare(influx: str, operations: str) -> None:
    database = OperationsDatabase(operations)
    await migrate(database)
    await database.close()
    queries = InfluxQueries(Server(influx, DATABASE))
    await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 0))
    await queries.close()


@pytest.mark.parametrize("plant", [False], indirect=True)
def test_receipts_come_late_and_the_process_does_not_grow(plant: Plant) -> None:
    plant.fake.send_bytes(payloads()[0])
    plant.fake.wait_receipts(1)
    before_mib = plant.rss_mib()
    plant.proxy.bytes_per_s = SLOW_BYTES_PER_S
    sizes = plant.push(SLOW_S)
    grown_mib = max(sizes) - before_mib
    half = len(sizes) // 2
    late = BATCHES - len(plant.answered())
    assert grown_mib < cap_mib() < plant.offered_mib
    assert max(sizes[half:]) - max(sizes[:half]) < MAX_DRIFT_MIB
    assert late > 0, "the way was not slow"
    plant.proxy.bytes_per_s = None
    opened_s = time.monotonic()
    while len(plant.answered()) < BATCHES and time.monotonic() - opened_s < ANSWER_TIMEOUT_S:
        for number, data in enumerate(payloads()):
            if number * LENGTH + 1 not in plant.answered():
                plant.fake.send_bytes(data)
        time.sleep(2)
    assert len(plant.answered()) == BATCHES
    print(  # noqa: T201
        f"slow history: {plant.offered_mib:.0f} MiB offered in {SLOW_S:.0f} s at {SLOW_BYTES_PER_S / 1000:.0f} kB/s to "
        f"InfluxDB; process {before_mib:.0f} MiB, +{grown_mib:.0f} MiB at most (cap {cap_mib():.0f}), second half "
        f"{max(sizes[half:]) - max(sizes[:half]):+.1f} MiB; {late} of {BATCHES} batches unanswered, all answered "
        f"{time.monotonic() - opened_s:.1f} s after the way was open"
    )


@pytest.mark.parametrize("plant", [True], indirect=True)
def test_without_caps_the_process_would_grow_with_what_is_sent(plant: Plant) -> None:
    """Mutation proof of the caps."""
    plant.fake.send_bytes(payloads()[0])
    plant.fake.wait_receipts(1)
    before_mib = plant.rss_mib()
    plant.proxy.bytes_per_s = SLOW_BYTES_PER_S
    sizes = plant.push(12.0)
    # it would go on for as long as it takes to write all that
    plant.process.kill()
    assert max(sizes) - before_mib > cap_mib()
