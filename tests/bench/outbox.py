"""Durable records a second beside the bare disk, and bytes written to the device for each byte of payload.

A process of its own does nothing but this, so that its ``write_bytes`` are those of the outbox. Payload is the JSON of
the records as the drivers hand them over. The way of a record is whole: appended, committed (``synchronous=FULL``),
taken by its lane, answered by a receipt, deleted. It goes through the outbox's own methods in the uplink's pattern,
with a cloud that answers at once: what MQTT costs is not the disk's.

The bare limit appends the same payload, in the groups that the outbox committed it in, to a file and syncs each: a
loop of ten lines, in turns with the outbox on the same disk. ``outbox_steady`` is 75 messages a second with a commit
every 250 ms, as long as ``--seconds`` says.

*Source:* proc(5), /proc/PID/io: write_bytes, what this process caused to be sent to the storage layer; wchar, what it
passed to write calls.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest.mock import patch

import msgspec

from contracts.payloads import Ais, AisStation
from contracts.receipt import Outcome, Receipt
from contracts.records import Clock, ClockState, Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import writer
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from gateway.outbox.store import Store
from tests.bench.figures import report
from tests.bench.outbox_peers import RealClock
from tests.support.gateway_records import GATEWAY, SITE

DRIVERS, FRAMES, FRAME_RECORDS = 8, 80, 128
"""81,920 records, in the largest frames that a driver hands over when it catches up (``MAX_OBSERVATIONS``)."""
ROUNDS = 5
STEADY_HZ = 75
STEADY_S = 20.0
"""Past the first checkpoint: what it writes must be in the figure. Whole: ``--seconds 300``."""
WINDOW, ROOM_BYTES = 16, 4 * 1024 * 1024
AIM_SHARE, AIM_BYTES = 0.5, 2.0
FOLDER = Path("build")
_ARMOUR = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
_BOOT_ID = "0d9f2c54-3a5e-4bb5-a8cf-5a4b6d1f9e01"


@dataclass
class Feed:
    """What went through, and how.

    Attributes:
        groups: records of each commit that took some.
        took_s: from the first append to the last deletion.
        payload_bytes: JSON of the records.
        device_bytes: written by the process meanwhile, as the kernel counts them (whole blocks).
        call_bytes: what it has passed to write calls: log and database, byte by byte.
    """

    groups: list[int] = field(default_factory=list)
    took_s: float = 0.0
    payload_bytes: int = 0
    device_bytes: int = 0
    call_bytes: int = 0


class _GroupsStore(Store):
    """Counts the records of each commit."""

    groups: list[int]

    def flush(self, now: float) -> int:
        placed = sum(tail.next_seq - tail.first_seq for tails in self._tails.values() for tail in tails)
        if placed:
            self.groups.append(placed)
        return super().flush(now)


def run(seconds: float = STEADY_S) -> None:
    """Print rate, limit and ratio, and the device bytes at full speed and at a steady pace."""
    FOLDER.mkdir(exist_ok=True)
    full = _in_a_process("full", 0)
    report("outbox_durable_rate", full["rate"], "records/s", aim=AIM_SHARE, ratio=full["share"], limit=full["limit"],
           records_a_commit=full["group"])  # fmt: skip
    report("outbox_device_bytes_full_speed", full["bytes"], "device bytes/payload byte", limit=AIM_BYTES,
           ratio=round(full["bytes"] / AIM_BYTES, 3))  # fmt: skip
    steady = _in_a_process("steady", seconds)
    report("outbox_device_bytes_steady", steady["bytes"], "device bytes/payload byte", limit=AIM_BYTES,
           ratio=round(steady["bytes"] / AIM_BYTES, 3), rate_hz=STEADY_HZ, group_commit_ms=steady["commit_ms"],
           commits_per_s=steady["commits_per_s"], by_write_calls=steady["call_bytes"], seconds=seconds)  # fmt: skip


def _in_a_process(mode: str, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.outbox", "--child", mode, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 300)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def varied(count: int) -> list[Observation]:
    """Return positions of 500 ships, every field of which moves, with sentences that hardly compress: no best case."""
    random = Random(1)
    clock = Clock(ClockState.NTP, 4.5)
    made = []
    for number in range(count):
        payload = Ais(
            msg_type=1, mmsi=219_000_000 + random.randrange(500) * 1_237, station=AisStation.CLASS_A, channel="A",
            lon_deg=round(random.uniform(-3.2, -2.9), 6), lat_deg=round(random.uniform(43.2, 43.5), 6),
            sog_kn=round(random.uniform(0, 20), 1), cog_deg=round(random.uniform(0, 360), 1),
            heading_deg=random.randrange(360), utc_second=random.randrange(60),
        )  # fmt: skip
        armoured = "".join(random.choices(_ARMOUR, k=28))
        at_ns = 1_790_000_000_000_000_000 + number * 13_333_333 + random.randrange(1_000_000)
        raw = f"!AIVDM,1,1,,A,{armoured},0*{random.randrange(256):02X}"
        made.append(Observation(at_ns, clock, at_ns // 7, _BOOT_ID, "ais", payload, raw=raw))
    return made


def full_speed(feed: list[Observation], rounds: int = ROUNDS) -> dict[str, float]:
    """Run the outbox and the bare loop in turns; medians."""
    payload = [msgspec.json.encode(item) for item in feed]
    rates, limits, shares, sizes, groups = [], [], [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            ours = asyncio.run(through_the_outbox(Path(name) / "outbox.db", feed))
            limit_s = bare(Path(name) / "bare", payload, ours.groups)
        rates.append(len(feed) / ours.took_s)
        limits.append(len(feed) / limit_s)
        shares.append(limit_s / ours.took_s)
        sizes.append(ours.device_bytes / ours.payload_bytes)
        groups.append(len(feed) / len(ours.groups))
    names = ("rate", "limit", "share", "bytes", "group")
    values = (rates, limits, shares, sizes, groups)
    return {name: round(statistics.median(items), 3) for name, items in zip(names, values, strict=True)}


def bare(path: Path, payload: list[bytes], groups: list[int]) -> float:
    """Append the payload in these groups to a file, each synced; returns the time it takes, s."""
    joined, at = [], 0
    for count in groups:
        joined.append(b"".join(payload[at : at + count]))
        at += count
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    began_at = time.monotonic()
    for data in joined:
        os.write(file, data)
        os.fdatasync(file)
    took_s = time.monotonic() - began_at
    os.close(file)
    return took_s


async def through_the_outbox(path: Path, feed: list[Observation], settings: OutboxSettings | None = None) -> Feed:
    """Send a feed through the outbox as fast as it takes it; from as many drivers as ``DRIVERS``."""
    result = Feed(payload_bytes=sum(len(msgspec.json.encode(item)) for item in feed))
    outbox = _outbox(path, settings or OutboxSettings(), result)
    sealed = asyncio.Event()
    outbox.start(sealed.set)
    outbox.set_hungry(True)
    await outbox.stored_no("warm", "up")
    before, began_at = written_bytes(), time.monotonic()
    share = len(feed) // DRIVERS
    async with asyncio.TaskGroup() as tasks:
        for number in range(DRIVERS):
            tasks.create_task(_drive(outbox, f"ais-{number}", feed[number * share : (number + 1) * share]))
        tasks.create_task(drain(outbox, sealed, share * DRIVERS))
    result.took_s = time.monotonic() - began_at
    result.device_bytes = written_bytes() - before
    await outbox.close()
    return result


async def steady(path: Path, seconds: float, settings: OutboxSettings) -> Feed:
    """Send ``STEADY_HZ`` messages a second, one append each, and count what is written."""
    feed = varied(int(STEADY_HZ * seconds))
    result = Feed(payload_bytes=sum(len(msgspec.json.encode(item)) for item in feed))
    outbox = _outbox(path, settings, result)
    sealed = asyncio.Event()
    outbox.start(sealed.set)
    outbox.set_hungry(True)
    await outbox.stored_no("warm", "up")
    before, calls_before, began_at = written_bytes(), written_bytes("wchar"), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drain(outbox, sealed, len(feed)))
        for number, item in enumerate(feed, 1):
            await asyncio.sleep(max(0.0, began_at + number / STEADY_HZ - time.monotonic()))
            tasks.create_task(outbox.append("ais", "run-1", number, [item]))
    result.took_s = time.monotonic() - began_at
    await outbox.close()
    result.device_bytes = written_bytes() - before
    result.call_bytes = written_bytes("wchar") - calls_before
    return result


def written_bytes(name: str = "write_bytes") -> int:
    """Return a counter of this process from /proc/self/io."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


async def drain(outbox: Outbox, sealed: asyncio.Event, wanted: int) -> None:
    """Take, answer and delete as the uplink does, with a cloud that answers at once, until ``wanted`` are gone."""
    gone = 0
    while gone < wanted:
        sealed.clear()
        found: list[StoredBatch] = await outbox.next_batches(Lane.LIVE, (), WINDOW, ROOM_BYTES)
        found = found or await outbox.next_batches(Lane.BACKLOG, (), WINDOW, ROOM_BYTES)
        if not found:
            async with asyncio.timeout(30):
                await sealed.wait()
            continue
        await outbox.settle([(_receipt(item), item.batch_id) for item in found])
        gone += sum(item.records for item in found)


def _outbox(path: Path, settings: OutboxSettings, result: Feed) -> Outbox:
    outbox = Outbox(path, SITE, GATEWAY, settings, RealClock(), Counters())
    _GroupsStore.groups = result.groups
    return outbox


def _receipt(item: StoredBatch) -> Receipt:
    return Receipt(
        outcome=Outcome.COMMITTED, stream_id=item.stream_id, first_seq=item.first_seq, last_seq=item.last_seq
    )


async def _drive(outbox: Outbox, source: str, items: list[Observation]) -> None:
    for first in range(0, len(items), FRAME_RECORDS):
        frame = items[first : first + FRAME_RECORDS]
        await outbox.append(source, "run-1", first + len(frame), frame)


def _child(mode: str, seconds: float) -> dict[str, float]:
    with patch.object(writer, "Store", _GroupsStore):
        if mode == "full":
            return full_speed(varied(DRIVERS * FRAMES * FRAME_RECORDS))
        settings = OutboxSettings(group_commit_ms=250)
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            result = asyncio.run(steady(Path(name) / "outbox.db", seconds, settings))
        return {
            "bytes": round(result.device_bytes / result.payload_bytes, 3),
            "call_bytes": round(result.call_bytes / result.payload_bytes, 3),
            "commit_ms": settings.group_commit_ms,
            "commits_per_s": round(len(result.groups) / result.took_s, 2),
        }


def main() -> None:
    """Measure, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=("full", "steady"))
    parser.add_argument("--seconds", type=float, default=STEADY_S)
    arguments = parser.parse_args()
    if arguments.child:
        sys.stdout.write(json.dumps(_child(arguments.child, arguments.seconds)) + "\n")
    else:
        run(arguments.seconds)


if __name__ == "__main__":
    main()
