"""CPU share of one driver process at 75 AIS messages a second, the most that one radio cell can carry.

A real process reads a real tty; its records are acknowledged over the hand-over socket as a gateway would. The messages
are those of the national recording, without its wrappers.

*Source:* ITU-R M.1371-5: 2,250 slots a minute on each of two channels.
"""

import asyncio
import tempfile
from pathlib import Path

import psutil

from tests.bench.figures import report
from tests.support.driver_process import DriverProcess, write_profiles
from tests.support.handover_gateway import HandOverGateway
from tests.support.ptys import SensorPty

RATE_HZ = 75
SETTLE_S = 3.0
MEASURED_S = 15.0
LIMIT_SHARE = 0.10
"""Of one core of the machine that measures: a Raspberry Pi's is four to five times slower."""


def run(recordings: Path) -> None:
    """Print the share of one core, and what arrived."""
    asyncio.run(_run(messages_of(recordings / "ais" / "denmark_national.nmea")))


def messages_of(path: Path) -> list[bytes]:
    """Return the lines of each AIS message of a recording."""
    messages: list[bytes] = []
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.startswith(b"!"):
            continue
        if line.split(b",")[2] == b"1":
            messages.append(line)
        else:
            messages[-1] += line
    return messages


async def _run(messages: list[bytes]) -> None:
    pty = SensorPty()
    source = {"source": "ais", "driver": "nmea", "link": {"kind": "serial", "device": pty.device, "baud": 38400}}
    with tempfile.TemporaryDirectory() as folder:
        gateway = HandOverGateway(Path(folder) / "handover.sock")
        await gateway.start()
        driver = DriverProcess(write_profiles(Path(folder), [source]), "ais", gateway.path)
        await driver.start()
        try:
            await gateway.until(lambda: driver.events("link_up"), 20, "the link is up")
            writer = asyncio.create_task(_write(pty, messages))
            await asyncio.sleep(SETTLE_S)
            process = psutil.Process(driver.pid)
            before, taken = process.cpu_times(), len(gateway.all())
            start = asyncio.get_running_loop().time()
            await asyncio.sleep(MEASURED_S)
            elapsed_s = asyncio.get_running_loop().time() - start
            after, arrived = process.cpu_times(), len(gateway.all()) - taken
            share = (after.user - before.user + after.system - before.system) / elapsed_s
            report("driver_cpu_share", share, "of one core", rate_hz=RATE_HZ, records_hz=round(arrived / elapsed_s, 1),
                   limit=LIMIT_SHARE, ratio=round(share / LIMIT_SHARE, 3),
                   rss_mib=round(process.memory_info().rss / 2**20, 1))  # fmt: skip
            writer.cancel()
        finally:
            await driver.end()
            await gateway.stop()
            pty.close()


async def _write(pty: SensorPty, messages: list[bytes]) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number, message in enumerate(messages):
        await asyncio.sleep(max(0.0, start + number / RATE_HZ - loop.time()))
        pty.write(message)
