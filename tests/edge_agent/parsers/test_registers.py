import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from edge_agent.parsers.registers import (
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    WordOrder,
    decode_value,
    encode_map,
    encode_value,
    width,
)
from firmware_configs.loading import read_profile
from firmware_configs.registers import RegisterMap, Tag

MAPS = Path(__file__).parent.parent.parent.parent / "firmware_configs" / "hardware" / "registers"
ORDERS: list[WordOrder] = ["high_first", "low_first"]
orders = st.sampled_from(ORDERS)
words = st.integers(0, 0xFFFF)
scales = st.sampled_from([1.0, 0.001, 0.01, 0.1, 0.5, 10.0, -0.01, 1e-6])
offsets = st.sampled_from([0.0, -30.5, 4.0])


def tag(**changes: Any) -> Tag:
    values = {"field": "hoist_load_t", "table": "input_register", "address": 0, "type": "u16", "unit": "t"}
    return Tag.model_validate(values | changes)


@given(st.sampled_from(["u16", "s16", "u32", "s32"]), orders, scales, offsets, st.lists(words, min_size=2, max_size=2))
def test_encode_undoes_decode_for_whole_numbers(
    kind: str, order: WordOrder, scale: float, offset: float, pair: list[int]
) -> None:
    one = tag(type=kind, scale=scale, offset=offset)
    given_words = pair[: width(one)]
    value, reason = decode_value(one, order, given_words)
    assert value is not None
    assert not reason
    assert encode_value(one, order, value) == given_words


@given(orders, words, words)
@example("high_first", 0x7F7F, 0xFFFF)  # the largest binary32: six digits round past it
@example("high_first", 0x0000, 0x0001)  # the smallest
@example("high_first", 0x8000, 0x0000)  # minus zero
def test_encode_undoes_decode_for_floats(order: WordOrder, first: int, second: int) -> None:
    one = tag(type="f32")
    value, reason = decode_value(one, order, [first, second])
    if value is None:
        assert reason == NOT_A_NUMBER
    else:
        assert encode_value(one, order, value) == [first, second]


@given(orders, st.floats(-1000, 1000), scales, offsets)
def test_decode_undoes_encode_to_the_resolution(order: WordOrder, value: float, scale: float, offset: float) -> None:
    one = tag(type="s32", scale=scale, offset=offset)
    assume(abs((value - offset) / scale) < 2**31 - 1)
    decoded, _ = decode_value(one, order, encode_value(one, order, value))
    assert decoded is not None
    assert abs(decoded - value) <= abs(scale) / 2 + 1e-9


@given(st.integers(0, 15), words)
def test_a_bit_of_a_status_word_is_that_bit(bit: int, word: int) -> None:
    one = tag(field="is_spreader_locked", type="bool", unit="bool", bit=bit)
    value, _ = decode_value(one, "high_first", [word])
    assert value is bool(word & 1 << bit)
    assert encode_value(one, "high_first", value=True) == [1 << bit]


@given(st.sampled_from(["u16", "s16", "u32", "s32", "f32"]), orders, st.lists(words, min_size=2, max_size=2))
def test_any_words_are_a_value_in_range_or_one_reason(kind: str, order: WordOrder, pair: list[int]) -> None:
    one = tag(type=kind, minimum=-2, maximum=120)
    value, reason = decode_value(one, order, pair[: width(one)])
    assert (value is None) == (reason in (OUT_OF_RANGE, NOT_A_NUMBER))
    assert value is None or -2 <= value <= 120


def test_the_word_order_decides_what_two_registers_mean() -> None:
    one = tag(type="u32")
    assert decode_value(one, "high_first", [1, 0]) == (65536.0, "")
    assert decode_value(one, "low_first", [1, 0]) == (1.0, "")


def test_a_float_shows_the_decimal_that_a_person_would_write() -> None:
    first, second = struct.unpack(">2H", struct.pack(">f", 12.3))
    assert decode_value(tag(type="f32"), "high_first", [first, second]) == (12.3, "")


def test_a_scaled_value_has_no_binary_noise() -> None:
    assert decode_value(tag(scale=0.1), "high_first", [3]) == (0.3, "")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_not_available(value: float) -> None:
    words = list(struct.unpack(">2H", struct.pack(">f", value)))
    assert decode_value(tag(type="f32"), "high_first", words) == (None, NOT_A_NUMBER)


def test_what_an_encoding_cannot_hold_is_refused_not_wrapped() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_value(tag(type="u16"), "high_first", 65536)
    with pytest.raises(ValueError, match="does not fit"):
        encode_value(tag(type="u16"), "high_first", -1)


@pytest.mark.parametrize("name", ["sts-plc-a", "sts-plc-b", "berth-hooks"])
def test_a_plc_image_has_every_address_of_the_map(name: str) -> None:
    register_map = read_profile(MAPS / f"{name}.yaml", RegisterMap)
    image = encode_map(register_map, {})
    for one in register_map.tags:
        for address in range(one.address, one.address + width(one)):
            assert address in image[one.table]


def test_bits_of_one_register_are_joined() -> None:
    register_map = read_profile(MAPS / "sts-plc-b.yaml", RegisterMap)
    image = encode_map(register_map, {"is_spreader_locked": True, "is_spreader_landed": True})
    assert image["holding_register"][108] == 0b11


def test_a_field_that_the_map_does_not_have_is_refused() -> None:
    register_map = read_profile(MAPS / "sts-plc-b.yaml", RegisterMap)
    with pytest.raises(KeyError, match="distance_m"):
        encode_map(register_map, {"distance_m": 1.0})


def test_the_two_crane_families_have_opposite_word_orders() -> None:
    read = [read_profile(MAPS / f"sts-plc-{family}.yaml", RegisterMap).word_order for family in "ab"]
    assert read == ["high_first", "low_first"]
