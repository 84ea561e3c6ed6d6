"""Values in Modbus tables: words to numbers and back, for one tag of a register map. Sans-io.

Obeys the map (type, word order, scale, offset, range) and nothing else; what a PLC shows outside the tag's range, or
as a float that is no number, is not available: the reason is returned, never a clipped value. The reverse direction
serves the simulated PLCs and the identity ``decode(encode(value)) == value``; it is never used towards real hardware,
which is only read.

*Source:* Modbus Application Protocol V1.1b3, clause 4.2 (big-endian words) and 4.3 (data model); IEEE 754 binary32.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Literal

from firmware_configs.registers import RegisterMap, Tag

WordOrder = Literal["high_first", "low_first"]
Value = float | bool
OUT_OF_RANGE = "out_of_range"
NOT_A_NUMBER = "not_a_number"

BIT_TABLES = ("coil", "discrete_input")
_LIMITS = {"u16": (0, 0xFFFF), "s16": (-0x8000, 0x7FFF), "u32": (0, 0xFFFFFFFF), "s32": (-0x80000000, 0x7FFFFFFF)}
_WIDE = ("u32", "s32", "f32")
_MAX_WORD = 0xFFFF
_F32_DIGITS = range(6, 10)
"""Significant decimal digits that may name a binary32: 6 always survive, 9 always suffice."""


def width(tag: Tag) -> int:
    """Return how many registers or bits the tag takes, 1 or 2."""
    return 2 if tag.type in _WIDE else 1


def decode_value(tag: Tag, word_order: WordOrder, words: Sequence[int]) -> tuple[Value | None, str]:
    """Read one tag.

    Args:
        tag: what to read.
        word_order: of the map; which word of a 32-bit value comes first.
        words: ``width(tag)`` registers 0 to 65535, or one bit 0 or 1 for a bit table.

    Returns:
        The value in the tag's unit and an empty reason; or ``None`` with ``out_of_range`` or ``not_a_number``.
    """
    if tag.type == "bool":
        return bool(words[0] >> (tag.bit or 0) & 1), ""
    raw = _join(tag, word_order, words)
    if not math.isfinite(raw):
        return None, NOT_A_NUMBER
    value = _scaled(tag, raw)
    if tag.minimum is not None and value < tag.minimum:
        return None, OUT_OF_RANGE
    if tag.maximum is not None and value > tag.maximum:
        return None, OUT_OF_RANGE
    return value, ""


def encode_value(tag: Tag, word_order: WordOrder, value: Value) -> list[int]:
    """Write one tag, for a simulated PLC.

    Args:
        tag: what to write.
        word_order: of the map.
        value: in the tag's unit; rounded to the tag's resolution. The tag's range is not enforced: a simulator may
            show an implausible value on purpose.

    Returns:
        ``width(tag)`` registers 0 to 65535; for ``bool`` one bit, or one register with only the tag's bit set.

    Raises:
        ValueError: the encoding cannot hold the value.
    """
    if tag.type == "bool":
        return [int(bool(value)) << (tag.bit or 0)]
    raw = (value - tag.offset) / tag.scale
    if tag.type == "f32":
        (joined,) = struct.unpack(">I", struct.pack(">f", raw))
    else:
        joined = _checked(tag, round(raw))
    if width(tag) == 1:
        return [joined & _MAX_WORD]
    pair = [joined >> 16 & _MAX_WORD, joined & _MAX_WORD]
    return pair if word_order == "high_first" else pair[::-1]


def encode_map(register_map: RegisterMap, values: Mapping[str, Value]) -> dict[str, dict[int, int]]:
    """Write many tags at once, bits of one register joined: what a simulated PLC shows.

    Args:
        register_map: the map.
        values: by tag field (``hoist_load_t``, ``hook_tension_kn[2]``); a field that is absent reads 0.

    Returns:
        Content by table and address; every address of the map is present.

    Raises:
        ValueError: as ``encode_value``.
        KeyError: the map has no such field.
    """
    unknown = set(values) - {tag.field for tag in register_map.tags}
    if unknown:
        raise KeyError(f"{register_map.registers} has no {', '.join(sorted(unknown))}")
    image: dict[str, dict[int, int]] = {}
    for tag in register_map.tags:
        table = image.setdefault(tag.table, {})
        given = values.get(tag.field)
        words = [0] * width(tag) if given is None else encode_value(tag, register_map.word_order, given)
        for step, word in enumerate(words):
            table[tag.address + step] = table.get(tag.address + step, 0) | word
    return image


def _join(tag: Tag, word_order: WordOrder, words: Sequence[int]) -> float:
    if width(tag) == 1:
        unsigned = words[0]
    else:
        high, low = (words[0], words[1]) if word_order == "high_first" else (words[1], words[0])
        unsigned = high << 16 | low
    if tag.type == "f32":
        return _shortest_f32(unsigned)
    _, largest = _LIMITS[tag.type]
    return unsigned if unsigned <= largest else unsigned - (0x10000 << 16 * (width(tag) - 1))


def _shortest_f32(bits: int) -> float:
    """Return the decimal that a person would write for a binary32: 12.3, not 12.300000190734863."""
    (value,) = struct.unpack(">f", struct.pack(">I", bits))
    if math.isfinite(value):
        for digits in _F32_DIGITS:
            candidate = float(f"{value:.{digits}g}")
            try:
                if struct.unpack(">I", struct.pack(">f", candidate))[0] == bits:
                    return candidate
            except OverflowError:  # rounded up past the largest binary32: more digits are needed
                continue
    return float(value)


def _scaled(tag: Tag, raw: float) -> float:
    if tag.scale == 1.0 and tag.offset == 0.0:
        return float(raw)
    if tag.type == "f32":
        return float(f"{raw * tag.scale + tag.offset:.9g}")
    # 3 * 0.1 is 0.30000000000000004: three digits below the resolution keep the number exact and its JSON short
    digits = max(0, 3 - math.floor(math.log10(abs(tag.scale))))
    return round(raw * tag.scale + tag.offset, digits)


def _checked(tag: Tag, raw: int) -> int:
    smallest, largest = _LIMITS[tag.type]
    if not smallest <= raw <= largest:
        raise ValueError(f"{tag.field}: raw {raw} does not fit {tag.type}")
    return raw & (0xFFFFFFFF if width(tag) == 2 else _MAX_WORD)  # noqa: PLR2004 - two words
