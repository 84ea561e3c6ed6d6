"""Replay: the bytes of the recording at its pace, by a loop whose clock only moves when everything waits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.errors import LinkError
from edge_agent.links import replay_link
from edge_agent.links.registry import LINKS, make_link
from edge_agent.links.replay_link import MAX_READ_BYTES, ReplayLink
from firmware_configs.links import ByteLink, SerialLink, TcpLink, UdpLink
from firmware_configs.links import ReplayLink as ReplayLinkConfig


class Clock:
    """Stands for the loop's clock and for sleeping: sleep moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(ReplayLink, "_now_s", staticmethod(lambda: self.now_s))
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, delay_s: float) -> None:
        self.now_s += delay_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def link_to(path: Path, content: bytes, **settings: object) -> ReplayLink:
    path.write_bytes(content)
    return ReplayLink(ReplayLinkConfig.model_validate({"kind": "replay", "path": path, **settings}))


async def read_all(link: ReplayLink, clock: Clock) -> list[tuple[float, bytes]]:
    await link.open()
    begun_s, reads = clock.now_s, []
    while data := await link.read():
        reads.append((round(clock.now_s - begun_s, 6), data))
    await link.close()
    return reads


TIMED = b"100.0 $A\n100.5 $B\nno time\n100.5 $C\r\n100.2 $D\n102.0 $E"


@pytest.mark.parametrize(("speed", "at_s"), [(1.0, [0.0, 0.5, 2.0]), (20.0, [0.0, 0.025, 0.1]), (0.5, [0.0, 1.0, 4.0])])
async def test_a_timed_recording_keeps_its_pace_or_a_multiple(
    tmp_path: Path, clock: Clock, speed: float, at_s: list[float]
) -> None:
    link = link_to(tmp_path / "log", TIMED, is_timed=True, speed=speed)
    reads = await read_all(link, clock)
    assert reads == list(zip(at_s, [b"$A\n", b"$B\n$C\r\n$D\n", b"$E"], strict=True))
    assert link.counters == {"bytes": 15, "lines": 5, "bad_time": 1}


async def test_a_recording_without_times_is_paced_by_lines(tmp_path: Path, clock: Clock) -> None:
    link = link_to(tmp_path / "log", b"$A\n$B\r\n$C\n", lines_per_s=10, speed=2)
    assert await read_all(link, clock) == [(0.0, b"$A\r\n"), (0.05, b"$B\r\n"), (0.1, b"$C\r\n")]


async def test_speed_zero_is_as_fast_as_it_is_read_in_reads_of_bounded_size(tmp_path: Path, clock: Clock) -> None:
    lines = [b"$%06d,%b\r\n" % (index, b"x" * 80) for index in range(3000)]
    link = link_to(tmp_path / "log", b"".join(lines), speed=0)
    reads = await read_all(link, clock)
    assert {at_s for at_s, _ in reads} == {0.0}
    assert b"".join(data for _, data in reads) == b"".join(lines)
    assert max(len(data) for _, data in reads) <= MAX_READ_BYTES


async def test_the_end_is_empty_bytes_for_ever(tmp_path: Path) -> None:
    link = link_to(tmp_path / "log", b"$A\n", speed=0)
    await link.open()
    assert [await link.read() for _ in range(3)] == [b"$A\r\n", b"", b""]
    await link.close()


async def test_repeat_begins_again_at_its_own_pace(tmp_path: Path, clock: Clock) -> None:
    link = link_to(tmp_path / "log", b"100.0 $A\n101.0 $B\n", is_timed=True, repeat=True)
    await link.open()
    reads = [(await link.read(), clock.now_s - 1000.0) for _ in range(5)]
    assert reads == [(b"$A\n", 0.0), (b"$B\n", 1.0), (b"$A\n", 1.0), (b"$B\n", 2.0), (b"$A\n", 2.0)]
    await link.close()


async def test_repeating_a_recording_of_lines_without_times_reads_past_the_first_block(tmp_path: Path) -> None:
    content = b"rubbish\n" * (replay_link.BLOCK_LINES + 10) + b"100.0 $A\n"
    link = link_to(tmp_path / "log", content, is_timed=True, repeat=True, speed=0)
    await link.open()
    assert [await link.read() for _ in range(2)] == [b"$A\n"] * 2
    await link.close()


async def test_an_empty_recording_cannot_be_repeated(tmp_path: Path) -> None:
    link = link_to(tmp_path / "log", b"", repeat=True, speed=0)
    await link.open()
    with pytest.raises(LinkError) as caught:
        await link.read()
    assert caught.value.reason == "empty"
    await link.close()


async def test_a_file_without_line_feeds_is_cut_into_pieces(tmp_path: Path) -> None:
    link = link_to(tmp_path / "log", b"\xff" * 150_000, speed=0)
    await link.open()
    sizes = [len(data) async for data in _reads(link)]
    assert max(sizes) <= MAX_READ_BYTES
    assert sum(sizes) == 150_000 + 2 * len(sizes)
    await link.close()


async def _reads(link: ReplayLink) -> AsyncIterator[bytes]:
    while data := await link.read():
        yield data


async def test_a_read_that_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    lines = [b"$%04d\r\n" % index for index in range(1200)]
    link = link_to(tmp_path / "log", b"".join(lines), speed=0)
    await link.open()
    got = b""
    while True:
        read = asyncio.create_task(link.read())
        await asyncio.sleep(0)
        read.cancel()
        await asyncio.gather(read, return_exceptions=True)
        data = await link.read() if read.cancelled() else read.result()
        if not data:
            break
        got += data
    assert got == b"".join(lines)
    await link.close()


async def test_a_recording_that_is_not_there_or_not_open_is_a_link_error(tmp_path: Path) -> None:
    link = ReplayLink(ReplayLinkConfig(kind="replay", path=tmp_path / "missing"))
    for attempt, reason in ((link.open, "open_failed"), (link.read, "closed")):
        with pytest.raises(LinkError) as caught:
            await attempt()
        assert caught.value.reason == reason
    await link.close()


def test_every_kind_of_profile_has_its_link(tmp_path: Path) -> None:
    configs: list[ByteLink] = [
        SerialLink(kind="serial", device="/dev/ttyUSB0"),
        TcpLink(kind="tcp", host="127.0.0.1", port=10110),
        UdpLink(kind="udp", port=10110),
        ReplayLinkConfig(kind="replay", path=tmp_path),
    ]
    assert {config.kind for config in configs} == set(LINKS)
    for config in configs:
        assert make_link(config).counters == {}
