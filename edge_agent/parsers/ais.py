"""One whole AIS message → ``contracts.payloads.Ais``.

pyais reads the bits and nothing else: its own framing accepts wrong checksums, its assembly has no time limit and its
values are the codes of the standard, "not available" included. What each code means is decided in ``ais_values``; which
field goes where in ``ais_reports`` and ``ais_other``.

A field that the message ends before, or inside, is None: a number cut in the middle is another number.

*Source:* ITU-R M.1371-5 annex 8; armour: IEC 61162-1:2016 clause 8.3.85.
"""

from collections.abc import Callable
from typing import Any

from pyais.exceptions import AISBaseException
from pyais.messages import BYTES, INT, MSG_CLASS, STR

from contracts.errors import PeerError
from contracts.payloads import Ais
from edge_agent.parsers import ais_other, ais_reports
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_binary import read_binary
from edge_agent.parsers.ais_bits import AisBits

_ALPHABET = bytes([*range(48, 88), *range(96, 120)])
_MMSI_END_BIT = 38
_LAST_TYPE = 28
_BINARY_TYPES = frozenset({6, 8})
_EXACT_TYPES = frozenset({1, 2, 3, 18})
"""Types without codes that pyais changes; three of four messages."""

MAPPERS: dict[int, Callable[[Any, AisMessage], Ais]] = {
    **dict.fromkeys((1, 2, 3), ais_reports.class_a_position),
    **dict.fromkeys((4, 11), ais_other.base_report),
    5: ais_reports.class_a_static,
    9: ais_other.aircraft_position,
    17: ais_other.corrections,
    18: ais_reports.class_b_position,
    19: ais_reports.class_b_extended,
    20: ais_other.link_management,
    21: ais_other.aid_to_navigation,
    24: ais_reports.class_b_static,
    27: ais_other.long_range_position,
    28: ais_other.aid_to_navigation_draft,
    **dict.fromkeys((22, 23), ais_other.area_command),
    **dict.fromkeys((7, 10, 12, 13, 14, 15, 16, 25, 26), ais_other.anything),
}
"""Mapper of each message type; types 6 and 8 carry messages of their own and are read by ``ais_binary``."""

_FULL_BITS: dict[type, int] = {}
_ATON_TYPE = 21
_ATON_NAME_LAST_CHAR_BIT = 157
_CODES: dict[type, list[tuple[str, int, int]]] = {}

_DECODER_FAULTS = (AISBaseException, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What pyais raises on bits that are no message; found by fuzzing it."""


def decode_ais(message: AisMessage) -> Ais:
    """Decode one message.

    Raises:
        PeerError: reason ``ais_bad_payload`` or ``ais_undecodable``.
    """
    payload = message.payload
    if not payload or payload.translate(None, _ALPHABET):
        raise PeerError("decode AIS", message.raw[:120], "character outside the alphabet", "", "ais_bad_payload")
    msg_type = _ALPHABET.index(payload[0])
    size_bits = len(payload) * 6 - message.fill_bits
    if size_bits < _MMSI_END_BIT or not 1 <= msg_type <= _LAST_TYPE:
        raise PeerError("decode AIS", message.raw[:120], f"type {msg_type}, {size_bits} bits", "", "ais_undecodable")
    try:
        bits = AisBits(payload, message.fill_bits)
        if msg_type in _BINARY_TYPES:
            return read_binary(bits, msg_type, message)
        decoded: Any = MSG_CLASS[msg_type].from_vector(bits)
        if msg_type not in _EXACT_TYPES:
            _restore_codes(decoded, bits)
        if size_bits < _full_bits(type(decoded)):
            _clear_cut_fields(decoded, bits)
        if msg_type == _ATON_TYPE and bits.get(_ATON_NAME_LAST_CHAR_BIT, 6) == 0:
            decoded.name_ext = None  # the name has ended before; what follows is fill
    except _DECODER_FAULTS as exc:
        raise PeerError("decode AIS", message.raw[:120], str(exc)[:120], "", "ais_undecodable") from exc
    return MAPPERS[msg_type](decoded, message)


def _full_bits(kind: Any) -> int:  # noqa: ANN401 - pyais builds its classes at run time
    full = _FULL_BITS.get(kind)
    if full is None:
        full = _FULL_BITS[kind] = sum(step[2] for step in kind.decoder_plan())
    return full


def _restore_codes(decoded: Any, bits: AisBits) -> None:  # noqa: ANN401 - see above
    """Put back the codes as sent: pyais replaces those it has no name for (ship type 38 becomes 0, 46 becomes 45)."""
    kind = type(decoded)
    codes = _CODES.get(kind)
    if codes is None:
        plan = kind.decoder_plan()
        codes = _CODES[kind] = [(step[0], step[1], step[2]) for step in plan if step[4] == INT and step[5] is not None]
    for name, offset, width in codes:
        if offset < len(bits):
            setattr(decoded, name, bits.get(offset, width))


def _clear_cut_fields(decoded: Any, bits: AisBits) -> None:  # noqa: ANN401 - see above
    """Set to None the numbers that the message ends inside of; text and data are read as far as they go."""
    for name, offset, width, _, kind, _ in type(decoded).decoder_plan():
        if offset + width > len(bits) and kind not in (BYTES, STR):
            setattr(decoded, name, None)
