"""The serial link on real pseudo-terminals: data, exclusivity, unplugging, ports that cannot be read."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.errors import LinkError
from edge_agent.links.descriptor import ReadableDescriptor
from edge_agent.links.serial_link import SerialLink
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from firmware_configs.links import SerialLink as SerialLinkConfig
from tests.support.nmea_lines import sentence, static

pytestmark = pytest.mark.system

WAIT_S = 5.0
NOBODY = 65534
"""User id that owns nothing."""
WIND = sentence("WIMWV,57.5,R,13.0,M,A")


class Line:
    """A pty: what is written to ``master`` comes out of ``device``."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.device = os.ttyname(self.slave)
        self.is_open = True

    def unplug(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.slave)
            os.close(self.master)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    pty = Line()
    yield pty
    pty.unplug()


def link_to(device: str) -> SerialLink:
    return SerialLink(SerialLinkConfig(kind="serial", device=device, baud=38400))


async def read_until(link: SerialLink, size: int) -> bytes:
    data = b""
    async with asyncio.timeout(WAIT_S):
        while len(data) < size:
            data += await link.read()
    return data


async def test_bytes_arrive_as_they_were_sent_the_eighth_bit_and_control_characters_too(line: Line) -> None:
    link = link_to(line.device)
    await link.open()
    data = bytes(range(256)) + WIND
    os.write(line.master, data)
    assert await read_until(link, len(data)) == data
    assert link.counters == {"bytes": len(data)}
    await link.close()


async def test_a_read_waits_for_data_and_a_cancelled_read_loses_none(line: Line) -> None:
    link = link_to(line.device)
    await link.open()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await link.read()
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0.02)
    os.write(line.master, WIND)
    async with asyncio.timeout(WAIT_S):
        assert await reading == WIND
    await link.close()


async def test_ais_in_two_parts_through_a_tty_makes_one_message(line: Line) -> None:
    link = link_to(line.device)
    await link.open()
    decoder = NmeaDecoder()
    names: list[str | None] = []
    for part in static(219018000, "ALPHA"):
        os.write(line.master, part)
        assert decoder.feed(await read_until(link, len(part)), 0) == []
    names.extend(getattr(item.payload, "name", None) for item in decoder.tick(200_000_000))
    assert names == ["ALPHA"]
    await link.close()


async def test_an_unplugged_adapter_is_a_link_error_and_can_be_opened_again_when_it_is_back(line: Line) -> None:
    link = link_to(line.device)
    await link.open()
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0.02)
    line.unplug()
    with pytest.raises(LinkError) as caught:
        async with asyncio.timeout(WAIT_S):
            await reading
    assert caught.value.reason == "lost"
    await link.close()
    back = Line()
    again = link_to(back.device)
    await again.open()
    os.write(back.master, WIND)
    assert await read_until(again, len(WIND)) == WIND
    await again.close()
    back.unplug()


async def test_closing_while_a_read_waits_ends_the_read(line: Line) -> None:
    link = link_to(line.device)
    await link.open()
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0.02)
    await link.close()
    with pytest.raises(LinkError) as caught:
        async with asyncio.timeout(WAIT_S):
            await reading
    assert caught.value.reason == "closed"
    await link.close()


async def test_without_the_wake_up_a_closed_port_would_hang_its_reader(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadableDescriptor, "_wake", lambda _: None)
    link = link_to(line.device)
    await link.open()
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0.02)
    await link.close()
    done, _ = await asyncio.wait({reading}, timeout=0.2)
    assert not done
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_port_is_used_by_one_process_only(line: Line) -> None:
    first, second = link_to(line.device), link_to(line.device)
    await first.open()
    with pytest.raises(LinkError) as caught:
        await second.open()
    assert "another process" in caught.value.hint
    await first.close()
    await second.open()
    await second.close()


async def test_ports_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.write_bytes(b"")
    for device, word in ((tmp_path / "missing", "plugged"), (plain, "not a serial port")):
        with pytest.raises(LinkError) as caught:
            await link_to(str(device)).open()
        assert caught.value.reason == "open_failed"
        assert word in caught.value.hint


@contextmanager
def not_as_root() -> Iterator[None]:
    """Give up root for a while: it may open every port."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_a_port_without_permission_says_which_group(line: Line) -> None:
    os.chmod(line.device, 0)  # noqa: PTH101 - a device node, in a test of one task
    try:
        with not_as_root(), pytest.raises(LinkError) as caught:
            await link_to(line.device).open()
    finally:
        os.chmod(line.device, stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101 - see above
    assert "dialout" in caught.value.hint


async def test_a_link_that_is_not_open_says_so() -> None:
    with pytest.raises(LinkError) as caught:
        await link_to("/dev/null").read()
    assert caught.value.reason == "closed"
