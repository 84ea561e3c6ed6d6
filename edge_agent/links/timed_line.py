r"""The format of recordings: one piece a line, ``seconds.fraction SPACE raw``. Sans-io.

``seconds`` is the time of arrival of the last byte since 1970 UTC. ``raw`` is what arrived, byte for byte: with the
line feed that ends the line of the recording it is what was on the wire, a carriage return before it included. Where
the wire had no line feed (a prompt, a wrong baud rate, a lost link) the time is followed by ``+``: the line feed is
then the recording's own, and the bytes go on with the next piece.

    1795500000.000250 $WIMWV,57.5,R,13.0,M,A*1F\r
    1795500001.250000+ login:

Written by ``edge_agent record``, read by ``edge_agent replay``, ``edge_agent decode --timed`` and by the replay link.
Recordings of programs that write no carriage return, or none of the marks, are read as they are.
"""

import re

_TIMED = re.compile(rb"(\d{1,12}(?:\.\d{1,9})?)(\+?) (.*)", re.DOTALL)
_LINE_FEED = b"\n"


def format_timed(at_ns: int, raw: bytes) -> bytes:
    """Return one line of a recording, with its line feed.

    Args:
        at_ns: time of arrival, UTC ns since 1970.
        raw: what arrived; a line feed only at its end, or none.
    """
    seconds, fraction_us = at_ns // 1_000_000_000, at_ns % 1_000_000_000 // 1000
    if raw.endswith(_LINE_FEED):
        return b"%d.%06d %b" % (seconds, fraction_us, raw)
    return b"%d.%06d+ %b\n" % (seconds, fraction_us, raw)


def parse_timed(line: bytes) -> tuple[float, bytes] | None:
    """Return (time of arrival in s, what was on the wire) of one line, None if it has no time.

    Args:
        line: of a recording, with its line feed; the last one of a file that was cut off may have none.
    """
    match = _TIMED.match(line)
    if match is None:
        return None
    raw = match[3]
    return float(match[1]), raw.removesuffix(_LINE_FEED) if match[2] else raw
