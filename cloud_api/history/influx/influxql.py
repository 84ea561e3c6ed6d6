"""InfluxQL as text: names and values quoted so that none of them can end where it should not. Sans-io.

Every name and value goes through ``name``, ``text``, ``integer`` or ``duration``; nothing else is put into a statement.

*Source:* InfluxDB 1.x, InfluxQL reference: quoted identifiers, string literals and their escapes.
"""

from contracts.errors import PeerError

_NAME_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_TEXT_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n"})
MAX_TEXT_BYTES = 1_024
"""Of one name or value in a question: ids have 40 letters."""


def name(identifier: str) -> str:
    """Return a quoted identifier.

    Raises:
        PeerError: it is none (reason ``bad_name``).
    """
    _check(identifier)
    return f'"{identifier.translate(_NAME_ESCAPES)}"'


def text(value: str) -> str:
    """Return a quoted string.

    Raises:
        PeerError: it cannot be one (reason ``bad_name``).
    """
    _check(value)
    return f"'{value.translate(_TEXT_ESCAPES)}'"


def integer(value: int) -> str:
    """Return an integer, clamped to 64 bits."""
    return str(min(max(int(value), -(2**63) + 1), 2**63 - 1))


def duration(nanoseconds: int) -> str:
    """Return a duration in the largest unit that it is whole in; none is for ever."""
    if nanoseconds <= 0:
        return "INF"
    for unit, size in (("d", 86_400 * 10**9), ("h", 3_600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"


def _check(value: str) -> None:
    is_text = all(letter == "\n" or (letter >= " " and not "\ud800" <= letter <= "\udfff") for letter in value)
    if not is_text or len(value.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise PeerError("ask history server", repr(value[:60]), "not a name", "", "bad_name")
