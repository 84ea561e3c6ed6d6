"""Who may say and hear what, against the real Mosquitto with the configuration that the product renders."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contracts.limits import MAX_BATCH_BYTES
from fleet_deploy.ca.service import IssuedFiles
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.prerequisites import is_left_out
from tests.support.rendered_mosquitto import RenderedMosquitto, running_mosquitto

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(is_left_out("mosquitto"), reason="Debian package mosquitto is not installed"),
]

SITE = "puerto-demo"
CRANE, BERTH = "gw-crane-1", "gw-berth-1"
SHARED = "$share/store/porttrack/v1/+/+/up/records"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RenderedMosquitto]:
    with running_mosquitto(tmp_path, [(SITE, CRANE), (SITE, BERTH)]) as running:
        yield running


class Clients:
    """Clients of one broker, closed together."""

    def __init__(self, broker: RenderedMosquitto) -> None:
        self.broker = broker
        self._open: list[MqttClient] = []

    def connect(self, files: IssuedFiles, client_id: str) -> MqttClient:
        client = MqttClient(files, self.broker.host, self.broker.mqtt_port, client_id)
        self._open.append(client)
        wait_for(lambda: client.is_connected, f"{client_id} connected")
        return client

    def gateway(self, gateway: str) -> MqttClient:
        return self.connect(self.broker.gateway(SITE, gateway), gateway)

    def cloud(self, client_id: str, *topics: str) -> MqttClient:
        client = self.connect(self.broker.cloud(), client_id)
        for topic in topics:
            assert client.subscribe(topic, 1), topic
        return client

    def close(self) -> None:
        for client in self._open:
            client.close()


@pytest.fixture
def clients(broker: RenderedMosquitto) -> Iterator[Clients]:
    connected = Clients(broker)
    yield connected
    connected.close()


def test_a_gateway_publishes_its_own_up_and_hears_its_own_down(clients: Clients) -> None:
    cloud, crane = clients.cloud("cloud", SHARED), clients.gateway(CRANE)
    assert crane.subscribe(f"porttrack/v1/{SITE}/{CRANE}/down/receipt")
    assert crane.subscribe(f"porttrack/v1/{SITE}/{CRANE}/down/command", 1)
    crane.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"x" * MAX_BATCH_BYTES)
    wait_for(lambda: bool(cloud.messages), "the batch at the cloud")
    assert cloud.messages == [(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"x" * MAX_BATCH_BYTES)]
    cloud.publish(f"porttrack/v1/{SITE}/{CRANE}/down/receipt", b"committed", 0)
    wait_for(lambda: bool(crane.messages), "the receipt")
    assert crane.messages == [(f"porttrack/v1/{SITE}/{CRANE}/down/receipt", b"committed")]


def test_what_a_gateway_says_for_another_reaches_nobody(clients: Clients) -> None:
    cloud, crane = clients.cloud("cloud", "porttrack/v1/+/+/up/records"), clients.gateway(CRANE)
    assert crane.subscribe(f"porttrack/v1/{SITE}/{CRANE}/down/receipt")
    berth = clients.gateway(BERTH)
    for topic in (f"{SITE}/{CRANE}/up/records", f"other/{BERTH}/up/records", f"{SITE}/{CRANE}/down/receipt"):
        berth.publish(f"porttrack/v1/{topic}", b"forged", qos=0)
        berth.publish(f"porttrack/v1/{topic}", b"forged", qos=1)
    berth.publish(f"porttrack/v1/{SITE}/{BERTH}/up/records", b"own")
    wait_for(lambda: bool(cloud.messages), "its own")
    # the broker handles one connection's messages in order: had a forged one passed, it would be here before our own
    assert [payload for _, payload in cloud.messages] == [b"own"]
    assert crane.messages == []


def test_a_gateway_cannot_listen_to_another_or_to_everything(clients: Clients) -> None:
    cloud, berth = clients.cloud("cloud"), clients.gateway(BERTH)
    for topic in (
        f"porttrack/v1/{SITE}/{CRANE}/down/receipt",
        f"porttrack/v1/{SITE}/+/down/receipt",
        f"porttrack/v1/{SITE}/{BERTH}/down/#",
        f"porttrack/v1/{SITE}/{BERTH}/up/records",
        f"$share/mine/porttrack/v1/{SITE}/{BERTH}/down/receipt",
        SHARED,
        "#",
        "$SYS/#",
        "$CONTROL/#",
    ):
        for qos in (0, 1):
            assert not berth.subscribe(topic, qos), topic
    cloud.publish(f"porttrack/v1/{SITE}/{CRANE}/down/receipt", b"not for the berth")
    cloud.publish(f"porttrack/v1/{SITE}/{BERTH}/down/receipt", b"not asked for")
    time.sleep(0.3)
    assert berth.messages == []


def test_nobody_changes_the_rules_over_the_wire(clients: Clients) -> None:
    command = {"commands": [{"command": "setDefaultACLAccess", "acls": [{"acltype": "subscribe", "allow": True}]}]}
    for client in (clients.gateway(BERTH), clients.cloud("cloud")):
        number = client.publish("$CONTROL/dynamic-security/v1", json.dumps(command).encode())
        wait_for(lambda client=client, number=number: number in client.acknowledged, "taken in")  # type: ignore[misc]
        assert not client.subscribe("#")


def share_with_an_intruder(clients: Clients) -> int:
    """A gateway asks to be a member of the store's group; returns how many of 20 batches then reach the cloud."""
    cloud, crane, berth = clients.cloud("cloud", SHARED), clients.gateway(CRANE), clients.gateway(BERTH)
    berth.subscribe(SHARED, 1)
    numbers = [crane.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", str(n).encode()) for n in range(20)]
    wait_for(lambda: set(numbers) <= crane.acknowledged, "acknowledged")
    time.sleep(0.3)
    assert berth.messages == []
    return len(cloud.messages)


def test_a_gateway_cannot_take_the_store_s_share(clients: Clients) -> None:
    assert share_with_an_intruder(clients) == 20


def test_with_an_acl_file_it_could(broker: RenderedMosquitto, clients: Clients) -> None:
    """Mutation proof of docs/adr/0140: an acl_file grants every subscription; what falls to the intruder is lost."""
    acl = broker.folder / "acl"
    acl.write_text(
        "user CN=cloud,O=PortTrack DEVELOPMENT\ntopic read porttrack/v1/+/+/up/records\n"
        + "".join(
            f"user CN={name},O={SITE}\ntopic write porttrack/v1/{SITE}/{name}/up/records\n" for name in (CRANE, BERTH)
        )
    )
    acl.chmod(0o600)
    lines = [line for line in broker.configuration.read_text().splitlines() if not line.startswith("plugin")]
    broker.configuration.write_text("\n".join([*lines, f"acl_file {acl}", ""]))
    broker.restart()
    assert share_with_an_intruder(clients) < 20


def comes_in(broker: RenderedMosquitto, files: IssuedFiles | None) -> bool:
    """Try to connect with a certificate, or without one."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, "x", protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
    )
    if files is None:
        client.tls_set(str(broker.cloud().trust))
    else:
        client.tls_set(str(files.trust), str(files.certificate), str(files.private_key))
    connects: list[Any] = []
    client.on_connect = lambda *arguments: connects.append(arguments[3])
    try:
        client.connect(broker.host, broker.mqtt_port)
        while not connects and client.loop(0.5) == mqtt.MQTT_ERR_SUCCESS:
            pass
        client.disconnect()
        client.loop(0.1)
    except OSError:
        pass
    return bool(connects) and not connects[0].is_failure


def test_without_a_certificate_or_with_a_server_s_nobody_comes_in(broker: RenderedMosquitto) -> None:
    assert not comes_in(broker, None)
    assert not comes_in(broker, broker.server("other.example"))


def test_a_revoked_gateway_is_cut_off_and_its_new_certificate_is_good(
    broker: RenderedMosquitto, clients: Clients
) -> None:
    stolen = broker.gateway(SITE, CRANE)
    clients.connect(stolen, "stolen")
    broker.revoke(stolen)
    broker.render()
    broker.reload()
    wait_for(lambda: not comes_in(broker, stolen), "no new connection after a reload")
    broker.restart()
    assert not comes_in(broker, stolen)
    # the same subject: only the list tells the two apart
    crane = clients.connect(broker.gateway(SITE, CRANE), CRANE)
    assert crane.subscribe(f"porttrack/v1/{SITE}/{CRANE}/down/receipt")


def test_without_the_list_the_revoked_certificate_would_come_in(broker: RenderedMosquitto, clients: Clients) -> None:
    """Mutation proof."""
    stolen = broker.gateway(SITE, CRANE)
    broker.revoke(stolen)
    broker.render()
    lines = [line for line in broker.configuration.read_text().splitlines() if not line.startswith("crlfile")]
    broker.configuration.write_text("\n".join([*lines, ""]))
    broker.restart()
    assert clients.connect(stolen, "stolen").is_connected


def test_a_gateway_that_is_not_registered_here_hears_and_says_nothing(clients: Clients) -> None:
    cloud = clients.cloud("cloud", "porttrack/v1/+/+/up/records")
    unknown = clients.connect(clients.broker.gateway(SITE, "gw-unknown"), "gw-unknown")
    assert not unknown.subscribe(f"porttrack/v1/{SITE}/gw-unknown/down/receipt")
    unknown.publish(f"porttrack/v1/{SITE}/gw-unknown/up/records", b"x", 0)
    time.sleep(0.3)
    assert cloud.messages == []


def test_a_slow_reader_is_dropped_at_the_cap_and_the_broker_does_not_grow(
    broker: RenderedMosquitto, clients: Clients
) -> None:
    """A cloud process that reads nothing: 400 batches of 200 kB are 80 MB, and 16 MiB may wait for it."""
    idle = mqtt.Client(CallbackAPIVersion.VERSION2, "idle", protocol=MQTTProtocolVersion.MQTTv5)
    files = broker.cloud()
    idle.tls_set(str(files.trust), str(files.certificate), str(files.private_key))
    idle.connect(broker.host, broker.mqtt_port, keepalive=60)
    for _ in range(10):
        idle.loop(0.05)
    idle.subscribe(SHARED, 1)
    for _ in range(10):
        idle.loop(0.05)
    process = psutil.Process(broker.pid)
    before = process.memory_info().rss
    crane = clients.gateway(CRANE)
    for number in range(8):
        numbers = [crane.publish(f"porttrack/v1/{SITE}/{CRANE}/up/records", b"x" * 200_000) for _ in range(50)]
        wait_for(lambda numbers=numbers: set(numbers) <= crane.acknowledged, f"round {number}", 20)  # type: ignore[misc]
    grown_mib = (process.memory_info().rss - before) / 2**20
    idle.disconnect()
    assert grown_mib < 60, f"{grown_mib:.0f} MiB"
