"""A gateway whose disk fails under it goes on: the real process, its driver, a broker, the cloud's end.

The faults: I/O errors and a read-only card by a library that fails the calls (the only way to have them end without a
new mount), a disk that answers nothing by freezing a real ext4, and a real ext4 that went read-only for good.
"""

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.payloads import Ais
from tests.support.ais_feed import FIRST_MMSI
from tests.support.cloud_end import CloudEnd
from tests.support.disk_faults import Fault, FaultyDisk
from tests.support.gateway_process import GatewayProcess
from tests.support.line_feed import LineFeed
from tests.support.mqtt_broker import TestBroker
from tests.system.gateway.conftest import Maker

pytestmark = pytest.mark.system

LINES, RATE_HZ = 1200, 100.0
BEFORE, DURING = 200, 700
SIZE = "64M"
COMMAND_TIMEOUT_S = 20
QUICK_OUTBOX = {"disk_timeout_s": 2.0}


@pytest.fixture
async def feed() -> AsyncIterator[LineFeed]:
    made = LineFeed(LINES, RATE_HZ)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def card(folder: Path) -> Iterator[Path]:
    """A real ext4 in a file, unmounted and thawed whatever happens."""
    image, mounted = folder / "card.img", folder / "card"
    mounted.mkdir()
    run("truncate", "-s", SIZE, str(image))
    run("mkfs.ext4", "-q", str(image))
    run("mount", "-o", "loop", str(image), str(mounted))
    try:
        yield mounted
    finally:
        with suppress(subprocess.CalledProcessError):
            run("fsfreeze", "-u", str(mounted))
        run("umount", "-l", str(mounted))


def run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=COMMAND_TIMEOUT_S)


def nmea(feed: LineFeed) -> dict[str, object]:
    link = {"kind": "tcp", "host": "127.0.0.1", "port": feed.port, "silence_timeout_s": 3600}
    return {"source": "ais", "driver": "nmea", "link": link}


def ships(cloud: CloudEnd) -> Counter[int]:
    return Counter(item.payload.mmsi for item in cloud.records("track") if isinstance(item.payload, Ais))


def is_volatile(cloud: CloudEnd) -> bool:
    return bool(cloud.statuses) and cloud.statuses[-1].is_volatile


async def live_through(
    gateway: GatewayProcess, feed: LineFeed, cloud: CloudEnd, begin: Callable[[], None], end: Callable[[], None] | None
) -> None:
    """Feed before, during and after the fault; live data has to arrive in each."""
    gateway.start()
    feed.go()
    await cloud.until(lambda: len(ships(cloud)) >= BEFORE, 60)
    begin()
    await cloud.until(lambda: is_volatile(cloud), 30)
    await cloud.until(lambda: len(ships(cloud)) >= DURING, 30)
    if end is not None:
        assert is_volatile(cloud)
        end()
        await cloud.until(lambda: not is_volatile(cloud), 30)
    await cloud.until(lambda: len(ships(cloud)) == LINES, 60)


def assert_whole_and_once(gateway: GatewayProcess, cloud: CloudEnd) -> None:
    assert ships(cloud) == {FIRST_MMSI + number: 1 for number in range(LINES)}
    assert cloud.unexplained() == {}
    assert sum(event["event"] == "gateway_started" for event in gateway.log()) == 1


@pytest.mark.parametrize("fault", [Fault.IO_ERROR, Fault.READ_ONLY, Fault.HANGS], ids=lambda fault: fault.name.lower())
async def test_a_disk_that_fails_and_recovers_costs_no_record_and_no_restart(
    folder: Path, broker: TestBroker, cloud: CloudEnd, feed: LineFeed, make_gateway: Maker, fault: Fault
) -> None:
    disk = FaultyDisk(folder / "g0" / "data", folder / "state")
    gateway = make_gateway(
        [nmea(feed)], [broker.mqtt_port], outbox=QUICK_OUTBOX, run_dir="run", environment=disk.environment
    )
    await live_through(gateway, feed, cloud, lambda: disk.set(fault), lambda: disk.set(Fault.NONE))
    assert_whole_and_once(gateway, cloud)
    events = {event["event"] for event in gateway.log()}
    assert {"outbox_in_memory", "outbox_on_disk_again"} <= events
    code, _ = await asyncio.to_thread(gateway.stop)
    assert code == 0


async def test_a_real_disk_that_answers_nothing_costs_no_record_and_no_restart(
    card: Path, broker: TestBroker, cloud: CloudEnd, feed: LineFeed, make_gateway: Maker
) -> None:
    gateway = make_gateway(
        [nmea(feed)], [broker.mqtt_port], outbox=QUICK_OUTBOX, run_dir="run", data_dir=str(card / "data")
    )

    def freeze() -> None:
        run("fsfreeze", "-f", str(card))

    def thaw() -> None:
        run("fsfreeze", "-u", str(card))

    await live_through(gateway, feed, cloud, freeze, thaw)
    assert_whole_and_once(gateway, cloud)


async def test_a_real_card_that_went_read_only_for_good_leaves_live_data_flowing(
    card: Path, broker: TestBroker, cloud: CloudEnd, feed: LineFeed, make_gateway: Maker
) -> None:
    """As the kernel does with an ext4 that met an error; only a new mount, so a restart, makes it writable again."""
    gateway = make_gateway(
        [nmea(feed)], [broker.mqtt_port], outbox=QUICK_OUTBOX, run_dir="run", data_dir=str(card / "data")
    )
    await live_through(gateway, feed, cloud, lambda: run("mount", "-o", "remount,abort", str(card)), None)
    assert_whole_and_once(gateway, cloud)
    assert is_volatile(cloud)
