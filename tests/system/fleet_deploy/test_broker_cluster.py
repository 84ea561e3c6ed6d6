"""A cluster of real nodes: who gets between brokers, who is cut off where, and how few nodes are enough."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from contracts.topics import Channel, all_gateways
from fleet_deploy.ca import requests
from fleet_deploy.ca.models import Kind
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.service import IssuedFiles, issue, revoke
from tests.support.broker_cluster import Node, RunningCluster, running_cluster
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.nats_client import tls_context
from tests.support.processes import wait_until

pytestmark = pytest.mark.system

SITE = "puerto-demo"
GREETING_S = 0.5
CROWD = 70
"""Gateways at one front: with two subscriptions each, more than the 64 that one client of a lone broker may have."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    with running_cluster(tmp_path_factory.mktemp("port")) as running:
        yield running


def test_a_revoked_gateway_is_cut_off_on_all_nodes_and_others_stay(cluster: RunningCluster) -> None:
    lost_files = cluster.gateway(SITE, "gw-lost")
    lost = clients(cluster, lost_files, "lost")
    kept = clients(cluster, cluster.gateway(SITE, "gw-kept"), "kept")
    try:
        cluster.revoke(lost_files)
        wait_for(lambda: all(client.disconnects for client in lost), "the cut on every node", 3)
        connects = [client.connects.count(True) for client in lost]
        wait_for(lambda: all(client.disconnects > 1 for client in lost), "a refused reconnect on every node", 8)
        assert [client.connects.count(True) for client in lost] == connects
        assert not any(client.disconnects for client in kept)
    finally:
        for client in [*lost, *kept]:
            client.close()


def test_mutation_a_node_that_is_not_told_lets_the_revoked_in(cluster: RunningCluster) -> None:
    """One node's supervisor is stopped, so nobody reloads: only there the gateway stays."""
    files = cluster.gateway(SITE, "gw-stays")
    first, *others = clients(cluster, files, "stays")
    supervisor = cluster.nodes[0].process
    assert supervisor is not None
    try:
        os.kill(supervisor.pid, signal.SIGSTOP)
        cluster.revoke(files)
        wait_for(lambda: all(client.disconnects for client in others), "the cut on the other nodes", 3)
        assert first.disconnects == 0
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)
        wait_for(lambda: first.disconnects > 0, "the cut, once it is told", 3)
        for client in [first, *others]:
            client.close()


@pytest.mark.parametrize("kind", [Kind.GATEWAY, Kind.CLOUD, Kind.SERVER])
def test_no_other_certificate_gets_between_brokers(cluster: RunningCluster, tmp_path: Path, kind: Kind) -> None:
    """The handshake of a route and of a front, with a certificate of the same authority that is no node's."""
    plans = {
        Kind.GATEWAY: requests.plan_gateway(SITE, "gw-thief"),
        Kind.CLOUD: requests.plan_cloud(),
        Kind.SERVER: requests.plan_server(["broker"]),
    }
    files = issue(cluster.authority, plans[kind], tmp_path / "thief", datetime.now(UTC))
    for port in (cluster.nodes[0].route_port, cluster.nodes[0].leaf_port):
        assert not gets_in(port, files)


def test_a_node_gets_in_and_once_revoked_no_more(cluster: RunningCluster, tmp_path: Path) -> None:
    """Proof that the refusals above are refusals; and a key that leads to the right root but is not pinned."""
    node = cluster.nodes[0]
    files = issue(cluster.authority, requests.plan_node("d", "127.0.0.1"), tmp_path / "d", datetime.now(UTC))
    digest = str(files.entry.key_digest)
    wait_until(lambda: digest in node.configuration("core"), 5, "the new node is pinned")
    ports = (node.route_port, node.leaf_port)
    wait_until(lambda: all(gets_in(port, files) for port in ports), 10, "the new node gets in")
    revoke(cluster.authority, files.entry.serial, datetime.now(UTC))
    wait_until(lambda: not any(gets_in(port, files) for port in ports), 10, "it is shut out")
    for one in cluster.nodes:
        one.wait_until_ready()


def test_a_nodes_certificate_opens_no_door_of_clients(cluster: RunningCluster) -> None:
    folder = cluster.nodes[0].folder / "run" / "node"
    entry = next(one for one in read_registry(cluster.authority).active() if one.kind is Kind.NODE)
    files = IssuedFiles(entry, folder / "certificate.pem", folder / "private_key.pem", folder / "trust.pem")
    for port in (cluster.nodes[0].mqtt_port, cluster.nodes[0].client_port):
        assert not gets_in(port, files)


async def test_every_gateway_of_a_crowd_is_heard_at_another_node_and_hears(cluster: RunningCluster) -> None:
    now = datetime.now(UTC)
    names = [f"gw-{number:03}" for number in range(CROWD)]
    issued = [
        issue(cluster.authority, requests.plan_gateway(SITE, name), cluster.folder / "crowd" / name, now)
        for name in names[:-1]
    ]
    issued.append(cluster.gateway(SITE, names[-1]))  # waits until every node knows all of them
    first, _, last = cluster.nodes
    crowd = [
        await asyncio.to_thread(MqttClient, files, first.host, first.mqtt_port, name)
        for name, files in zip(names, issued, strict=True)
    ]
    cloud = await nats.connect(last.url, tls=tls_context(cluster.cloud()))
    heard: set[str] = set()

    async def answer(message: Msg) -> None:
        heard.add(message.subject)
        await cloud.publish(message.subject.replace("up.records", "down.receipt"), b"receipt")
        await cloud.publish(message.subject.replace("up.records", "down.command"), b"command")

    try:
        await until(lambda: all(client.is_connected for client in crowd))
        for name, client in zip(names, crowd, strict=True):
            for channel in ("receipt", "command"):
                assert await asyncio.to_thread(client.subscribe, f"porttrack/v1/{SITE}/{name}/down/{channel}", 1)
        await cloud.subscribe(all_gateways(Channel.RECORDS), queue="store", cb=answer)
        await cloud.flush()
        await asyncio.sleep(1)  # until fronts know of a new subscriber; a real gateway would send again
        for name, client in zip(names, crowd, strict=True):
            client.publish(f"porttrack/v1/{SITE}/{name}/up/records", b"batch")
        await until(lambda: all(len(client.messages) == 2 for client in crowd))
        assert len(heard) == CROWD
        assert [len(client.messages) for client in crowd] == [2] * CROWD
    finally:
        await cloud.close()
        for client in crowd:
            client.close()


async def test_one_node_of_three_is_enough(cluster: RunningCluster) -> None:
    """Nothing is elected, so nothing needs a majority: the last node takes new gateways and passes batches on."""
    files, cloud = cluster.gateway(SITE, "gw-last"), cluster.cloud()
    *dead, last = cluster.nodes
    for node in dead:
        node.kill()
    try:
        await passes_on(last, files, cloud)
    finally:
        for node in dead:
            await asyncio.to_thread(cluster.restart, node)


def clients(cluster: RunningCluster, files: IssuedFiles, name: str) -> list[MqttClient]:
    """Connect one gateway's certificate to every node."""
    found = [MqttClient(files, node.host, node.mqtt_port, f"{name}-{node.name}") for node in cluster.nodes]
    wait_for(lambda: all(client.is_connected for client in found), f"{name} at every node", 10)
    return found


def gets_in(port: int, files: IssuedFiles) -> bool:
    """Shake hands with a listener of NATS or MQTT; returns whether it took the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whom the listener trusts is the question, not whom we do
    context.load_cert_chain(files.certificate, files.private_key)
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            plain.settimeout(GREETING_S)
            with contextlib.suppress(TimeoutError):
                plain.recv(4096)  # NATS greets in clear; MQTT waits for the handshake
            plain.settimeout(5)
            with context.wrap_socket(plain) as secure:
                # a certificate is refused after the client's half of the handshake (TLS 1.3)
                secure.settimeout(GREETING_S)
                return bool(secure.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


async def passes_on(node: Node, files: IssuedFiles, cloud: IssuedFiles) -> None:
    """Connect a gateway and the cloud to one node, and see a batch and its receipt through."""
    base = f"{SITE}/gw-last"
    gateway = await asyncio.to_thread(MqttClient, files, node.host, node.mqtt_port, "last")
    client = await nats.connect(node.url, tls=tls_context(cloud))

    async def answer(message: Msg) -> None:
        await client.publish(f"porttrack.v1.{base.replace('/', '.')}.down.receipt", message.data)

    try:
        await until(lambda: gateway.is_connected)
        assert await asyncio.to_thread(gateway.subscribe, f"porttrack/v1/{base}/down/receipt")
        await client.subscribe(all_gateways(Channel.RECORDS), cb=answer)
        await client.flush()
        await asyncio.sleep(1)  # a front whose core died hangs on the next one within a second
        gateway.publish(f"porttrack/v1/{base}/up/records", b"batch")
        await until(lambda: gateway.messages == [(f"porttrack/v1/{base}/down/receipt", b"batch")])
    finally:
        await client.close()
        gateway.close()


async def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the condition is fed by a thread of paho
            await asyncio.sleep(0.02)
