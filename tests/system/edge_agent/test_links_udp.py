"""The UDP link on the loopback interface: datagrams, multicast groups, overruns that the kernel counts."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from contracts.errors import LinkError
from contracts.payloads import Ais
from edge_agent.links import udp_link
from edge_agent.links.udp_link import UdpLink
from edge_agent.parsers.iec450 import MAX_DATAGRAM_BYTES, Iec450Encoder
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from firmware_configs.links import UdpLink as UdpLinkConfig
from tests.support.nmea_lines import sentence

pytestmark = pytest.mark.system

WAIT_S = 5.0
WIND = sentence("WIMWV,57.5,R,13.0,M,A")
GROUP, OTHER_GROUP = "239.192.0.1", "239.192.0.2"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def sender() -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        yield endpoint


async def open_link(**settings: object) -> UdpLink:
    config = {"kind": "udp", "bind": "127.0.0.1", "port": free_port(), **settings}
    link = UdpLink(UdpLinkConfig.model_validate(config))
    await link.open()
    return link


async def read(link: UdpLink) -> bytes:
    async with asyncio.timeout(WAIT_S):
        return await link.read()


async def test_a_datagram_with_several_sentences_and_no_line_end_is_read_whole_and_ends_a_line(
    sender: socket.socket,
) -> None:
    link = await open_link()
    sender.sendto((WIND * 3).strip(), ("127.0.0.1", link.port))
    sender.sendto(WIND, ("127.0.0.1", link.port))
    first, second = await read(link), await read(link)
    assert (first, second) == ((WIND * 3).strip() + b"\n", WIND)
    assert len(NmeaDecoder().feed(first, 0)) == 3
    assert link.counters == {"datagrams": 2, "bytes": len(WIND) * 4 - 2}
    await link.close()


async def test_the_header_of_iec_61162_450_is_taken_off(sender: socket.socket) -> None:
    link = await open_link()
    tag = sentence("s:AI0001", "\\").strip() + b"\\"
    sender.sendto(b"UdPbC\0" + tag + WIND, ("127.0.0.1", link.port))
    data = await read(link)
    assert data == tag + WIND
    decoder = NmeaDecoder()
    assert len(decoder.feed(data, 0)) == 1
    assert decoder.rejected == {}
    await link.close()


async def test_datagrams_of_the_standard_that_hold_no_sentences_are_counted_and_passed_over(
    sender: socket.socket,
) -> None:
    link = await open_link()
    sender.sendto(b"RrUdP\0" + bytes(range(200)), ("127.0.0.1", link.port))
    sender.sendto(b"UdPbC\0" + WIND, ("127.0.0.1", link.port))
    assert await read(link) == WIND
    assert link.counters["foreign"] == 1
    await link.close()


async def test_what_is_encoded_for_a_group_is_decoded_from_it_whole(sender: socket.socket, recordings: Path) -> None:
    """A recording through multicast on the loopback: same messages, each with the sender as receiver."""
    log = (recordings / "ais" / "gpsd_type6_fid55.log").read_bytes()
    lines = [line for line in log.splitlines() if line.startswith(b"!")]
    expected = Counter(payload for payload, _ in decoded([b"".join(line + b"\n" for line in lines)]))
    datagrams = Iec450Encoder("AI0001").encode(lines)
    assert max(map(len, datagrams)) <= MAX_DATAGRAM_BYTES
    assert len(datagrams) < len(lines) / 5
    port = free_port()
    link = await open_link(port=port, group=GROUP, interface="127.0.0.1")
    arrived = []
    for datagram in datagrams:
        sender.sendto(datagram, (GROUP, port))
        arrived.append(await read(link))
    found = decoded(arrived)
    assert Counter(payload for payload, _ in found) == expected
    assert {receiver for _, receiver in found} == {"AI0001"}
    assert "overruns" not in link.counters or link.counters["overruns"] == 0
    await link.close()


def decoded(chunks: list[bytes]) -> list[tuple[str, str | None]]:
    decoder = NmeaDecoder()
    items = [item for index, chunk in enumerate(chunks) for item in decoder.feed(chunk, index * 10_000_000)]
    items += decoder.close(len(chunks) * 10_000_000)
    assert not decoder.rejected
    ais = [item.payload for item in items if isinstance(item.payload, Ais)]
    return [(str(msgspec.structs.replace(payload, receiver=None)), payload.receiver) for payload in ais]


async def test_a_group_is_joined_and_other_groups_on_its_port_stay_out(sender: socket.socket) -> None:
    port = free_port()
    link = await open_link(port=port, group=GROUP, interface="127.0.0.1")
    other = await open_link(port=port, group=OTHER_GROUP, interface="127.0.0.1")
    sender.sendto(b"$other\n", (OTHER_GROUP, port))
    sender.sendto(b"$mine\n", (GROUP, port))
    assert await read(link) == b"$mine\n"
    assert await read(other) == b"$other\n"
    await link.close()
    await other.close()


async def test_two_receivers_of_one_group_both_hear_it(sender: socket.socket) -> None:
    port = free_port()
    links = [await open_link(port=port, group=GROUP) for _ in range(2)]
    sender.sendto(WIND, (GROUP, port))
    assert [await read(link) for link in links] == [WIND, WIND]
    for link in links:
        await link.close()


async def test_datagrams_that_the_kernel_dropped_are_counted(
    sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp_link, "RECEIVE_BUFFER_BYTES", 4096)
    link = await open_link()
    for _ in range(500):
        sender.sendto(b"x" * 1000, ("127.0.0.1", link.port))
    endpoint = link._socket
    assert endpoint is not None
    while _has_data(endpoint):
        await read(link)
    sender.sendto(b"last", ("127.0.0.1", link.port))
    await read(link)
    counters = link.counters
    assert counters["overruns"] > 0
    assert counters["datagrams"] + counters["overruns"] == 501
    await link.close()


def _has_data(endpoint: socket.socket) -> bool:
    try:
        return bool(endpoint.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def test_a_cancelled_read_loses_nothing_and_closing_ends_a_waiting_read(sender: socket.socket) -> None:
    link = await open_link()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await link.read()
    sender.sendto(WIND, ("127.0.0.1", link.port))
    assert await read(link) == WIND
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0.02)
    await link.close()
    with pytest.raises(LinkError) as caught:
        async with asyncio.timeout(WAIT_S):
            await reading
    assert caught.value.reason == "closed"


async def test_what_cannot_be_opened_says_what_to_check() -> None:
    taken = await open_link()
    for settings in (
        {"port": taken.port},
        {"bind": "192.0.2.1"},
        {"group": "10.0.0.1"},
        {"group": GROUP, "interface": "x"},
    ):
        with pytest.raises(LinkError) as caught:
            await open_link(**settings)
        assert caught.value.reason == "open_failed"
        assert "interface" in caught.value.hint
    await taken.close()
    with pytest.raises(LinkError) as caught:
        await taken.read()
    assert caught.value.reason == "closed"
