"""What only the bus over MQTT 5 does, against the real Mosquitto: acknowledgement by hand, and what the broker says."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from structlog.testing import capture_logs

from cloud_api.bus import mqtt_link
from cloud_api.bus.mqtt_session import MqttSession
from contracts.errors import LinkError
from contracts.topics import Channel, Topic
from tests.support.buses import DOWN, GATEWAY, SITE, Bench, Plant, running, running_plant, until, up
from tests.support.mqtt_client import MqttClient
from tests.support.prerequisites import is_left_out
from tests.support.rendered_mosquitto import RenderedMosquitto

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(is_left_out("mosquitto"), reason="Debian package mosquitto is not installed"),
]

TOPIC = f"porttrack/v1/{SITE}/{GATEWAY}/up/records"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with running_plant("mqtt", tmp_path_factory.mktemp("mosquitto")) as running_one:
        yield running_one


@pytest.fixture
async def gateway(plant: Plant) -> AsyncIterator[MqttClient]:
    client = plant.gateway()
    await until(lambda: client.is_connected)
    yield client
    client.close()


def bench_on(plant: Plant) -> Bench:
    return Bench("mqtt", [plant.broker.url], plant.identity())


def session_of(bench: Bench) -> MqttSession:
    assert isinstance(bench.bus._session, MqttSession)
    return bench.bus._session


class Gated:
    """A handler that waits for its gate, and keeps what passed it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.passed: list[bytes] = []

    async def __call__(self, _: Topic, data: bytes) -> None:
        await self.gate.wait()
        self.passed.append(data)


async def receive(
    bench: Bench, gateway: MqttClient, handler: Gated, count: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Send ``count`` messages to a handler that waits; returns how many then were in this process."""
    taken = 0
    received = mqtt_link.MqttLink._received

    def count_received(link: mqtt_link.MqttLink, client: mqtt.Client, data: object, message: mqtt.MQTTMessage) -> None:
        nonlocal taken
        taken += 1
        received(link, client, data, message)

    monkeypatch.setattr(mqtt_link.MqttLink, "_received", count_received)
    await bench.bus.subscribe_shared(Channel.RECORDS, "store", handler)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        numbers = [gateway.publish(TOPIC, str(number).encode()) for number in range(count)]
        await until(lambda: set(numbers) <= gateway.acknowledged)
        await asyncio.sleep(0.3)  # what could still come would come now
        held = taken
        handler.gate.set()
        await until(lambda: len(handler.passed) == count)
    return held


async def test_the_broker_sends_no_more_than_is_acknowledged(
    plant: Plant, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = Gated()
    held = await receive(bench_on(plant), gateway, handler, 200, monkeypatch)
    assert held == mqtt_link.RECEIVE_MAXIMUM
    assert handler.passed == [str(number).encode() for number in range(200)]


async def test_without_acknowledgement_by_hand_all_of_it_would_be_here(
    plant: Plant, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: paho acknowledges what it has read."""
    monkeypatch.setattr(mqtt_link, "RECEIVE_MAXIMUM", 1000)
    held = await receive(bench_on(plant), gateway, Gated(), 200, monkeypatch)
    assert held == 200


async def test_a_flood_without_acknowledgement_is_dropped_at_its_cap_and_takes_no_room_from_the_rest(
    plant: Plant, gateway: MqttClient
) -> None:
    bench, handler = bench_on(plant), Gated()
    await bench.bus.subscribe_shared(Channel.RECORDS, "store", handler)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        for number in range(200):
            gateway.publish(TOPIC, f"flood {number}".encode(), qos=0)
        expected = [str(number).encode() for number in range(100)]
        for payload in expected:
            up(payload, gateway)
        await until(
            lambda: bench.count("bus_dropped_total", reason="slow_consumer") >= 200 - mqtt_link.PENDING_AT_QOS_0[0] - 1
        )
        handler.gate.set()
        await until(lambda: [item for item in handler.passed if b"flood" not in item] == expected)
        assert bench.bus.is_connected
    flooded = sum(b"flood" in item for item in handler.passed)
    assert flooded + bench.count("bus_dropped_total", reason="slow_consumer") == 200
    assert flooded <= mqtt_link.PENDING_AT_QOS_0[0] + 1


async def test_a_broker_that_sends_more_than_it_may_meets_a_cap(
    plant: Plant, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto 2.0 does; here it is told a receive maximum over the cap. What is dropped is out of its way."""
    monkeypatch.setattr(mqtt_link, "PENDING_MESSAGES", 8)
    bench, handler = bench_on(plant), Gated()
    await bench.bus.subscribe_shared(Channel.RECORDS, "store", handler)
    with capture_logs() as logs:
        async with running(bench):
            await until(lambda: bench.bus.is_connected)
            for number in range(100):
                up(str(number).encode(), gateway)
            await until(lambda: bench.count("bus_dropped_total", reason="slow_consumer") == 92)
            handler.gate.set()
            await until(lambda: len(handler.passed) == 8)
            for number in range(100, 108):
                up(str(number).encode(), gateway)
            await until(lambda: len(handler.passed) == 16)
    assert handler.passed == [str(number).encode() for number in [*range(8), *range(100, 108)]]
    assert len([entry for entry in logs if entry["event"] == "bus_slow_consumer"]) == 1
    assert bench.count("bus_connects_total") == 1


async def share_after_a_kill(plant: Plant, gateway: MqttClient) -> int:
    """A member of two dies without a word; returns how many of 20 messages the other then gets."""
    heard: list[bytes] = []

    async def keep(_: Topic, data: bytes) -> None:
        heard.append(data)

    alive, dead = bench_on(plant), bench_on(plant)
    for bench in (alive, dead):
        await bench.bus.subscribe_shared(Channel.RECORDS, "store", keep)
    async with running(alive):
        async with running(dead):
            await until(lambda: alive.bus.is_connected and dead.bus.is_connected)
            session = session_of(dead)
            dead.bus._is_closing = True
            for _, link in session._receivers:
                socket = link._client.socket()
                assert isinstance(socket, ssl.SSLSocket)
                socket.shutdown(2)  # as the kernel does for a process that was killed
            await until(lambda: not dead.bus.is_connected)
        await asyncio.sleep(0.2)
        numbers = [gateway.publish(TOPIC, str(number).encode()) for number in range(20)]
        await until(lambda: set(numbers) <= gateway.acknowledged)
        await asyncio.sleep(0.3)
    return len(heard)


async def test_the_share_of_a_member_that_died_falls_to_the_living_at_once(plant: Plant, gateway: MqttClient) -> None:
    assert await share_after_a_kill(plant, gateway) == 20


async def test_a_session_that_outlives_its_connection_would_keep_the_share_of_the_dead(
    plant: Plant, gateway: MqttClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of docs/adr/0139: Mosquitto goes on queueing for whoever may come back."""

    def lasting() -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = mqtt_link.RECEIVE_MAXIMUM
        properties.SessionExpiryInterval = 2
        return properties

    monkeypatch.setattr(mqtt_link, "_connect_properties", lasting)
    assert await share_after_a_kill(plant, gateway) < 20
    await asyncio.sleep(2.5)  # the broker forgets the sessions before the next test


async def test_a_connection_that_the_broker_ends_is_named_by_its_reason(plant: Plant) -> None:
    bench = bench_on(plant)
    wrong = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    wrong.TopicAlias = 1000
    with capture_logs() as logs:
        async with running(bench):
            await until(lambda: bench.bus.is_connected)
            session_of(bench)._sender._client.publish(DOWN.mqtt(), b"", 0, properties=wrong)
            await until(lambda: bench.count("bus_connects_total") == 2)
    # 0x94, topic alias invalid: none of those that a client of ours can be sent
    assert [entry["reason"] for entry in logs if entry["event"] == "bus_lost"] == ["refused"]


async def test_a_packet_over_the_limit_would_cost_the_whole_connection(plant: Plant) -> None:
    """Mutation proof: the limit is kept here because the broker does not refuse one message, but its sender."""
    bench = bench_on(plant)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        session_of(bench)._sender._max_packet_bytes = 10_000_000
        await bench.bus.publish(DOWN, b"x" * 600_000)
        await until(lambda: bench.count("bus_connects_total") == 2)


async def test_a_subscription_that_is_refused_is_an_error_that_says_so(plant: Plant) -> None:
    assert isinstance(plant.broker, RenderedMosquitto)
    files = plant.broker.gateway(SITE, GATEWAY)
    bench = Bench("mqtt", [plant.broker.url], files)

    async def ignore(_: Topic, __: bytes) -> None:
        return

    await bench.bus.subscribe_shared(Channel.RECORDS, "store", ignore)
    with capture_logs() as logs:
        async with running(bench):
            await until(lambda: bench.count("bus_connect_errors_total", reason="not_authorised") >= 2)
            assert not bench.bus.is_connected
    assert len([entry for entry in logs if entry["event"] == "bus_unreachable"]) == 1


async def test_a_broker_that_hangs_is_noticed_and_found_again_when_it_goes_on(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "KEEPALIVE_S", 1)
    monkeypatch.setattr(mqtt_link, "CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr(mqtt_link, "ANSWER_TIMEOUT_S", 1.5)
    assert isinstance(plant.broker, RenderedMosquitto)
    bench = bench_on(plant)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        os.kill(plant.broker.pid, signal.SIGSTOP)
        try:
            await until(lambda: not bench.bus.is_connected)
            await until(lambda: bench.count("bus_connect_errors_total", reason="timeout") >= 1)
        finally:
            os.kill(plant.broker.pid, signal.SIGCONT)
        await until(lambda: bench.bus.is_connected)
        await bench.bus.publish(DOWN, b"x")


async def test_a_broker_that_reads_nothing_is_felt_by_the_one_who_publishes(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cap of what is not yet in the socket: without it a store would pile up receipts."""
    monkeypatch.setattr(mqtt_link, "MAX_UNSENT", 4)
    monkeypatch.setattr(mqtt_link, "PUBLISH_TIMEOUT_S", 0.3)
    assert isinstance(plant.broker, RenderedMosquitto)
    bench = bench_on(plant)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        os.kill(plant.broker.pid, signal.SIGSTOP)
        try:
            with pytest.raises(LinkError) as caught:
                await asyncio.gather(*(bench.bus.publish(DOWN, b"x" * 400_000) for _ in range(100)))
            assert caught.value.reason == "timeout"
        finally:
            os.kill(plant.broker.pid, signal.SIGCONT)
