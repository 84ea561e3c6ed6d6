"""Who may say and hear what, against the real nats-server, paho-mqtt and nats-py."""

import asyncio
import os
import re
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from contracts.limits import MAX_BATCH_BYTES
from fleet_deploy.ca import requests
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue
from tests.support.broker import RunningBroker
from tests.support.mqtt_client import MqttClient
from tests.support.nats_client import Cloud, tls_context

pytestmark = pytest.mark.system

SITE = "puerto-demo"
CRANE, BERTH = "gw-crane-1", "gw-berth-1"


@pytest.fixture
async def clients(broker: RunningBroker) -> AsyncIterator[tuple[MqttClient, MqttClient]]:
    crane = MqttClient(broker.gateway(SITE, CRANE), broker.host, broker.mqtt_port, CRANE)
    berth = MqttClient(broker.gateway(SITE, BERTH), broker.host, broker.mqtt_port, BERTH)
    await until(lambda: crane.is_connected and berth.is_connected)
    yield crane, berth
    crane.close()
    berth.close()


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the condition is fed by a thread of paho
            await asyncio.sleep(0.02)


async def subscribe(client: MqttClient, topic: str, qos: int = 0) -> bool:
    return await asyncio.to_thread(client.subscribe, topic, qos)


async def test_a_gateway_publishes_its_own_up_and_hears_its_own_down(
    clients: tuple[MqttClient, MqttClient], cloud: Cloud
) -> None:
    crane, _ = clients
    assert await subscribe(crane, f"porttrack/v1/{SITE}/{CRANE}/down/receipt")
    number = crane.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"x" * MAX_BATCH_BYTES)
    await until(lambda: number in crane.acknowledged)
    await until(lambda: len(cloud.heard) == 1)
    assert cloud.heard[0][0] == f"porttrack.v1.{SITE}.{CRANE}.up.records"
    assert len(cloud.heard[0][1]) == MAX_BATCH_BYTES
    await cloud.send(f"porttrack.v1.{SITE}.{CRANE}.down.receipt", b"committed")
    await until(lambda: crane.messages == [(f"porttrack/v1/{SITE}/{CRANE}/down/receipt", b"committed")])


async def test_what_a_gateway_says_for_another_reaches_nobody(
    clients: tuple[MqttClient, MqttClient], cloud: Cloud
) -> None:
    crane, berth = clients
    await subscribe(crane, f"porttrack/v1/{SITE}/{CRANE}/down/receipt")
    for topic in (f"{SITE}/{CRANE}/up/records", f"other/{BERTH}/up/records", f"{SITE}/{CRANE}/down/receipt"):
        berth.publish(f"porttrack/v1/{topic}", b"forged", qos=0)
        berth.publish(f"porttrack/v1/{topic}", b"forged", qos=1)
    own = berth.publish(f"porttrack/v1/{SITE}/{BERTH}/up/status", b"own")
    await until(lambda: own in berth.acknowledged)
    await until(lambda: len(cloud.heard) > 0)
    # the broker handles one connection's messages in order: had a forged one passed, it would be here before our own
    assert [payload for _, payload in cloud.heard] == [b"own"]
    assert crane.messages == []


async def test_mutation_without_permissions_the_forged_message_arrives(
    broker: RunningBroker, clients: tuple[MqttClient, MqttClient], cloud: Cloud
) -> None:
    """Takes the protection away in the running broker: then, and only then, the berth speaks for the crane."""
    _, berth = clients
    configuration = broker.folder / "run" / "nats.conf"
    good = configuration.read_text()
    try:
        configuration.write_text(re.sub(r"publish: \{ allow: \[.*\] \}", 'publish: { allow: [">"] }', good))
        os.kill(broker.server_pid(), signal.SIGHUP)
        await asyncio.sleep(0.5)
        await until(lambda: berth.is_connected)
        berth.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"forged")
        await until(lambda: (f"porttrack.v1.{SITE}.{CRANE}.up.records", b"forged") in cloud.heard)
    finally:
        configuration.write_text(good)
        os.kill(broker.server_pid(), signal.SIGHUP)


async def test_a_gateway_cannot_listen_to_another_or_to_everything(
    clients: tuple[MqttClient, MqttClient], cloud: Cloud
) -> None:
    _, berth = clients
    for topic in (
        f"porttrack/v1/{SITE}/{CRANE}/down/receipt",
        f"porttrack/v1/{SITE}/+/down/receipt",
        f"porttrack/v1/{SITE}/{BERTH}/up/records",
        "#",
        "$MQTT/#",
        "$SYS/#",
        "$JS/#",
    ):
        for qos in (0, 1):
            assert not await subscribe(berth, topic, qos), topic
    await cloud.send(f"porttrack.v1.{SITE}.{CRANE}.down.receipt", b"not for the berth")
    await cloud.send(f"porttrack.v1.{SITE}.{BERTH}.down.receipt", b"not asked for")
    await asyncio.sleep(0.3)
    assert berth.messages == []


async def test_the_cloud_cannot_speak_for_a_gateway_or_listen_to_everything(cloud: Cloud) -> None:
    await cloud.client.subscribe(">")
    await cloud.client.subscribe("$SYS.>")
    await cloud.send(f"porttrack.v1.{SITE}.{CRANE}.up.records", b"forged")
    await until(lambda: len(cloud.errors) == 3)
    assert all("permissions violation" in error for error in cloud.errors)
    assert cloud.heard == []


async def test_a_gateway_certificate_does_not_open_the_clouds_door(broker: RunningBroker) -> None:
    """Mutation: without ``allowed_connection_types`` it would be a NATS client with the gateway's rights."""
    assert await connect_error(broker, tls_context(broker.gateway(SITE, CRANE))) != ""


async def test_no_certificate_no_connection(broker: RunningBroker) -> None:
    trust = broker.cloud().trust
    assert await connect_error(broker, ssl.create_default_context(cafile=str(trust))) != ""
    assert not await speaks_mqtt(broker, ssl.create_default_context(cafile=str(trust)))


async def test_a_certificate_of_another_authority_is_refused(broker: RunningBroker, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    init_authority(tmp_path / "ca", now)
    foreign = issue(tmp_path / "ca", requests.plan_gateway(SITE, CRANE), tmp_path / "foreign", now)
    assert not await speaks_mqtt(broker, foreign_context(foreign, broker))
    foreign_cloud = issue(tmp_path / "ca", requests.plan_cloud(), tmp_path / "foreign-cloud", now)
    assert await connect_error(broker, foreign_context(foreign_cloud, broker)) != ""


async def test_a_server_certificate_is_no_client(broker: RunningBroker) -> None:
    server = broker.server("weather.example")
    assert not await speaks_mqtt(broker, tls_context(server))
    assert await connect_error(broker, tls_context(server)) != ""


async def test_a_gateway_certificate_speaks_mqtt(broker: RunningBroker) -> None:
    """Proof that the refusals above are refusals: the same client with the right certificate gets through."""
    assert await speaks_mqtt(broker, tls_context(broker.gateway(SITE, CRANE)))


async def test_records_are_not_kept_by_the_broker(
    broker: RunningBroker, clients: tuple[MqttClient, MqttClient], cloud: Cloud
) -> None:
    """QoS 1 without a QoS 1 subscriber: acknowledged, delivered, and nothing of it on the broker's disk."""
    crane, _ = clients
    before = int(str(broker.jsz()["storage"]))
    numbers = [crane.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"x" * 50_000) for _ in range(100)]
    await until(lambda: crane.acknowledged.issuperset(numbers), 10)
    await until(lambda: len(cloud.heard) == len(numbers))
    assert int(str(broker.jsz()["storage"])) - before < 10_000


async def test_a_gateway_cannot_fill_the_brokers_store(
    broker: RunningBroker, clients: tuple[MqttClient, MqttClient]
) -> None:
    """Retained messages stay on the broker's disk: only three topics a gateway, so at most three of them."""
    _, berth = clients
    before = int(str(broker.jsz()["storage"]))
    for index in range(50):
        berth.publish(f"porttrack/v1/{SITE}/{BERTH}/up/extra-{index}", b"x" * 50_000, is_retained=True)
    own = berth.publish(f"porttrack/v1/{SITE}/{BERTH}/up/status", b"own")
    await until(lambda: own in berth.acknowledged)
    assert int(str(broker.jsz()["storage"])) - before < 60_000


async def connect_error(broker: RunningBroker, context: ssl.SSLContext) -> str:
    """Connect as the cloud would; returns why that failed, empty if it did not."""
    client = Client()
    try:
        await client.connect(broker.url, tls=context, connect_timeout=3, allow_reconnect=False)
    except (nats.errors.Error, OSError, TimeoutError) as exc:
        return repr(exc)
    finally:
        # a certificate is refused after the client's half of the handshake (TLS 1.3): the connection is open by then
        await client.close()
        if (transport := client._transport) is not None:  # nats-py forgets it where connect fails
            transport.close()  # type: ignore[no-untyped-call]  # nats-py has no annotation here
    return ""


async def speaks_mqtt(broker: RunningBroker, context: ssl.SSLContext) -> bool:
    """Send an MQTT CONNECT; returns whether the broker accepted it (CONNACK with return code 0)."""
    connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05probe"
    started_s = time.monotonic()
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(broker.host, broker.mqtt_port, ssl=context)
            try:
                writer.write(connect)
                answer = await reader.read(4)
            finally:
                writer.transport.abort()
                await asyncio.sleep(0)  # the loop closes the socket in its next round
    except (OSError, ssl.SSLError):
        return False
    assert time.monotonic() - started_s < 5
    return answer == b"\x20\x02\x00\x00"


def foreign_context(files: IssuedFiles, broker: RunningBroker) -> ssl.SSLContext:
    """Trusts this broker, but shows a certificate of another authority."""
    context = ssl.create_default_context(cafile=str(broker.authority / "trust.pem"))
    context.load_cert_chain(str(files.certificate), str(files.private_key))
    return context
