"""Durable records a second, from the append to the deletion, of our outbox, of ThingsBoard's, and of the bare disk.

All in one run on one disk, in turns; the median of the rounds is printed. Ours: frames of 128 records, as drivers hand
them over, from as many drivers as a gateway may have; committed, taken by lanes, answered by a receipt, deleted.
``synchronous=FULL``: a record counts from the fsync on. ThingsBoard gateway's SQLite storage: WAL with
``synchronous=NORMAL``, behind a queue in memory without bound: a commit is no fsync, so that a power cut takes what
came after the last checkpoint (1,000 pages), and a process that dies takes the queue.

Two limits. ``…_bare_limit``: the batches that our outbox made of these records, each appended to a file and fsynced by
a loop that does nothing else; the disk alone. ``…_made_limit``: the same loop makes each batch of its records first
(JSON, zstd), because somebody has to; what a store could reach that needs no time of its own. The limit of the records
as they come, not compressed, and bytes written to the device are in ``tests/bench/outbox.py``.
"""

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from contracts.codec import decode_batch, encode_batch
from contracts.payloads import Ais, AisStation
from contracts.receipt import Outcome, Receipt
from contracts.records import Clock, ClockState, Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from tests.bench.figures import report
from tests.bench.peers_python import FOLDER, SCRIPTS, THINGSBOARD, PeerMissingError, environment, python_of
from tests.support.ais_feed import FIRST_MMSI
from tests.support.gateway_records import GATEWAY, SITE, ManualClock
from tests.support.line_feed import numbered_lines

DRIVERS = 32
FRAME_RECORDS = 128
FRAMES = 24
"""98,304 records: about a second on this side, and some of ThingsBoard's."""
PEER_RUNS = (("thingsboard_storage_rate", 1000, 2), ("thingsboard_storage_rate_as_shipped", 10, 16))
"""Name, rows it reads at once, and the share of the records that it is given (every second, every sixteenth; its rate
does not grow with the number). 1,000 rows is the default of its class (``storage_settings.py``), 10 is what the
``tb_gateway.json`` says that it is shipped with."""
ROOM_BYTES = 4 * 1024 * 1024
WINDOW = 64
PEER_TIMEOUT_S = 300
AIM_PEER, AIM_LIMIT = 10.0, 0.5
ROUNDS = 3

Item = TypeVar("Item")


@dataclass
class Taken:
    """What came out of our outbox."""

    records: int = 0
    blobs: list[bytes] = field(default_factory=list)


class RealClock(ManualClock):
    """A clock that moves by itself."""

    def mono_s(self) -> float:
        return time.monotonic()

    def wall_ns(self) -> int:
        return time.time_ns()


def run() -> None:
    """Measure all in turns and print their rates and ratios."""
    feed = observations(DRIVERS * FRAMES * FRAME_RECORDS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    rates: dict[str, list[float]] = defaultdict(list)
    missing = ""
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            folder = Path(name)
            taken, took_s = asyncio.run(_ours(folder / "outbox.db", feed))
            rates["outbox_beside_peers_rate"].append(taken.records / took_s)
            rates["outbox_beside_peers_bare_limit"].append(
                _limit(folder / "bare", taken.blobs, lambda blob: blob) * len(feed)
            )
            batches = [decode_batch(blob) for blob in taken.blobs]
            rates["outbox_beside_peers_made_limit"].append(_limit(folder / "made", batches, encode_batch) * len(feed))
            try:
                for peer, rows, share in PEER_RUNS:
                    rates[peer].append(_thingsboard(folder / peer, feed[::share], rows))
            except PeerMissingError as exc:
                missing = str(exc)
    _report({name: statistics.median(values) for name, values in rates.items()}, missing)


def _report(rates: dict[str, float], missing: str) -> None:
    ours = rates["outbox_beside_peers_rate"]
    report("outbox_beside_peers_rate", ours, "records/s", records=DRIVERS * FRAMES * FRAME_RECORDS, rounds=ROUNDS)
    for name in ("outbox_beside_peers_bare_limit", "outbox_beside_peers_made_limit"):
        report(name, rates[name], "records/s", aim=AIM_LIMIT, ratio=round(ours / rates[name], 3))
    for name, rows, _ in PEER_RUNS:
        if missing:
            report(name, 0.0, "records/s", not_measured=missing)
        else:
            report(name, rates[name], "records/s", rows_a_read=rows, aim=AIM_PEER, ratio=round(ours / rates[name], 2),
                   durability="no fsync at commit")  # fmt: skip


def observations(count: int) -> list[Observation]:
    """Return AIS positions that differ in MMSI and place, with the sentence they came in."""
    clock = Clock(ClockState.NTP, 1.0)
    made = []
    for number, line in enumerate(numbered_lines(count)):
        payload = Ais(
            msg_type=1, mmsi=FIRST_MMSI + number, station=AisStation.CLASS_A, sog_kn=11.5, cog_deg=123.4,
            lon_deg=round(-0.15 + number * 1e-6, 6), lat_deg=round(39.6 + number % 1000 * 1e-6, 6), heading_deg=124,
        )  # fmt: skip
        at_ns = 1_790_000_000_000_000_000 + number * 13_333_333
        raw = line.decode().strip()
        made.append(Observation(at_ns, clock, at_ns, "boot-1", "ais", payload, raw))
    return made


async def _ours(path: Path, feed: list[Observation]) -> tuple[Taken, float]:
    outbox = Outbox(path, SITE, GATEWAY, OutboxSettings(), RealClock(), Counters())
    sealed, taken = asyncio.Event(), Taken()
    outbox.start(sealed.set)
    outbox.set_hungry(True)
    began_at = time.monotonic()
    share = len(feed) // DRIVERS
    async with asyncio.TaskGroup() as tasks:
        for number in range(DRIVERS):
            tasks.create_task(_drive(outbox, f"ais-{number}", feed[number * share : (number + 1) * share]))
        tasks.create_task(_drain(outbox, sealed, taken, len(feed)))
    took_s = time.monotonic() - began_at
    await outbox.close()
    return taken, took_s


async def _drive(outbox: Outbox, source: str, items: list[Observation]) -> None:
    for first in range(0, len(items), FRAME_RECORDS):
        frame = items[first : first + FRAME_RECORDS]
        await outbox.append(source, "run-1", first + len(frame), frame)


async def _drain(outbox: Outbox, sealed: asyncio.Event, taken: Taken, wanted: int) -> None:
    """Do as the uplink does, with a cloud that answers at once."""
    while taken.records < wanted:
        sealed.clear()
        found: list[StoredBatch] = []
        for lane in Lane:
            found += await outbox.next_batches(lane, [item.batch_id for item in found], WINDOW, ROOM_BYTES)
        if not found:
            async with asyncio.timeout(30):
                await sealed.wait()
            continue
        await outbox.settle([(_receipt(item), item.batch_id) for item in found])
        taken.records += sum(item.records for item in found)
        taken.blobs += [item.data for item in found]


def _receipt(item: StoredBatch) -> Receipt:
    return Receipt(
        outcome=Outcome.COMMITTED, stream_id=item.stream_id, first_seq=item.first_seq, last_seq=item.last_seq
    )


def _limit(path: Path, items: Sequence[Item], make: Callable[[Item], bytes]) -> float:
    """Return one over the time that all items take."""
    began_at = time.monotonic()
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for item in items:
        os.write(file, make(item))
        os.fsync(file)
    os.close(file)
    return 1 / (time.monotonic() - began_at)


def _thingsboard(folder: Path, feed: list[Observation], rows: int) -> float:
    python = python_of(THINGSBOARD)
    folder.mkdir()
    messages = folder.parent / "messages.json"
    with messages.open("w", encoding="utf-8") as file:
        for item in feed:
            values = msgspec.to_builtins(item.payload) | {"raw": item.raw}
            telemetry = [{"ts": item.observed_at_ns // 1_000_000, "values": values}]
            message = {"deviceName": "ais", "deviceType": "receiver", "telemetry": telemetry, "attributes": {}}
            file.write(json.dumps(message, separators=(",", ":")) + "\n")
    command = [str(python), str(SCRIPTS / "thingsboard_storage.py"), str(folder), str(messages), str(rows)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PEER_TIMEOUT_S, env=environment(), check=True
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    return float(answer["records"] / answer["took_s"])


if __name__ == "__main__":
    run()
