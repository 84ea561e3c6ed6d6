"""Tracked target data of a radar in six-bit characters: TTD.

A sentence carries whole targets of 90 bits, fifteen characters each, so each sentence is read by itself and a lost one
takes none of the others along (docs/adr/0074). A target of another protocol version has a length that is not known: it
and what follows it in the sentence are refused.

*Source:* IEC 61162-1:2016 clause 8.3.97 (TTD and its table of bits); characters as VDM, ITU-R M.1371-5 table 47.
"""

from contracts.errors import PeerError
from contracts.radar import RadarTarget
from edge_agent.parsers.fields import checked, refuse
from edge_agent.parsers.radar import MAX_DISTANCE_M
from edge_agent.parsers.readings import Readings

TARGET_BITS = 90
MAX_TARGETS = 4
"""A sentence of 82 characters has room for 62 of payload; four targets are 60."""

_BITS = {
    character: format(value, "06b").encode()
    for value, character in enumerate([*range(ord("0"), ord("X")), *range(ord("`"), ord("x"))])
}
_NO_ANGLE = _NO_SPEED = 4_095
_NO_DISTANCE = 16_383
_METRES_A_STEP = 18.52
_LOST_OR_NOT_YET = {0: "not_tracking", 1: "query", 2: "lost", 4: "tracking", 6: "tracking", 7: "tracking"}
_CPA_ALARM = {4: False, 6: True, 7: True}
_FIELDS = 6
_MAX_FILL = 5
_WIDTHS = (2, 10, 12, 12, 12, 12, 3, 1, 14, 1, 1, 2, 8)
"""Version, number, bearing, speed, course, heading, status, operation mode, distance, speed mode, stabilisation,
reserved, correlation number."""


def parse_ttd(fields: list[bytes]) -> Readings:
    """Read ``!--TTD,sentences,sentence,id,targets,fill bits``.

    Returns:
        A target each; a sentence that is not one has one fault, a target that is refused one of its own (reasons
        ``bad_field``, ``out_of_range``, ``no_value``).
    """
    try:
        bits = _bits(fields)
    except PeerError as exc:
        return Readings([], [exc])
    readings = Readings([], [])
    for start in range(0, len(bits), TARGET_BITS):
        part = bits[start : start + TARGET_BITS]
        if int(part[:2], 2) != 0 or len(part) < TARGET_BITS:
            readings.faults.append(refuse(fields, "a target of another protocol version or length", "bad_field"))
            break
        try:
            readings.payloads.append(_target(part, fields))
        except PeerError as exc:
            readings.faults.append(exc)
    return readings


def _bits(fields: list[bytes]) -> bytes:
    if len(fields) != _FIELDS:
        raise refuse(fields, f"{len(fields)} fields", "bad_field")
    for number in fields[1:3]:
        if not 0 < len(number) <= 2 or not all(character in b"0123456789ABCDEFabcdef" for character in number):  # noqa: PLR2004 - 01 to FF
            raise refuse(fields, f"{number[:8]!r} is no count of sentences", "bad_field")
    payload, fill = fields[4], fields[5]
    if len(fill) != 1 or not fill.isdigit() or int(fill) > _MAX_FILL:
        raise refuse(fields, f"{fill[:8]!r} fill bits", "bad_field")
    if not payload:
        raise refuse(fields, "no target", "no_value")
    if any(character not in _BITS for character in payload):
        raise refuse(fields, "a character outside the six-bit alphabet", "bad_field")
    bits = b"".join(_BITS[character] for character in payload)
    return bits[: len(bits) - int(fill)]


def _target(bits: bytes, fields: list[bytes]) -> RadarTarget:
    values, at = [], 0
    for width in _WIDTHS:
        values.append(int(bits[at : at + width], 2))
        at += width
    (_, number, bearing, speed, course, heading, status, mode, distance, speed_mode, _, _, correlation) = values
    if number == 0:
        raise refuse(fields, "target number 0", "no_value")
    distance_m = None if distance == _NO_DISTANCE else round(distance * _METRES_A_STEP, 2)
    return RadarTarget(
        target_no=number,
        status=_LOST_OR_NOT_YET.get(status),
        distance_m=checked(distance_m, 0.0, MAX_DISTANCE_M, fields),
        bearing_deg=_tenths(bearing, fields),
        sog_kn=None if speed == _NO_SPEED else speed / 10,
        cog_deg=_tenths(course, fields),
        heading_deg=_tenths(heading, fields),
        is_bearing_true=None if bearing == _NO_ANGLE else True,
        is_course_true=None if course == _NO_ANGLE else True,
        is_cpa_alarm=_CPA_ALARM.get(status),
        is_test=True if mode else None,
        is_over_ground=None if speed == _NO_SPEED else speed_mode == 1,
        correlation_no=correlation or None,
    )


def _tenths(value: int, fields: list[bytes]) -> float | None:
    if value == _NO_ANGLE:
        return None
    checked(value / 10, 0.0, 360.0, fields)
    return value / 10 % 360.0
