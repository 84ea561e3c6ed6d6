"""How far the outbox has come, as it is kept beside it: two slots, each with a checksum. Sans-io; see ``mark_file``.

SQLite cannot tell a log that was cut short from one that was never longer: it opens, and numbers that were given out
would be given out again for other records. The mark tells.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

SLOT_BYTES = 4096
"""One page of the kernel's: a slot is written whole or not at all."""
FILE_BYTES = 2 * SLOT_BYTES
MAX_STREAMS = 32
"""Streams in a slot: five of this database, and what still drains of five earlier ones; 100 bytes each. With the
longest names there is room for a few less."""

_HEAD = struct.Struct("<4sIIQ")
_MAGIC = b"PTM1"


class Numbers(msgspec.Struct, frozen=True, array_like=True):
    """One stream.

    Attributes:
        next_seq: number that its next record gets.
        floor: the lowest number that still lies in the database: what is below has its receipt. ``next_seq`` if none.
        is_current: the database gives out its numbers; else it only drains.
    """

    next_seq: int
    floor: int
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """What was read.

    Attributes:
        streams: by stream id; empty where there is no mark.
        is_sure: the newest slot is surely here: both are whole.
    """

    streams: Mapping[str, Numbers] = field(default_factory=dict)
    is_sure: bool = False


def pack_slot(turn: int, streams: Mapping[str, Numbers]) -> bytes:
    """Return a slot: head (magic, length, CRC-32 of turn and text, turn), then the streams as JSON.

    Of more than it holds the first: one that reached into the other slot would leave none of the two.
    """
    kept = list(streams.items())[:MAX_STREAMS]
    text = msgspec.json.encode(dict(kept))
    while len(text) > SLOT_BYTES - _HEAD.size:
        kept.pop()
        text = msgspec.json.encode(dict(kept))
    return _HEAD.pack(_MAGIC, len(text), _crc(text, turn), turn) + text


def unpack(data: bytes) -> tuple[int, Mark]:
    """Return (turn, mark) of the newest whole slot of a file; (0, an empty mark) where there is none."""
    slots = (_unpack_slot(data[at : at + SLOT_BYTES]) for at in range(0, FILE_BYTES, SLOT_BYTES))
    found = sorted((slot for slot in slots if slot is not None), key=lambda slot: slot[0])
    if not found:
        return 0, Mark()
    turn, streams = found[-1]
    return turn, Mark(streams, is_sure=found[0][0] == turn - 1)


def _unpack_slot(slot: bytes) -> tuple[int, dict[str, Numbers]] | None:
    if len(slot) < _HEAD.size:
        return None
    magic, size, crc, turn = _HEAD.unpack_from(slot)
    text = slot[_HEAD.size : _HEAD.size + size]
    if magic != _MAGIC or len(text) != size or _crc(text, turn) != crc:
        return None
    try:
        return turn, msgspec.json.decode(text, type=dict[str, Numbers])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _crc(text: bytes, turn: int) -> int:
    return zlib.crc32(text, zlib.crc32(turn.to_bytes(8, "little")))
