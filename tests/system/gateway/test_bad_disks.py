"""A disk that is full for real: a small tmpfs, filled by something else, and made free again."""

import asyncio
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.codec import decode_batch
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane
from gateway.outbox.outbox import Outbox
from tests.support.gateway_records import GATEWAY, SITE, RunningClock, ais

pytestmark = pytest.mark.system
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
RECORDS = 50
RECOVERY_S = 20.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True, timeout=10)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True, timeout=10)


def fill(path: Path) -> None:
    """Write until the disk takes no byte more."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as exc:
                assert exc.errno == errno.ENOSPC  # noqa: PT017 - any other failure is the test's


async def numbers(box: Outbox) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for lane in Lane:
        for batch in await box.next_batches(lane, frozenset(), 1000, 2**30):
            found.setdefault(batch.stream_id, []).extend(item.seq for item in decode_batch(batch.data).records)
    return {name: sorted(seqs) for name, seqs in found.items()}


@NEEDS_ROOT
@pytest.mark.parametrize("is_tended", [True, False])
async def test_a_full_disk_is_outlived_in_memory_and_nothing_is_lost(small_disk: Path, *, is_tended: bool) -> None:
    """With its mutation proof: without the look at the disk every second the gateway would stay in memory for ever."""
    settings = OutboxSettings(group_commit_ms=5)
    box = Outbox(small_disk / "outbox.db", SITE, GATEWAY, settings, RunningClock(), Counters())
    box.start(lambda: None)
    tending = asyncio.create_task(box.run()) if is_tended else None
    try:
        assert (await box.append("ais", "r", RECORDS, [ais(number) for number in range(RECORDS)])).is_on_disk
        fill(small_disk / "filler")
        last_no, answer = RECORDS, None
        while answer is None or answer.is_on_disk:
            last_no += RECORDS
            assert last_no < 100 * RECORDS
            answer = await box.append("ais", "r", last_no, [ais(number) for number in range(RECORDS)])
        assert (await box.stats()).is_volatile
        assert "memory" in box.trouble
        (small_disk / "filler").unlink()
        deadline = time.monotonic() + (RECOVERY_S if is_tended else 3.0)
        while box.trouble and time.monotonic() < deadline:  # noqa: ASYNC110 - the disk has no event to wait for
            await asyncio.sleep(0.1)
        assert (box.trouble == "") is is_tended
        last_no += RECORDS
        answer = await box.append("ais", "r", last_no, [ais(number) for number in range(RECORDS)])
        assert answer.is_on_disk is is_tended
        await box.seal_all()
        found = await numbers(box)
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in found.values())
        assert sum(map(len, found.values())) == last_no
    finally:
        if tending is not None:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
        await box.close()
