"""The bits of one AIS message: pyais's bit vector, with six-bit text read as a whole instead of character by character.

Text is half of the time that pyais spends on static reports. A character that the message ends inside of is left out;
pyais makes another one of the bits that are there.

*Source:* ITU-R M.1371-5 annex 8, table 47 (six-bit ASCII).
"""

from base64 import b64encode

from pyais.bit_vector import int_bit_vector

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SIX_BIT = bytes(code + 64 if code < 32 else code for code in range(64))  # noqa: PLR2004 - the table's own halves
_TO_SIX_BIT = bytes.maketrans(_BASE64, _SIX_BIT)
_CHAR_BITS = 6
_GROUP_BITS = 24


class AisBits(int_bit_vector):
    """Bit vector of a payload; see ``pyais.bit_vector.int_bit_vector``."""

    __slots__ = ()

    def get_str(self, start: int, width: int) -> str:
        """Return the text of ``width`` bits at bit ``start``, without the fill at its end.

        Args:
            start: first bit, from 0.
            width: bits, a multiple of 6; only whole characters within the message are read.
        """
        size = min(width, self._length - start)
        size -= size % _CHAR_BITS
        if size <= 0:
            return ""
        value = (self._value >> (self._length - start - size)) & ((1 << size) - 1)
        fill = -size % _GROUP_BITS
        coded = b64encode((value << fill).to_bytes((size + fill) // 8, "big"))[: size // _CHAR_BITS]
        return coded.translate(_TO_SIX_BIT).decode("ascii").rstrip("@").strip()
