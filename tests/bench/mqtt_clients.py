"""A thousand gateways at one node of a cluster: how long until all are in, by mutual TLS, and what memory they take.

Beside it, in the same run, Mosquitto with the same certificates and the same clients: what a user would pick instead.
Each client shakes hands, sends CONNECT with an id of its own (clean session) and subscribes to its receipts; it is in
when SUBACK has come. Clients are bare: their own cost is the same on both sides.
"""

import asyncio
import ssl
import tempfile
from pathlib import Path
from time import perf_counter

import psutil

from tests.bench.figures import report
from tests.support.broker_cluster import running_cluster
from tests.support.certs import TestAuthority
from tests.support.mosquitto import BINARY, Mosquitto

CLIENTS = 1000
AT_ONCE = 32
"""Handshakes under way: the clients' own process, on the same cores, gains nothing from more."""
SITE, GATEWAY = "puerto-bench", "gw-1"
TOPIC = f"porttrack/v1/{SITE}/{GATEWAY}/down/receipt"
TIMEOUT_S = 120.0
MIB = 2**20


def run() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        ours_s, ours_mib, core_mib = _node(Path(folder))
        if BINARY is None:
            report("mqtt_clients_node", ours_s, "s", clients=CLIENTS, rss_mib=ours_mib, core_rss_mib=core_mib)
            return
        peer_s, peer_mib = _mosquitto(Path(folder))
    report(
        "mqtt_clients_node", ours_s, "s", clients=CLIENTS, rss_mib=ours_mib, core_rss_mib=core_mib,
        mosquitto_s=round(peer_s, 2), mosquitto_rss_mib=peer_mib, ratio=round(peer_s / ours_s, 2),
    )  # fmt: skip


def _node(folder: Path) -> tuple[float, float, float]:
    with running_cluster(folder) as cluster:
        files = cluster.gateway(SITE, GATEWAY)
        context = _context(files.trust, files.certificate, files.private_key)
        node = cluster.nodes[0]
        front, core = psutil.Process(node.pid_of("front")), psutil.Process(node.pid_of("core"))
        took_s, rss_mib = asyncio.run(_all_in(node.mqtt_port, context, "localhost", front))
        return took_s, rss_mib, _rss_mib(core)


def _mosquitto(folder: Path) -> tuple[float, float]:
    authority = TestAuthority(folder / "authority")
    broker = Mosquitto(folder / "mosquitto", authority)
    broker.start()
    try:
        files = authority.issue(GATEWAY)
        context = _context(authority.trust, files.certificate, files.key)
        process = psutil.Process(broker.pid)
        return asyncio.run(_all_in(broker.mqtt_port, context, "mosquitto.test", process))
    finally:
        broker.stop()


def _context(trust: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trust)
    context.load_cert_chain(certificate, key)
    return context


async def _all_in(port: int, context: ssl.SSLContext, name: str, server: psutil.Process) -> tuple[float, float]:
    """Connect all; returns how long it took, s, and the server's memory with all of them connected, MiB."""
    places = asyncio.Semaphore(AT_ONCE)
    writers: list[asyncio.StreamWriter] = []

    async def one(number: int) -> None:
        async with places:
            writers.append(await _connect(port, context, name, f"bench-{number}"))

    started = perf_counter()
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    took_s = perf_counter() - started
    rss_mib = _rss_mib(server)
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)
    return took_s, rss_mib


async def _connect(port: int, context: ssl.SSLContext, name: str, client_id: str) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + _text(client_id)
    writer.write(bytes([0x10, len(body)]) + body)
    connack = await reader.readexactly(4)
    body = b"\x00\x01" + _text(TOPIC) + b"\x00"
    writer.write(bytes([0x82, len(body)]) + body)
    suback = await reader.readexactly(5)
    assert connack == b"\x20\x02\x00\x00", connack
    assert suback == b"\x90\x03\x00\x01\x00", suback
    return writer


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _rss_mib(process: psutil.Process) -> float:
    return round(float(process.memory_info().rss) / MIB, 1)
