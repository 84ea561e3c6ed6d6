"""Numeric and unit fields of IEC 61162-1 sentences, read strictly: Python's own ``float`` takes ``nan`` and ``1_0``."""

import re

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
