"""The bits of one AIS message: an armoured payload as one integer, and six-bit text read as a whole.

Armour is base64 with another alphabet, so that the C code of base64 packs and unpacks the bits. A character that the
message ends inside of is left out: the bits that are there would be another character.

*Source:* IEC 61162-1:2016 clause 8.3.85 (armour); ITU-R M.1371-5 annex 8, table 47 (six-bit ASCII).
"""

from base64 import b64encode
from binascii import a2b_base64

ALPHABET = bytes([*range(48, 88), *range(96, 120)])
"""Characters of the armour, by their values 0 to 63."""

CHAR_BITS = 6
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(ALPHABET, _BASE64)
_SIX_BIT = bytes(code + 64 if code < 32 else code for code in range(64))  # noqa: PLR2004 - the table's own halves
_TO_SIX_BIT = bytes.maketrans(_BASE64, _SIX_BIT)
_PADDING = (b"", b"AAA", b"AA", b"A")
_PADDING_BITS = (0, 18, 12, 6)
_GROUP_BITS = 24


def unarmour(payload: bytes, fill_bits: int) -> int:
    """Return the bits of a payload as one integer, the first bit the highest.

    Args:
        payload: 1 to 1,791 characters of ``ALPHABET`` (others are not looked for here).
        fill_bits: bits at its end that are no part of the message, 0 to 5.
    """
    rest = len(payload) & 3
    coded = payload.translate(_TO_BASE64)
    if rest:
        return int.from_bytes(a2b_base64(coded + _PADDING[rest]), "big") >> (_PADDING_BITS[rest] + fill_bits)
    value = int.from_bytes(a2b_base64(coded), "big")
    return value >> fill_bits if fill_bits else value


def six_bit_text(bits: int, size_bits: int) -> str:
    """Return six-bit characters as ASCII, fill included.

    Args:
        bits: the characters' bits.
        size_bits: how many, a multiple of 6.
    """
    fill = -size_bits % _GROUP_BITS
    coded = b64encode((bits << fill).to_bytes((size_bits + fill) // 8, "big"))
    return coded[: size_bits // CHAR_BITS].translate(_TO_SIX_BIT).decode("ascii")


def text(characters: str) -> str | None:
    """Return text up to its first ``@``, which ends it, without the spaces around it; empty is not available."""
    return characters.partition("@")[0].strip() or None
