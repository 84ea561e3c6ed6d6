"""Static reports as receivers write them, with arrival times: the input of the assembly benchmark.

2,000 type 5 at 20 a second on two channels; a receiver numbers what it hears 0 to 9; the two parts of a message are
written 30 ± 20 ms apart (uniform), messages of up to 0.4 s jitter pass each other. The last eleven characters of the
destination, which only part 2 holds, tell the ship's number, so that a ship made of two is seen.
"""

import random
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate
from operator import xor

from pyais.encode import encode_dict

MESSAGES = 2000
RATE_HZ = 20.0
JITTER_S = 0.4
GAP_S = (0.010, 0.050)
RECEIVER_DELAY_S = 0.05
"""Longest difference between receivers that hear the same message (row e)."""

FIRST_MMSI = 219_000_000
START_S = 1_795_500_000.0

Line = tuple[float, bytes]


@dataclass(frozen=True)
class Row:
    """One arrangement of receivers.

    Attributes:
        name: letter of the row.
        title: what it is.
        receivers: how many.
        is_merged: all receivers in one stream, instead of a link each.
        is_tagged: each line has a TAG block with its receiver.
        hear_all: every receiver hears every message, instead of one each.
    """

    name: str
    title: str
    receivers: int
    is_merged: bool = True
    is_tagged: bool = False
    hear_all: bool = False


ROWS = (
    Row("a", "one receiver", 1),
    Row("b", "four receivers, a link each", 4, is_merged=False),
    Row("c", "four receivers merged, TAG s:", 4, is_tagged=True),
    Row("d", "four receivers merged, no TAG", 4),
    Row("e", "three receivers hear all, TAG s:", 3, is_tagged=True, hear_all=True),
)


@dataclass
class Feed:
    """Links with their timed lines, and the numbers of the messages of which some receiver wrote every part."""

    links: list[list[Line]] = field(default_factory=list)
    whole: set[int] = field(default_factory=set)


def identity(number: int) -> tuple[int, str, str]:
    """Return (MMSI, name, destination) of ship ``number``."""
    return FIRST_MMSI + number, f"SHIP {number:05d}", f"DEST {number % 10:04d} {number:05d}-{number % 97:03d}"


def make_feed(row: Row, loss: float, seed: int, *, numbered_on_arrival: bool = False, count: int = MESSAGES) -> Feed:
    """Return what the receivers of a row write.

    Args:
        row: the arrangement.
        loss: share of lines lost, 0 to 1.
        seed: of all chance.
        numbered_on_arrival: sequence ids follow the jittered order; else the order of sending, so that messages with
            one id come closer to each other.
        count: messages.
    """
    draw = random.Random(seed)
    heard = [
        (receiver, number, number / RATE_HZ + draw.uniform(0, JITTER_S), draw.choice("AB"))
        for number in range(count)
        for receiver in (range(row.receivers) if row.hear_all else (draw.randrange(row.receivers),))
    ]
    if row.hear_all:
        first = {number: (at, channel) for _, number, at, channel in heard}
        heard = [
            (receiver, number, first[number][0] + draw.uniform(0, RECEIVER_DELAY_S), first[number][1])
            for receiver, number, _, _ in heard
        ]
    if numbered_on_arrival:
        heard.sort(key=lambda item: item[2])
    feed = Feed()
    next_id = [0] * row.receivers
    written: list[list[Line]] = [[] for _ in range(row.receivers)]
    for receiver, number, at_s, channel in heard:
        lines = _lines(number, channel, next_id[receiver])
        next_id[receiver] = (next_id[receiver] + 1) % 10
        kept = [draw.random() >= loss for _ in lines]
        if all(kept):
            feed.whole.add(number)
        times = accumulate((draw.uniform(*GAP_S) for _ in lines[1:]), initial=at_s)
        for line, line_s, is_kept in zip(lines, times, kept, strict=True):
            if is_kept:
                text = _tagged(f"s:r{receiver}", line) if row.is_tagged else line
                written[receiver].append((START_S + line_s, text))
    links = [[line for link in written for line in link]] if row.is_merged else written
    feed.links = [sorted(link, key=lambda line: line[0]) for link in links]
    return feed


def _lines(number: int, channel: str, seq_id: int) -> list[bytes]:
    mmsi, name, destination = identity(number)
    fields: dict[str, str | int | float | bytes | bool] = {
        "type": 5,
        "mmsi": mmsi,
        "shipname": name,
        "destination": destination,
    }
    coded = encode_dict(fields, talker_id="AI", sentence_type="VDM", radio_channel=channel, seq_id=seq_id)
    return [text.encode("ascii") for text in coded]


def _tagged(tag: str, line: bytes) -> bytes:
    return f"\\{tag}*{reduce(xor, tag.encode(), 0):02X}\\".encode() + line
