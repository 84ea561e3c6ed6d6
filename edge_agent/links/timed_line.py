"""The format of recordings: one line a sentence, ``seconds.fraction SPACE raw``. Sans-io.

``seconds`` is the time of arrival since 1970 UTC. What follows the space is what arrived, whatever it is, without
its line end. Written by ``edge_agent record``, read by ``edge_agent decode --timed`` and by the replay link.
"""

import re

_TIMED = re.compile(rb"(\d{1,12}(?:\.\d{1,9})?) (.*)", re.DOTALL)


def format_timed(at_ns: int, raw: bytes) -> bytes:
    """Return one line of a recording, with its line feed.

    Args:
        at_ns: time of arrival, UTC ns since 1970.
        raw: what arrived, without line end.
    """
    return b"%d.%06d %b\n" % (at_ns // 1_000_000_000, at_ns % 1_000_000_000 // 1000, raw)


def parse_timed(line: bytes) -> tuple[float, bytes] | None:
    """Return (time of arrival in s, raw) of one line with or without line end, None if it has no time."""
    match = _TIMED.match(line.rstrip(b"\r\n"))
    return (float(match[1]), match[2]) if match else None
