"""Every raw number of every field of every AIS message: what stands for "not available" is null, all else is the value.

Layouts and values are those of tests/support/ais_standard.py, apart from the code under test. Fields of up to 12 bits
are tried with every number, wider ones at every edge and sampled.
"""

import random
from base64 import b64encode
from collections.abc import Iterator

import pytest
from pyais import messages as pyais

from contracts.payloads import Ais
from edge_agent.parsers import ais_fast
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import AisMessage
from tests.support.ais_messages import ALPHABET
from tests.support.ais_standard import (
    COARSE,
    KINDS,
    MMSI,
    VALUES,
    Kind,
    Slot,
    anything,
    expected,
    found,
    name_of,
    slots,
)

WIDEST_WHOLE = 12
SAMPLES = 300
_TO_ARMOUR = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", ALPHABET.encode("ascii")
)

PLAIN = {"lon": 600, "lat": 600, "second": 10, "year": 2026, "imo": 9_134_270, "ne_lon": 600, "sw_lon": 600}
"""Numbers that the other fields have meanwhile; else 1."""

UNREAD = {"msg_type", "mmsi", "repeat", "dac", "fid", "partno", "addressed", "structured", "name_ext", "data"}


def decode(bits: int, size_bits: int) -> Ais:
    fill = -size_bits % 24
    coded = b64encode((bits << fill).to_bytes((size_bits + fill) // 8, "big"))
    chars = -(-size_bits // 6)
    payload = coded[:chars].translate(_TO_ARMOUR)
    return decode_ais(AisMessage(payload, chars * 6 - size_bits, "AI", is_own=False, channel="A", raw="raw"))


def numbers_of(width: int) -> Iterator[int]:
    """Yield raw numbers: all, or for wide fields every edge that a standard could have meant, and samples."""
    if width <= WIDEST_WHOLE:
        yield from range(1 << width)
        return
    chance = random.Random(width)
    edges = {0, 1, (1 << width) - 1, (1 << width) - 2, 1 << (width - 1), (1 << (width - 1)) - 1}
    for degrees in (180, 181, 90, 91):
        for steps in (600_000, 60_000, 600):
            edges |= {sign * degrees * steps + step & ((1 << width) - 1) for sign in (1, -1) for step in (-1, 0, 1)}
    edges |= {number + step for number in (8000, 9999, 1_000_000, 9_999_999) for step in (-1, 0, 1)}
    yield from (edge for edge in edges if edge < 1 << width)
    yield from (chance.getrandbits(width) for _ in range(SAMPLES))


def size_of(label: str, plan: list[Slot]) -> int:
    """Return the bits of a message with all its numbers; text and data at the end of no size."""
    if label.startswith("26"):
        return 300
    return max(slot.offset + (slot.width if slot.name not in ("text", "data", "name_ext") else 0) for slot in plan)


def plain_message(sample: Kind, plan: list[Slot], size: int) -> int:
    bits = 0
    for slot in plan:
        if slot.kind not in (pyais.STR, pyais.BYTES) and slot.offset + slot.width <= size:
            plain = sample.head.get(slot.name, 0 if slot.name == "repeat" else PLAIN.get(slot.name, 1))
            bits |= plain << (size - slot.offset - slot.width)
    return bits


def is_read(slot: Slot, sample: Kind, size: int) -> bool:
    if slot.name in UNREAD or slot.kind in (pyais.STR, pyais.BYTES) or slot.offset + slot.width > size:
        return False
    return slot.name in sample.values or not slot.name.startswith(("spare", "empty", "reserved"))


@pytest.mark.parametrize("label", KINDS)
def test_every_number_of_every_field_is_its_value_or_null(label: str) -> None:
    sample = KINDS[label]
    plan = slots(sample)
    size = size_of(label, plan)
    plain = plain_message(sample, plan, size)
    tried = 0
    for slot in plan:
        if not is_read(slot, sample, size):
            continue
        is_value = sample.values.get(slot.name) or VALUES.get(slot.name, anything)
        is_signed = slot.is_signed or (label == "17" and slot.name in COARSE)  # pyais forgets the west
        shift = size - slot.offset - slot.width
        others = plain & ~(((1 << slot.width) - 1) << shift)
        name = name_of(label, slot.name)
        for raw in numbers_of(slot.width):
            got = found(decode(others | raw << shift, size), name)
            assert got == expected(slot, raw, is_value, is_signed=is_signed), (slot.name, raw)
            tried += 1
    assert tried or label in ("14", "24 A")


@pytest.mark.parametrize("label", KINDS)
def test_every_text_ends_at_its_first_commercial_at_and_empty_is_null(label: str) -> None:
    sample = KINDS[label]
    plan = slots(sample)
    for slot in plan:
        if slot.kind != pyais.STR or slot.name == "name_ext":
            continue
        width = min(slot.width, 60)
        size = slot.offset + width if slot.name == "text" else plan[-1].offset + min(plan[-1].width, 84)
        head = sum(
            sample.head[other.name] << (size - other.offset - other.width)
            for other in plan
            if other.name in sample.head
        )
        for code in range(64):
            bits = head | code << (size - slot.offset - 6) | 1 << (size - slot.offset - 12)
            char = chr(code + 64) if code < 32 else chr(code)
            text = None if char == "@" else f"{char}A".strip()
            assert found(decode(bits, size), name_of(label, slot.name)) == text, (slot.name, code)
        assert found(decode(head, size), name_of(label, slot.name)) is None


@pytest.mark.parametrize(("msg_type", "start"), [(6, 88), (8, 56)])
def test_every_number_of_persons_on_board_is_its_value_or_null(msg_type: int, start: int) -> None:
    """200/55; pyais does not read it: crew, passengers, personnel after dac and fid."""
    size = start + 80
    head = msg_type << (size - 6) | MMSI << (size - 38) | 200 << (size - start + 6) | 55 << (size - start)
    for name, offset, width, unknown in (("crew", 0, 8, 255), ("passengers", 8, 13, 8191), ("yet", 21, 8, 255)):
        for raw in range(1 << width):
            other = decode(head | raw << (size - start - offset - width), size).other
            assert other[name] == (None if raw == unknown else raw), (name, raw)


def test_a_code_that_one_reader_forgets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ais_fast, "_HEADING", range(512))
    with pytest.raises(AssertionError, match="heading"):
        test_every_number_of_every_field_is_its_value_or_null("1")
