"""AIS input for system tests: the recorded national feed with its times, and a feed whose every message is numbered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyais

FIRST_MMSI = 200_000_000
"""Number 0 of a numbered feed: the first MMSI of a ship station in the range of Europe (ITU-R M.585)."""


def recorded_lines(path: Path, speed: float) -> list[tuple[float, bytes]]:
    """Return the lines of a recording with ``$PGHP`` wrappers, each with its time.

    Args:
        path: the recording.
        speed: multiple of the recorded pace.

    Returns:
        (seconds from the start, line with its line end); a wrapper's time goes for the lines that follow it, and a
        step back in time is no time at all.
    """
    timed = []
    start: float | None = None
    at_s = 0.0
    for line in path.read_bytes().splitlines(keepends=True):
        stamp = _wrapper_time(line)
        if stamp is not None:
            start = stamp if start is None else start
            at_s = max(at_s, (stamp - start) / speed)
        timed.append((at_s, line))
    return timed


def _wrapper_time(line: bytes) -> float | None:
    if not line.startswith(b"$PGHP,"):
        return None
    fields = [int(part) for part in line.split(b",")[2:9]]
    year, month, day, hour, minute, second, ms = fields
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() + ms / 1000


def numbered_message(number: int, lon_deg: float = -0.15, lat_deg: float = 39.6) -> bytes:
    """Return a class A position report whose MMSI is ``FIRST_MMSI + number``, as a receiver writes it."""
    fields: dict[str, str | int | float | bytes | bool] = {
        "type": 1,
        "mmsi": FIRST_MMSI + number,
        "lon": lon_deg,
        "lat": lat_deg,
        "speed": 11.5,
        "course": 123.4,
        "heading": 124,
        "status": 0,
    }
    sentences = pyais.encode_dict(fields, talker_id="AI", sentence_type="VDM")
    return b"".join(sentence.encode() + b"\r\n" for sentence in sentences)


def numbered_feed(first: int, rate_hz: float) -> Iterator[tuple[int, float, bytes]]:
    """Yield (number, seconds from the start, message) for ever, at ``rate_hz`` messages a second."""
    number = first
    while True:
        yield number, (number - first) / rate_hz, numbered_message(number)
        number += 1
