"""A table of an AIS message's fields → its values: the one reader that all message types share.

A layout lists fields in the order of the standard, so that no offset is written by hand. A number that the message ends
before, or inside, is None: a number cut in the middle is another number. Text keeps its whole characters, data what is
there.

*Source:* ITU-R M.1371-5 annex 8.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from contracts.payloads import Ais, FieldValue
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_bits import CHAR_BITS, six_bit_text, text
from edge_agent.parsers.ais_values import Reader, flag, sender

Values = dict[str, Any]
After = Callable[[Values, int, int], None]
"""Joins what only several fields tell together: changes the values by name; is given the message and its length."""

HEAD_BITS = 38
REST = 0
"""Width of a last field that takes what is left of the message."""

_ATTRIBUTES = frozenset(Ais.__struct_fields__)


class Kind(Enum):
    """How the bits of a field are to be taken."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    TEXT = "text"
    DATA = "data"
    LAST = "last"
    SKIPPED = "skipped"
    AGAIN = "again"


class Field(NamedTuple):
    """One field.

    Attributes:
        name: attribute of ``Ais``, or key of its ``other``.
        width: bits; ``REST`` for what is left.
        read: what the number means; None is the number itself.
        kind: how the bits are to be taken.
        tail: bits at the end of the message that a field of width ``REST`` leaves.
    """

    name: str
    width: int
    read: Reader | None = None
    kind: Kind = Kind.UNSIGNED
    tail: int = 0


def signed(name: str, width: int, read: Reader | None = None) -> Field:
    """Return a number in two's complement."""
    return Field(name, width, read, Kind.SIGNED)


def characters(name: str, width: int) -> Field:
    """Return six-bit text."""
    return Field(name, width, None, Kind.TEXT)


def data(name: str, width: int = REST, tail: int = 0) -> Field:
    """Return bits that stay what they are: hexadecimal, filled with zeros to whole bytes."""
    return Field(name, width, None, Kind.DATA, tail)


def last(name: str, width: int) -> Field:
    """Return a number that stands in the last bits of the message, wherever that ends."""
    return Field(name, width, None, Kind.LAST)


def bit(name: str) -> Field:
    """Return a flag."""
    return Field(name, 1, flag)


def spare(width: int) -> Field:
    """Return bits without a meaning."""
    return Field("", width, None, Kind.SKIPPED)


def again(name: str, read: Reader) -> Field:
    """Return a second reading of the number before; its name appears only where it has a value."""
    return Field(name, 0, read, Kind.AGAIN)


class _Step(NamedTuple):
    """A field where it lies. Its numbers are ready for the loop that reads it: ``sign`` is 0 for unsigned ones."""

    name: str
    is_number: bool
    read: Reader
    start: int
    end: int
    mask: int
    sign: int
    field: Field


class Layout:
    """The fields behind the head (type, repeat indicator, MMSI) of one kind of message.

    Args:
        fields: in the order of the standard.
        start: bit of the first one.
        after: what joins fields, in this order.
    """

    def __init__(self, *fields: Field, start: int = HEAD_BITS, after: tuple[After, ...] = ()) -> None:
        self._steps: list[_Step] = []
        self._after = after
        at = start
        for field in fields:
            if field.kind is not Kind.SKIPPED:
                self._steps.append(_step(field, at))
            at += field.width
        self.full_bits = at
        last = self._steps[-1]
        self.needed_bits = last.end
        """Where the last field with a meaning ends."""

    def read(self, value: int, size_bits: int) -> Values:
        """Return the values by name.

        Args:
            value: the whole message as one integer.
            size_bits: its length.
        """
        values: Values = {}
        raw: int | None = None
        for step in self._steps:
            name, is_number, read, _, end, mask, sign, field = step
            if is_number:
                if end > size_bits:
                    values[name] = raw = None
                    continue
                raw = value >> (size_bits - end) & mask
                if raw & sign:
                    raw -= mask + 1
                values[name] = read(raw)
            elif field.kind is Kind.AGAIN:
                if raw is not None and (more := read(raw)) is not None:
                    values[name] = more
            else:
                values[name] = _OTHER_KINDS[field.kind](value, size_bits, step)
        for join in self._after:
            join(values, value, size_bits)
        return values

    def message(self, value: int, size_bits: int, msg_type: int, message: AisMessage) -> Ais:
        """Return the whole message; arguments as ``read``, its type 1 to 28, and how it was received."""
        return make_ais(value, size_bits, msg_type, message, self.read(value, size_bits))


def make_ais(value: int, size_bits: int, msg_type: int, message: AisMessage, values: Values) -> Ais:
    """Return a message of these values: attributes of ``Ais`` by their names, the others in ``other``."""
    mmsi = value >> (size_bits - HEAD_BITS) & 0x3FFFFFFF
    station, form = sender(msg_type, mmsi)
    other: dict[str, FieldValue] = {"repeat": value >> (size_bits - 8) & 3}
    attributes: Values = {}
    for name, item in values.items():
        if name in _ATTRIBUTES:
            attributes[name] = item
        else:
            other[name] = item
    return Ais(
        msg_type=msg_type,
        mmsi=mmsi,
        station=station,
        mmsi_class=form,
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        receiver=message.receiver,
        heard_at_ns=message.heard_ns,
        other=other,
        **attributes,
    )


def _step(field: Field, start: int) -> _Step:
    mask = (1 << field.width) - 1
    sign = mask ^ mask >> 1 if field.kind is Kind.SIGNED else 0
    is_number = field.kind in (Kind.UNSIGNED, Kind.SIGNED)
    return _Step(field.name, is_number, field.read or _as_it_is, start, start + field.width, mask, sign, field)


def _as_it_is(raw: int) -> int:
    return raw


def _end(size_bits: int, step: _Step) -> int:
    return size_bits - step.field.tail if step.field.width == REST else min(step.end, size_bits)


def _text(value: int, size_bits: int, step: _Step) -> str | None:
    size = _end(size_bits, step) - step.start
    size -= size % CHAR_BITS
    if size <= 0:
        return None
    return text(six_bit_text(value >> (size_bits - step.start - size) & ((1 << size) - 1), size))


def _data(value: int, size_bits: int, step: _Step) -> str | None:
    end = _end(size_bits, step)
    size = end - step.start
    if size <= 0:
        return None
    fill = -size % 8
    bits = (value >> (size_bits - end) & ((1 << size) - 1)) << fill
    return bits.to_bytes((size + fill) // 8, "big").hex()


def _last(value: int, size_bits: int, step: _Step) -> int | None:
    return value & step.mask if size_bits >= step.end else None


_OTHER_KINDS: dict[Kind, Callable[[int, int, _Step], FieldValue]] = {
    Kind.TEXT: _text,
    Kind.DATA: _data,
    Kind.LAST: _last,
}
