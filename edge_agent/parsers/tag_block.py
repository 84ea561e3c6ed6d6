r"""TAG blocks ``\s:…,c:…*hh\`` and the suffix of the US Coast Guard's network: who heard a sentence, and when.

Both say the same two things in two notations, so both become a ``TagBlock``. A time outside 2000 to 2050 is a clock
that was never set, and is no time.

*Source:* NMEA 0183 v4.10 clause 7 (TAG block; ``c`` in seconds or milliseconds since 1970); IEC 61162-450:2018 clause
7.2.3; suffix ``*hh,rSTATION,TIME``: USCG NAIS user guide.
"""

import re
from functools import reduce
from operator import xor

import msgspec

MAX_TAG_BYTES = 256
"""Longest TAG blocks kept with a sentence: three times the 80 characters that NMEA 0183 v4.10 allows."""

HEX = {b"%02X" % value: value for value in range(256)} | {b"%02x" % value: value for value in range(256)}
"""Two hexadecimal digits → their value."""

EARLIEST_S, LATEST_S = 946_684_800, 2_524_608_000
"""2000 to 2050: what lies outside is a clock that was never set (year 4161 was seen from a base station)."""

_GROUP = re.compile(r"(\d{1,4})-(\d{1,4})-(\d{1,9})\Z")
_STATION = re.compile(rb"[rb][0-9A-Za-z]{2,15}\Z")
_MIN_MS_DIGITS = 12
_MAX_DIGITS = 14
_FOLDED_BYTES = 128
_NS = 1_000_000_000


class TagBlock(msgspec.Struct, frozen=True, gc=False):
    """What stands beside a sentence.

    Attributes:
        source: station that heard or sent it (``s``), or the station of a suffix.
        group: id of the group of sentences that it belongs to (third number of ``g``).
        time_ns: when it was heard, UTC ns since 1970 (``c``).
        is_exact: ``time_ns`` was given in milliseconds, not in whole seconds.
        line_no: line counter of the sender, 1 to 999 (``n``).
        destination: ``d``.
        text: ``t``.
        is_suffix: it was a suffix, which not every part of a message carries.
    """

    source: str | None = None
    group: str | None = None
    time_ns: int | None = None
    is_exact: bool = False
    line_no: int | None = None
    destination: str | None = None
    text: str | None = None
    is_suffix: bool = False


def checksum(body: bytes) -> int:
    """Return the exclusive or of all bytes (IEC 61162-1 clause 7.3.4).

    Up to 128 bytes are folded in halves as one integer: a third of the time of a loop over bytes, the costliest step
    of framing.
    """
    if len(body) > _FOLDED_BYTES:
        return reduce(xor, body)
    value = int.from_bytes(body, "little")
    if len(body) > _FOLDED_BYTES // 2:
        value ^= value >> 512
    value ^= value >> 256
    value ^= value >> 128
    value ^= value >> 64
    value ^= value >> 32
    value ^= value >> 16
    return (value ^ (value >> 8)) & 0xFF


def read_tag(tag: bytes) -> TagBlock | None:
    r"""Return what the TAG blocks before a sentence say together; None if one has no checksum or a wrong one.

    Args:
        tag: one or more blocks, without the outer backslashes; two blocks are parted by ``\\``.
    """
    if len(tag) > MAX_TAG_BYTES or not tag.isascii():
        return None
    values: dict[str, str] = {}
    for block in tag.split(b"\\\\"):
        body, _, given = block.rpartition(b"*")
        if HEX.get(given) != checksum(body):
            return None
        values |= dict(part.split(":", 1) for part in body.decode("ascii").split(",") if ":" in part)
    group = _GROUP.match(values.get("g", ""))
    time_ns, is_exact = _time(values.get("c", ""))
    line_no = values.get("n", "")
    return TagBlock(
        source=values.get("s") or None,
        group=group[3] if group else None,
        time_ns=time_ns,
        is_exact=is_exact,
        line_no=int(line_no) if line_no.isdecimal() and len(line_no) <= _MAX_DIGITS else None,
        destination=values.get("d"),
        text=values.get("t"),
    )


def read_suffix(suffix: bytes) -> TagBlock | None:
    """Return station and time of what follows the checksum of a sentence; None if it names neither.

    Args:
        suffix: ``,r003669945,1120959341`` and the like; signal strength, slot and others are passed over.
    """
    parts = [part.strip() for part in suffix.split(b",")]
    station = next((part.decode("ascii") for part in parts if _STATION.match(part)), None)
    time_ns, is_exact = _time(parts[-1].decode("ascii", "replace"))
    if station is None and time_ns is None:
        return None
    return TagBlock(source=station, time_ns=time_ns, is_exact=is_exact, is_suffix=True)


def _time(text: str) -> tuple[int | None, bool]:
    if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS:
        return None, False
    is_exact = len(text) >= _MIN_MS_DIGITS
    time_ns = int(text) * (1_000_000 if is_exact else _NS)
    if not EARLIEST_S * _NS <= time_ns < LATEST_S * _NS:
        return None, False
    return time_ns, is_exact
