"""The bus against the real nats-server: mutual TLS or nothing, endless reconnection, bounded buffers."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from cloud_api.bus import nats_bus
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.nats_bus import NatsBus
from cloud_api.bus.tls import client_context
from contracts.errors import ConfigError, LinkError, PeerError
from contracts.topics import Channel, Topic
from fleet_deploy.ca.service import IssuedFiles
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import cloud_identity, gateway_identity
from tests.support.mqtt_client import MqttClient
from tests.support.processes import free_port

pytestmark = pytest.mark.system

SITE, GATEWAY = "puerto-demo", "gw-1"
DOWN = Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECEIPT)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


class Bench:
    """A bus and what it counted."""

    def __init__(self, servers: list[str], files: IssuedFiles) -> None:
        self.registry = CollectorRegistry()
        context = client_context(files.certificate, files.private_key, files.trust)
        self.bus = NatsBus(servers, context, "cloud-test", BusMetrics(self.registry), random.Random(1))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[NatsBus]:
    task = asyncio.create_task(bench.bus.run())
    try:
        yield bench.bus
    finally:
        await bench.bus.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the events are in other processes
            await asyncio.sleep(0.02)


@pytest.fixture
async def gateway(broker: RunningBroker) -> AsyncIterator[MqttClient]:
    client = MqttClient(gateway_identity(broker, SITE, GATEWAY), broker.host, broker.mqtt_port, GATEWAY)
    await until(lambda: client.is_connected)
    yield client
    client.close()


def up(payload: bytes, client: MqttClient) -> None:
    client.publish(f"porttrack/v1/{SITE}/{GATEWAY}/up/records", payload)


async def test_subscriptions_outlive_the_broker(broker: RunningBroker, gateway: MqttClient) -> None:
    bench = Bench([broker.url], cloud_identity(broker))
    heard: list[tuple[Topic, bytes]] = []

    async def keep(topic: Topic, data: bytes) -> None:
        heard.append((topic, data))

    await bench.bus.subscribe(Channel.RECORDS, keep)
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        up(b"before", gateway)
        await until(lambda: heard)
        # a server that dies before it was ever ready ends `broker serve`: a configuration that cannot work
        await until(lambda: "broker_ready" in broker.log.read_text())
        broker.kill_server()
        await until(lambda: not bus.is_connected)
        with pytest.raises(LinkError) as caught:
            await bus.publish(DOWN, b"x")
        assert caught.value.reason == "disconnected"
        await until(lambda: bus.is_connected and gateway.is_connected, 20)
        up(b"after", gateway)
        await until(lambda: b"after" in [data for _, data in heard])
    assert heard[0] == (Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECORDS), b"before")
    assert bench.count("bus_connects_total") == 2


async def test_a_group_shares_and_a_plain_subscriber_hears_all(broker: RunningBroker, gateway: MqttClient) -> None:
    files = cloud_identity(broker)
    first, second = Bench([broker.url], files), Bench([broker.url], files)
    shared: list[bytes] = []
    everything: list[bytes] = []

    async def keep_shared(_: Topic, data: bytes) -> None:
        shared.append(data)

    async def keep(_: Topic, data: bytes) -> None:
        everything.append(data)

    for bench in (first, second):
        await bench.bus.subscribe_shared(Channel.RECORDS, "store", keep_shared)
    await first.bus.subscribe(Channel.RECORDS, keep)
    async with running(first), running(second):
        await until(lambda: first.bus.is_connected and second.bus.is_connected)
        for number in range(40):
            up(str(number).encode(), gateway)
        await until(lambda: len(everything) == 40)
        await until(lambda: len(shared) >= 40)
    assert len(shared) == 40
    assert all(bench.count("bus_messages_total", channel="up/records") > 0 for bench in (first, second))


async def test_a_failing_handler_is_counted_and_the_next_message_comes(
    broker: RunningBroker, gateway: MqttClient
) -> None:
    bench = Bench([broker.url], cloud_identity(broker))
    heard: list[bytes] = []

    async def fail_first(_: Topic, data: bytes) -> None:
        heard.append(data)
        if len(heard) == 1:
            raise ZeroDivisionError

    await bench.bus.subscribe(Channel.RECORDS, fail_first)
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        up(b"1", gateway)
        up(b"2", gateway)
        await until(lambda: len(heard) == 2)
    assert bench.count("bus_handler_errors_total", channel="up/records") == 1


async def test_a_slow_consumer_drops_at_its_cap_by_count(
    broker: RunningBroker, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_bus, "PENDING_MESSAGES", 5)
    bench = Bench([broker.url], cloud_identity(broker))
    gate = asyncio.Event()

    async def wait(_topic: Topic, _data: bytes) -> None:
        await gate.wait()

    await bench.bus.subscribe(Channel.RECORDS, wait)
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        for number in range(20):
            up(str(number).encode(), gateway)
        # five wait, and the one in the handler if it was taken before the others arrived
        await until(lambda: bench.count("bus_dropped_total", reason="slow_consumer") >= 14)
        gate.set()
        await until(lambda: handled(bench) + bench.count("bus_dropped_total", reason="slow_consumer") == 20)
        assert handled(bench) <= 6


def handled(bench: Bench) -> float:
    return bench.count("bus_messages_total", channel="up/records")


async def test_after_stop_delivery_nothing_comes_and_answers_still_go(
    broker: RunningBroker, gateway: MqttClient
) -> None:
    bench = Bench([broker.url], cloud_identity(broker))
    heard: list[bytes] = []

    async def keep(_: Topic, data: bytes) -> None:
        heard.append(data)

    gateway.subscribe(DOWN.mqtt())
    await bench.bus.subscribe(Channel.RECORDS, keep)
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        await bus.stop_delivery()
        up(b"late", gateway)
        await bus.publish(DOWN, b"answer")
        await until(lambda: gateway.messages)
    assert gateway.messages == [(DOWN.mqtt(), b"answer")]
    assert heard == []


async def test_a_message_over_the_broker_s_limit_is_refused_here(broker: RunningBroker) -> None:
    bench = Bench([broker.url], cloud_identity(broker))
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        with pytest.raises(PeerError) as caught:
            await bus.publish(DOWN, b"x" * 2_000_000)
    assert caught.value.reason == "too_large"


async def test_a_revoked_certificate_is_cut_off_and_another_server_is_tried(broker: RunningBroker) -> None:
    files = cloud_identity(broker)
    bench = Bench([f"tls://127.0.0.1:{free_port()}", broker.url], files)
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)
        broker.revoke(files)
        await until(lambda: not bus.is_connected)
        await until(lambda: bench.count("bus_connect_errors_total", reason="unreachable") >= 2)
        assert not bus.is_connected


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    binary = Path(sys.executable).parent / "nats-server"
    process = subprocess.Popen(
        [binary, "-a", "127.0.0.1", "-p", str(port), "-l", str(tmp_path / "nats.log")], cwd=tmp_path
    )
    yield port
    process.terminate()
    process.wait(timeout=10)


async def test_a_server_that_speaks_plain_text_is_refused(broker: RunningBroker, plain_server: int) -> None:
    bench = Bench([f"tls://127.0.0.1:{plain_server}"], cloud_identity(broker))
    async with running(bench) as bus:
        await until(lambda: bench.count("bus_connect_errors_total", reason="plain_text") >= 1)
        assert not bus.is_connected


async def test_without_the_check_a_plain_server_would_be_spoken_to(
    broker: RunningBroker, plain_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: nats-py itself falls back to plain text."""
    monkeypatch.setattr(nats_bus, "_demand_tls", lambda _client, _subject: None)
    bench = Bench([f"tls://127.0.0.1:{plain_server}"], cloud_identity(broker))
    async with running(bench) as bus:
        await until(lambda: bus.is_connected)


async def test_a_server_of_another_authority_is_refused(broker: RunningBroker, tmp_path: Path) -> None:
    with running_broker(tmp_path) as other:
        files = cloud_identity(other)
        bench = Bench([broker.url], files)
        async with running(bench) as bus:
            await until(lambda: bench.count("bus_connect_errors_total", reason="tls") >= 1)
            assert not bus.is_connected


def test_certificates_that_cannot_be_read_are_named_by_their_key(broker: RunningBroker, tmp_path: Path) -> None:
    files = cloud_identity(broker)
    with pytest.raises(ConfigError, match=r"bus\.trust"):
        client_context(files.certificate, files.private_key, tmp_path / "none.pem")
    with pytest.raises(ConfigError, match=r"bus\.certificate"):
        client_context(files.certificate, files.trust, files.trust)
