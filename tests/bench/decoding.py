"""Decode lines a second beside bare pyais, on the same file, alternating in the same run."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyais

from edge_agent.parsers.nmea_decoder import NmeaDecoder
from tests.bench.figures import report

PASSES = 7
CHUNK_BYTES = 4096
"""What one read of a busy tty returns."""


def run(recordings: Path) -> None:
    """Print lines a second of both and their ratio."""
    path = recordings / "ais" / "denmark_national.nmea"
    data = path.read_bytes()
    lines = data.count(b"\n")
    ours: list[float] = []
    bare: list[float] = []
    counts: set[tuple[int, int]] = set()
    for _ in range(PASSES):
        ours_s, ours_count = timed(lambda: decode_ours(data))
        bare_s, bare_count = timed(lambda: decode_bare(path))
        ours.append(lines / ours_s)
        bare.append(lines / bare_s)
        counts.add((ours_count, bare_count))
    ratio = median(a / b for a, b in zip(ours, bare, strict=True))
    report("decode_bare_pyais", median(bare), "lines/s", messages=max(count[1] for count in counts))
    report("decode_porttrack", median(ours), "lines/s", peer="pyais", ratio=round(ratio, 3),
           messages=max(count[0] for count in counts))  # fmt: skip


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Return (seconds, result) of one call."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def decode_ours(data: bytes) -> int:
    """Frame, check, assemble, decode and null: everything that the driver does."""
    decoder = NmeaDecoder()
    count = 0
    for offset in range(0, len(data), CHUNK_BYTES):
        count += len(decoder.feed(data[offset : offset + CHUNK_BYTES], offset))
    return count + len(decoder.close(len(data)))


def decode_bare(path: Path) -> int:
    """What pyais does with the same file: assembly and bits, no checksum policy, sentinels kept."""
    with pyais.FileReaderStream(str(path)) as stream:
        return sum(message.decode() is not None for message in stream)
