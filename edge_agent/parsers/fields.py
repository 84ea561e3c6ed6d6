"""Fields of IEC 61162-1 sentences, read strictly: Python's own ``float`` takes ``nan`` and ``1_0``.

Spaces around a value are padding, for radars write `` 1`` where the standard says ``01``; a field of spaces is empty.
"""

import re
from collections.abc import Mapping

from contracts.errors import PeerError

_DECIMAL = re.compile(rb"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})\Z")


def read_decimal(fields: list[bytes], index: int) -> float | None:
    """Return the number in one field, None if the field is empty or the sentence ends before it.

    Raises:
        PeerError: the field is not a decimal number (reason ``bad_field``).
    """
    text = fields[index].strip() if index < len(fields) else b""
    if not text:
        return None
    if _DECIMAL.match(text) is None:
        raise PeerError("read number", _quote(fields), repr(text[:20]), "", "bad_field")
    return float(text)


def read_choice(fields: list[bytes], index: int, choices: dict[bytes, float]) -> float:
    """Return what the letter in one field stands for.

    Raises:
        PeerError: it is none of ``choices`` (reason ``bad_field``).
    """
    text = fields[index].strip() if index < len(fields) else b""
    if text not in choices:
        raise PeerError("read letter", _quote(fields), repr(text[:20]), "", "bad_field")
    return choices[text]


def read_whole(fields: list[bytes], index: int, maximum: int) -> int | None:
    """Return the whole number in one field, 0 to ``maximum``; None if the field is empty or missing.

    Raises:
        PeerError: reason ``bad_field`` (no number, or a fraction) or ``out_of_range``.
    """
    value = checked(read_decimal(fields, index), 0, maximum, fields)
    if value is not None and value != int(value):
        raise refuse(fields, f"{value} is not a whole number", "bad_field")
    return None if value is None else int(value)


def read_text(fields: list[bytes], index: int) -> str | None:
    """Return the text of one field without padding, None if the field is empty or missing."""
    text = fields[index].strip() if index < len(fields) else b""
    return text.decode("ascii", "replace") or None


def read_word(fields: list[bytes], index: int, words: Mapping[bytes, str]) -> str | None:
    """Return the word that the letter in one field stands for, None if the field is empty or missing.

    Raises:
        PeerError: it is none of ``words`` (reason ``bad_field``).
    """
    text = fields[index].strip() if index < len(fields) else b""
    if not text:
        return None
    if text not in words:
        raise PeerError("read letter", _quote(fields), repr(text[:20]), "", "bad_field")
    return words[text]


def checked(value: float | None, minimum: float, maximum: float, fields: list[bytes]) -> float | None:
    """Return ``value`` if it is possible.

    Raises:
        PeerError: it is outside ``minimum`` to ``maximum`` (reason ``out_of_range``).
    """
    if value is not None and not minimum <= value <= maximum:
        raise PeerError("check range", _quote(fields), f"{value} is not in {minimum} to {maximum}", "", "out_of_range")
    return value


def refuse(fields: list[bytes], cause: str, reason: str) -> PeerError:
    """Return the error for a sentence that is well-formed and still says nothing."""
    return PeerError("read sentence", _quote(fields), cause, "", reason)


def _quote(fields: list[bytes]) -> str:
    return b",".join(fields)[:120].decode("ascii", "backslashreplace")
