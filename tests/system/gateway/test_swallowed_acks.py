"""Acknowledgements are swallowed on the way, then the gateway is killed: what it was given reaches the cloud anyway.

Timeline: the gateway connects through a proxy; from then on PUBACKs and receipts do not get through (in the harder of
the two faults the records neither: the link takes them and nobody has them, as behind a broker that hangs). A receiver
on TCP is read to its end. SIGKILL. The proxy lets everything pass, the gateway starts again. What the cloud then holds
is counted by number.

ThingsBoard's gateway, whole, goes through the same beside it: same lines, same proxy code, same broker. Both stand in
one table on standard output. ``PORTTRACK_WHOLE=1``: a million records in ten minutes, and a fifth of it in two minutes
of the harder fault.
"""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.bench.peers_python import PeerMissingError
from tests.support import mosquitto
from tests.support.ais_feed import numbered_message
from tests.support.certs import TestAuthority
from tests.support.counting_cloud import CountingCloud
from tests.support.gateway_process import GatewayProcess
from tests.support.line_feed import LineFeed, numbered_lines
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_broker import free_port
from tests.support.mqtt_proxy import PUBLISH, PacketReader, Swallow, SwallowingProxy, topic_of
from tests.support.thingsboard import VERSION, ThingsBoardProcess
from tests.system.gateway.conftest import Maker

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(mosquitto.BINARY is None, reason="Debian package mosquitto is not installed"),
]

START_S = 30.0
QUIET_S = 2.0
STALLED_S = 60.0


@dataclass(frozen=True)
class Load:
    """What a gateway is given: ``records`` lines, ``rate_hz`` of them a second, while ``swallow_s`` pass at least."""

    records: int
    rate_hz: float
    swallow_s: float


@dataclass(frozen=True)
class Row:
    """A line of the table. ``stored``: taken to its disk before the kill; ``lost``: fed, and not in the cloud.

    ``bytes_on_disk``: before the kill; ``last_arrived_s``: from the restart to the last record that came.
    """

    program: str
    swallowed: str
    swallow_s: float
    fed: int
    stored: int
    lost: int
    repeated: int
    declared_gaps: int | None
    holes_unexplained: int | None
    bytes_on_disk: int
    last_arrived_s: float


if os.environ.get("PORTTRACK_WHOLE") == "1":
    LOADS = {
        Swallow.ANSWERS: Load(1_000_000, 1_750.0, 600.0),
        Swallow.ANSWERS_AND_RECORDS: Load(200_000, 1_750.0, 120.0),
    }
else:
    LOADS = dict.fromkeys((Swallow.ANSWERS, Swallow.ANSWERS_AND_RECORDS), Load(20_000, 2_500.0, 8.0))


class Room:
    """A broker, the cloud's end, and a proxy for each gateway."""

    def __init__(self, folder: Path, authority: TestAuthority) -> None:
        self.folder, self.authority = folder, authority
        self.broker = Mosquitto(folder / "mosquitto", authority)
        self.cloud = CountingCloud(1_000_000)
        self._open: list[SwallowingProxy | LineFeed] = []
        server, client = authority.issue("broker.test", is_server=True), authority.issue("proxy.test")
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.load_cert_chain(server.certificate, server.key)
        self._server.load_verify_locations(authority.trust)
        self._server.verify_mode = ssl.CERT_REQUIRED
        self._client = ssl.create_default_context(cafile=str(authority.trust))
        self._client.load_cert_chain(client.certificate, client.key)

    async def proxy(self) -> SwallowingProxy:
        made = SwallowingProxy(self._server, self._client, self.broker.mqtt_port)
        await made.start()
        self._open.append(made)
        return made

    async def feed(self, load: Load) -> LineFeed:
        made = LineFeed(load.records, load.rate_hz)
        await made.start()
        self._open.append(made)
        return made

    async def close(self) -> None:
        for item in self._open:
            await item.close()


@pytest.fixture
async def room(folder: Path, authority: TestAuthority) -> AsyncIterator[Room]:
    made = Room(folder, authority)
    made.broker.start()
    try:
        made.cloud.connect(made.broker.port)
        yield made
    finally:
        await made.close()
        made.cloud.close()
        made.broker.kill()


@pytest.mark.parametrize("fault", [Swallow.ANSWERS, Swallow.ANSWERS_AND_RECORDS], ids=lambda fault: fault.name.lower())
async def test_nothing_is_lost_when_acknowledgements_are_swallowed(
    room: Room, make_gateway: Maker, fault: Swallow
) -> None:
    load = LOADS[fault]
    rows = await asyncio.gather(_porttrack(room, make_gateway, fault, load), _thingsboard(room, fault, load))
    for row in rows:
        sys.stdout.write((row if isinstance(row, str) else json.dumps(asdict(row))) + "\n")
    row = rows[0]
    assert (row.fed, row.stored, row.lost) == (load.records, load.records, 0)
    assert (row.declared_gaps, row.holes_unexplained) == (0, 0)


async def test_a_gateway_that_deletes_what_was_only_sent_loses_it(room: Room, make_gateway: Maker) -> None:
    """The mutation: the same fault, the deletion no longer held back by the receipt."""
    load = Load(4_000, 2_000.0, 3.0)
    fault = Swallow.ANSWERS_AND_RECORDS
    row = await _porttrack(room, make_gateway, fault, load, program="tests.support.forgetful_gateway", stalled_s=5.0)
    assert row.stored == load.records
    assert row.lost > 1_000


def test_the_feed_is_what_a_receiver_writes() -> None:
    lines = list(numbered_lines(3_000))
    assert all(lines[number] == numbered_message(number) for number in (0, 1, 2, 63, 64, 2_999))


def test_packets_are_cut_alike_whatever_the_chunks() -> None:
    long = bytes([PUBLISH << 4]) + b"\xac\x02" + b"\x00\x05topic" + b"x" * 293
    packets = [b"\xd0\x00", long, b"\x40\x02\x00\x07"]
    for size in (1, 2, 3, 7, 1000):
        reader, data = PacketReader(), b"".join(packets)
        found = [packet for start in range(0, len(data), size) for packet in reader.feed(data[start : start + size])]
        assert found == packets
    assert topic_of(long) == "topic"


async def _porttrack(
    room: Room, make: Maker, fault: Swallow, load: Load, program: str = "gateway", stalled_s: float = STALLED_S
) -> Row:
    proxy, feed = await room.proxy(), await room.feed(load)
    link = {"kind": "tcp", "host": "127.0.0.1", "port": feed.port, "silence_timeout_s": 3600}
    gateway = make(
        [{"source": "ais", "driver": "nmea", "link": link}], [proxy.port], program=program, local_port=free_port()
    )
    gateway.start()
    await _until(
        lambda: _metric(gateway, 'gateway_uplink_up{link="mqtt"}') == 1,
        START_S,
        lambda: f"the uplink is up\n{gateway.log_path.read_text(encoding='utf-8')[-3000:]}",
    )
    stored = lambda: _metric(gateway, 'gateway_messages_total{source="ais"}')  # noqa: E731 - one word for two uses
    await _swallow(proxy, fault, feed, load, stored)
    row_stored, size = await asyncio.to_thread(stored), _size(gateway.folder / "data")
    gateway.kill()
    proxy.swallow = Swallow.NOTHING
    gateway.start()
    tally = room.cloud.porttrack
    settled_s = await _until_settled(lambda: tally.arrived, lambda: tally.unique == load.records, stalled_s)
    return Row(
        "porttrack", fault.value, load.swallow_s, feed.written, int(row_stored), load.records - tally.unique,
        tally.repeated, room.cloud.gaps, room.cloud.holes(), size, round(settled_s, 2),
    )  # fmt: skip


async def _thingsboard(room: Room, fault: Swallow, load: Load) -> Row | str:
    """The same with ThingsBoard's gateway; the reason, where it cannot be had here."""
    proxy, feed = await room.proxy(), await room.feed(load)
    try:
        peer = await asyncio.to_thread(
            ThingsBoardProcess, room.folder / "thingsboard", room.authority, proxy.port, feed.port
        )
    except PeerMissingError as exc:
        return f"thingsboard: not measured: {exc}"
    try:
        peer.start()
        await _until(lambda: room.cloud.greeted > 0, START_S, peer.tail)
        await _swallow(proxy, fault, feed, load, peer.stored)
        stored, size = peer.stored(), peer.bytes_on_disk()
        peer.kill()
        proxy.swallow = Swallow.NOTHING
        peer.start()
        tally = room.cloud.thingsboard
        settled_s = await _until_settled(lambda: tally.arrived, peer.is_empty, STALLED_S)
    finally:
        peer.kill()
    lost = load.records - tally.unique
    return Row(
        VERSION, fault.value, load.swallow_s, feed.written, stored, lost, tally.repeated, None, None, size,
        round(settled_s, 2),
    )  # fmt: skip


async def _swallow(
    proxy: SwallowingProxy, fault: Swallow, feed: LineFeed, load: Load, stored: Callable[[], float]
) -> None:
    """Feed everything while answers are swallowed; returns when it is on disk and the time is over."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    proxy.swallow = fault
    feed.go()
    await _until(lambda: stored() >= load.records, load.records / load.rate_hz * 3 + STALLED_S, lambda: "all is stored")
    await asyncio.sleep(max(0.0, began_at + load.swallow_s - loop.time()))


async def _until(condition: Callable[[], object], timeout_s: float, what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - it happens in other processes
                await asyncio.sleep(0.25)
    except TimeoutError:
        raise AssertionError(f"after {timeout_s:g} s still not: {what()}") from None


async def _until_settled(progress: Callable[[], int], is_done: Callable[[], bool], stalled_s: float) -> float:
    """Wait until nothing has come for a while and the gateway says it is done; one that stalls is judged as it is.

    Returns the time from the call to the last that came, s.
    """
    loop = asyncio.get_running_loop()
    seen, began_at = -1, loop.time()
    changed_at = began_at
    while loop.time() - changed_at < QUIET_S or (
        not await asyncio.to_thread(is_done) and loop.time() - changed_at < stalled_s
    ):
        await asyncio.sleep(0.25)
        if progress() != seen:
            seen, changed_at = progress(), loop.time()
    return changed_at - began_at


def _metric(gateway: GatewayProcess, name: str) -> float:
    try:
        lines = gateway.get("/metrics").decode().splitlines()
    except OSError:
        return 0.0
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), 0.0)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("outbox*"))
