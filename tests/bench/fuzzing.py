"""``python -m tests.bench.fuzzing``: bytes that nobody should send, into the decoder, for a while.

Each round takes real lines, mutates them (bits, bytes, cuts, repetitions, checksums made right again so that what is
behind them is reached), feeds them in random pieces at random times, and demands: no exception but what the decoder
counts itself, reasons of the closed list only, every buffer within its cap, and memory that does not grow. A round is
made of its seed alone. The unit tests run the seeds in ``tests/edge_agent/parsers/seeds`` for ever: those of rounds
that failed, and a few that did not.

``--seconds N``: 5 by default, 600 with PORTTRACK_WHOLE=1.
"""

import argparse
import os
import random
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

from edge_agent.parsers.ais_assembly import MAX_GROUPS, MAX_PARTS
from edge_agent.parsers.nmea_decoder import MAX_IGNORED_TYPES, NmeaDecoder
from edge_agent.parsers.receiver_mix import MAX_STREAMS
from edge_agent.parsers.rejects import MAX_SAMPLE_CHARS, REASONS
from edge_agent.parsers.tag_block import MAX_TAG_BYTES, checksum
from edge_agent.parsers.vdm_repairs import REPAIRS
from tests.bench.figures import report
from tests.support.ais_messages import ALPHABET
from tests.support.nmea_lines import ais_lines, sentence, static, tagged, vdm

SEEDS = Path(__file__).parent.parent / "edge_agent" / "parsers" / "seeds"
LINES_A_ROUND = 60
MAX_GROWTH_BYTES = 2_000_000
"""A decoder at its caps is smaller; what grows from round to round is a leak."""

CORPUS = [
    *static(219000001, "ALPHA"),
    *static(219000002, "YANKEE", seq_id=2, channel="B"),
    *ais_lines({"type": 14, "mmsi": 219000001, "text": "MAN OVERBOARD NEAR BUOY 7 " * 5}),
    *(vdm(ALPHABET[kind] + "".join(random.Random(kind).choices(ALPHABET, k=size)))
      for kind in range(1, 29) for size in (27, 52)),
    tagged("s:r1,c:1795500000,g:1-2-7,n:9,d:VTS,t:x", static(219000001, "ALPHA")[0]),
    tagged("g:2-2-7", static(219000001, "ALPHA")[1]),
    sentence("PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B"),
    b"!AIVDM,1,1,,B,402=481uaUcf;OQ55JS9ITi025Jp,0*2B,s28089,d-103,r08TPHI1,1242958962\r\n",
    sentence("AIVDM,1,1,3,,13aI8e?P00PGpU:NR6s00?vT2000,0,0", "!"),
    sentence("WIMWV,57.5,R,13.0,N,A"),
    sentence("WIMWD,57.5,T,55.0,M,13.0,N,6.7,M"),
    sentence("WIMDA,30.0,I,1.016,B,15.0,C,12.0,C,60.0,,8.0,C,57.5,T,55.0,M,13.0,N,6.7,M"),
    sentence("IIXDR,C,10.7,C,AIRTEMP,A,0.5,D,HEEL,P,1.026,B,BARO"),
    sentence("SDDPT,5.3,0.4,100"), sentence("SDDBT,17.4,f,5.3,M,2.9,F"), sentence("YXMTW,12.3,C"),
    sentence("VWVHW,1.0,T,2.0,M,3.0,N,5.6,K"),
    sentence("GPGGA,120000.00,3937.500,N,00012.500,W,4,12,0.8,12.3,M,50.0,M,1.0,0001"),
    sentence("GPRMC,120000.00,A,3937.500,N,00012.500,W,0.1,12.3,150127,1.0,W,D"),
    sentence("GPZDA,120000.00,15,01,2027,00,00"), sentence("GPGST,120000.00,1.0,1.0,1.0,45.0,0.5,0.5,1.0"),
    b"$RATTM, 1,1.033854,237.500000,,5.76,176.3,T, , ,N,ARPA 1,T, *22\r\n",
    b"$RATTM,498,4.29,155.9,T,0.3,74.7,T,1.07,-76.4,N,,T,,074051,M*39\r\n",
    sentence("RATLL,01,3731.51052,N,02436.00000,E,TEST1,161617.88,T,"), sentence("RATLB,481,,470,X"),
    sentence("RATTD,1,1,1,E01H4p3100T8N01H4p3100T8N01H4p31,0", "!"),
    b"$RAOSD,180.5,A,179.3,P,2.6,P,178.7,1.3,N*49\r\n", b"$RARSD,0.00,0.0,5.18,82.1,,,,,,,6,N,N*7B\r\n",
]  # fmt: skip


class FuzzError(AssertionError):
    """A round broke a promise; the message says which."""


def mutate(line: bytes, draw: random.Random) -> bytes:
    """Return a line that is damaged in up to four ways, its checksum often made right again."""
    data = bytearray(line)
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at:at] = draw.randbytes(draw.randint(1, 6))
        elif kind == 2:
            del data[at : at + draw.randint(1, 20)]
        elif kind == 3:
            data[at:at] = data[at : at + draw.randint(1, 40)] * draw.randint(1, 8)
        elif kind == 4:
            data[at:at] = draw.choice((b",", b"*", b"\\", b"!", b"$", b"\n", b"-", b".", b"9" * 30, b"nan", b"\xb2"))
        elif kind == 5 and at < len(data):
            data[at] = draw.choice(b"0123456789ABCDEFGHW`abcdefghw,.-")
        else:
            data[at:at] = draw.choice(CORPUS)[: draw.randint(1, 60)]
    return _right(bytes(data)) if draw.random() < 0.7 else bytes(data)


def _right(line: bytes) -> bytes:
    start, star = max(line.rfind(b"!"), line.rfind(b"$")), line.rfind(b"*")
    return line[: star + 1] + b"%02X\r\n" % checksum(line[start + 1 : star]) if 0 <= start < star else line


def run_round(seed: int) -> Counter[str]:
    """Feed one round; returns what was rejected and how many records came out (``records``).

    Raises:
        FuzzError: a promise is broken.
    """
    draw = random.Random(seed)
    limit = draw.choice((82, 512, 4096))
    decoder = NmeaDecoder(max_sentence_bytes=limit, is_lenient=draw.random() < 0.5)
    data = b"".join(mutate(draw.choice(CORPUS), draw) for _ in range(LINES_A_ROUND))
    now_ns = records = position = 0
    while position < len(data):
        size = draw.choice((1, 7, 64, 512, 4096))
        now_ns += draw.choice((0, 0, 1, 30_000_000, 2_000_000_000))
        records += len(decoder.feed(data[position : position + size], now_ns))
        records += len(decoder.tick(now_ns)) if draw.random() < 0.1 else 0
        position += size
        _demand(decoder, limit)
    records += len(decoder.close(now_ns))
    _demand(decoder, limit)
    return Counter(decoder.rejected) + Counter(records=records)


def _demand(decoder: NmeaDecoder, limit: int) -> None:
    assembler = decoder._vdm._assembler
    broken = [
        name
        for name, is_kept in (
            ("reason", set(decoder.rejected) <= set(REASONS)),
            ("repair", set(decoder.repaired) <= set(REPAIRS)),
            ("sample", all(len(sample) <= MAX_SAMPLE_CHARS for sample in decoder.samples.values())),
            ("ignored", len(decoder.ignored) <= MAX_IGNORED_TYPES + 1),
            ("tail", len(decoder._framer._tail) <= limit + MAX_TAG_BYTES),
            ("parts", assembler.pending <= MAX_PARTS),
            ("groups", len(assembler._groups) <= MAX_GROUPS),
            ("streams", len(assembler._mix._streams) <= MAX_STREAMS),
        )
        if not is_kept
    ]
    if broken:
        raise FuzzError(", ".join(broken))


def fuzz(seconds: float, first_seed: int) -> Counter[str]:
    """Run rounds for a while; a round that fails keeps its seed and ends the run.

    Raises:
        FuzzError: a promise is broken; anything else is what the decoder let through.
    """
    total: Counter[str] = Counter()
    end_s = time.monotonic() + seconds
    seed = first_seed
    tracemalloc.start()
    base_bytes = 0
    while time.monotonic() < end_s:
        try:
            total += run_round(seed)
        except Exception:
            SEEDS.mkdir(exist_ok=True)
            (SEEDS / f"{seed}.seed").write_text(f"{seed}\n")
            raise
        seed += 1
        if seed == first_seed + 20:
            base_bytes = tracemalloc.get_traced_memory()[0]
    grown_bytes = tracemalloc.get_traced_memory()[0] - base_bytes
    tracemalloc.stop()
    if base_bytes and grown_bytes > MAX_GROWTH_BYTES:
        raise FuzzError(f"memory grew by {grown_bytes} bytes in {seed - first_seed} rounds")
    total["rounds"] = seed - first_seed
    total["grown_bytes"] = max(0, grown_bytes)
    return total


def default_seconds() -> float:
    """Length of a run: short where everything is tested, ten minutes for the whole."""
    return 600.0 if os.environ.get("PORTTRACK_WHOLE") == "1" else 5.0


def main() -> int:
    """Fuzz, and print what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzzing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=default_seconds())
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options = parser.parse_args()
    total = fuzz(options.seconds, options.seed)
    report("fuzz_rounds", total.pop("rounds"), "rounds", first_seed=options.seed, seconds=options.seconds, **total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
