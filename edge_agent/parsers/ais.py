"""One whole AIS message → ``contracts.payloads.Ais``.

The layouts of all types are tables (``ais_reports``, ``ais_other``, ``ais_applications``); what a code means is
decided in ``ais_values``. Position and static reports of their full length, nine of ten messages, take ``ais_fast``,
which gives the same and is proven to. It refuses what is no message: another type, a payload cut before its sender's
MMSI, a part of type 24 that the standard does not define.

*Source:* ITU-R M.1371-5 annex 8; armour: IEC 61162-1:2016 clause 8.3.85.
"""

from collections.abc import Callable

from contracts.errors import PeerError
from contracts.mmsi import MmsiClass, mmsi_class
from contracts.payloads import Ais
from edge_agent.parsers import ais_other, ais_reports
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_binary import read_binary
from edge_agent.parsers.ais_bits import ALPHABET, CHAR_BITS, unarmour
from edge_agent.parsers.ais_fast import FAST
from edge_agent.parsers.ais_layout import HEAD_BITS, Layout

LAYOUTS: dict[int, Layout] = {
    **dict.fromkeys((1, 2, 3), ais_reports.CLASS_A_POSITION),
    **dict.fromkeys((4, 11), ais_other.BASE_REPORT),
    5: ais_reports.CLASS_A_STATIC,
    **dict.fromkeys((7, 13), ais_other.ACKNOWLEDGE),
    9: ais_other.AIRCRAFT_POSITION,
    10: ais_other.INQUIRY,
    12: ais_other.ADDRESSED_TEXT,
    14: ais_other.BROADCAST_TEXT,
    15: ais_other.INTERROGATION,
    16: ais_other.ASSIGNMENT,
    17: ais_other.CORRECTIONS,
    18: ais_reports.CLASS_B_POSITION,
    19: ais_reports.CLASS_B_EXTENDED,
    20: ais_other.LINK_MANAGEMENT,
    21: ais_other.AID_TO_NAVIGATION,
    23: ais_other.GROUP_ASSIGNMENT,
    27: ais_reports.LONG_RANGE,
    28: ais_other.AID_TO_NAVIGATION_DRAFT,
}
"""Layout of each type that has one."""

_FAST_BY_FIRST = [FAST.get(code) for code in range(64)]
_CODE_OF = {char: code for code, char in enumerate(ALPHABET)}
_FLAGS_END_BIT = 40
_ADDRESSED_BIT_22 = 140
_PART_END_BIT = 40
_LAST_DEFINED_PART = 1


def decode_ais(message: AisMessage) -> Ais:
    """Decode one message.

    Raises:
        PeerError: reason ``ais_bad_payload`` or ``ais_undecodable``.
    """
    payload = message.payload
    if not payload or payload.translate(None, ALPHABET):
        raise PeerError("decode AIS", message.raw[:120], "character outside the alphabet", "", "ais_bad_payload")
    msg_type = _CODE_OF[payload[0]]
    size_bits = len(payload) * CHAR_BITS - message.fill_bits
    fast = _FAST_BY_FIRST[msg_type]
    if fast is not None and size_bits == fast.size_bits:
        return fast.read(unarmour(payload, message.fill_bits), msg_type, message)
    read = READERS.get(msg_type)
    if size_bits < HEAD_BITS or read is None:
        raise _undecodable(message, f"type {msg_type}, {size_bits} bits")
    return read(unarmour(payload, message.fill_bits), size_bits, msg_type, message)


def _static_part(value: int, size_bits: int, msg_type: int, message: AisMessage) -> Ais:
    part = value >> (size_bits - _PART_END_BIT) & 3 if size_bits >= _PART_END_BIT else 0
    if part > _LAST_DEFINED_PART:
        raise _undecodable(message, f"type 24 has no part {part}")
    layout = ais_reports.STATIC_PART_A
    if part:
        mmsi = value >> (size_bits - HEAD_BITS) & 0x3FFFFFFF
        is_craft = mmsi_class(mmsi) is MmsiClass.AUXILIARY_CRAFT
        layout = ais_reports.STATIC_PART_B_CRAFT if is_craft else ais_reports.STATIC_PART_B
    return layout.message(value, size_bits, msg_type, message)


def _channel_management(value: int, size_bits: int, msg_type: int, message: AisMessage) -> Ais:
    is_addressed = size_bits >= _ADDRESSED_BIT_22 and value >> (size_bits - _ADDRESSED_BIT_22) & 1
    layout = ais_other.CHANNELS_OF_STATIONS if is_addressed else ais_other.CHANNELS_OF_AN_AREA
    return layout.message(value, size_bits, msg_type, message)


def _binary(value: int, size_bits: int, msg_type: int, message: AisMessage) -> Ais:
    layouts = ais_other.SINGLE_SLOT if msg_type == 25 else ais_other.MULTIPLE_SLOTS  # noqa: PLR2004 - the type
    flags = value >> (size_bits - _FLAGS_END_BIT) & 3 if size_bits >= _FLAGS_END_BIT else 0
    return layouts[flags & 2 != 0, flags & 1 != 0].message(value, size_bits, msg_type, message)


def _undecodable(message: AisMessage, cause: str) -> PeerError:
    return PeerError("decode AIS", message.raw[:120], cause, "", "ais_undecodable")


READERS: dict[int, Callable[[int, int, int, AisMessage], Ais]] = {
    **{msg_type: layout.message for msg_type, layout in LAYOUTS.items()},
    **dict.fromkeys((6, 8), read_binary),
    22: _channel_management,
    24: _static_part,
    **dict.fromkeys((25, 26), _binary),
}
"""Reader of each type; the layouts of 6, 8, 22 and 24 to 26 depend on their content."""
