"""Decode lines a second of CPU time beside bare pyais, gpsdecode and Signal K's parser: one file, turn by turn.

CPU time, because the machine that measures is rarely alone: ours and bare pyais in this process, the others each in a
process of its own. A ratio is the median of the ratios of the passes, so that what slows one pass slows both sides.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyais

from edge_agent.parsers.nmea_decoder import NmeaDecoder
from tests.bench import assembly_peers, decoding_peers
from tests.bench.figures import report

PASSES = 7
CHUNK_BYTES = 4096
"""What one read of a busy tty returns."""

AIM = 1.0
"""Of bare pyais, with all checks on."""

PEERS = ("pyais", "gpsdecode", "signalk")

Measure = Callable[[], tuple[float, int]]


def run(recordings: Path) -> None:
    """Print lines a second of all that are here, and the ratio of ours to each."""
    path = recordings / "ais" / "denmark_national.nmea"
    data = path.read_bytes()
    lines = data.count(b"\n")
    sides: dict[str, Measure] = {
        "porttrack": lambda: timed(lambda: decode_ours(data)),
        "pyais": lambda: timed(lambda: decode_bare(path)),
    }
    found, missing = assembly_peers.available()
    if "gpsdecode" in found:
        sides["gpsdecode"] = lambda: decoding_peers.run_gpsdecode(path)
    if "signalk" in found:
        sides["signalk"] = lambda: decoding_peers.run_signalk(path)
    for name, reason in missing.items():
        sys.stderr.write(f"not measured: {name}: {reason}\n")
    sides["porttrack_command"] = lambda: decoding_peers.run_decode_command(path)
    passes = [{name: measure() for name, measure in sides.items()} for _ in range(PASSES)]
    _print(passes, lines)


def _print(passes: list[dict[str, tuple[float, int]]], lines: int) -> None:
    for name in passes[0]:
        rate = median(lines / one[name][0] for one in passes)
        report(f"decode_{name}", rate, "lines/s", messages=max(one[name][1] for one in passes))
    for name in passes[0]:
        if name in PEERS:
            ratio = median(one[name][0] / one["porttrack"][0] for one in passes)
            aim = {"aim": AIM} if name == "pyais" else {}
            report("decode_porttrack_ratio", ratio, "of the peer's lines/s", peer=name, **aim)


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Return (CPU s, result) of one call."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


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
