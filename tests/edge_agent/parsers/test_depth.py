"""Depth of water in metres, whatever unit the sounder names first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.payloads import Depth
from edge_agent.parsers.depth import parse_dbt, parse_dpt


def fields(text: str) -> list[bytes]:
    return text.encode().split(b",")


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("SDDPT,5.3,0.4", Depth(below_transducer_m=5.3, offset_m=0.4)),
        ("SDDPT,5.3,-1.2,100", Depth(below_transducer_m=5.3, offset_m=-1.2)),
        ("SDDPT,5.3,", Depth(below_transducer_m=5.3)),
        ("SDDPT,5.3", Depth(below_transducer_m=5.3)),
        ("SDDPT,.3,", Depth(below_transducer_m=0.3)),
    ],
)
def test_dpt_gives_depth_and_offset(text: str, depth: Depth) -> None:
    assert parse_dpt(fields(text)) == depth


@pytest.mark.parametrize(
    ("text", "depth_m"),
    [
        ("SDDBT,17.3,f,5.3,M,2.9,F", 5.3),
        ("SDDBT,10.0,f,,M,,F", 3.048),
        ("SDDBT,,f,,M,2.0,F", 3.658),
        ("SDDBT,,,5.3,M,,", 5.3),
    ],
)
def test_dbt_gives_metres_from_whichever_unit_is_there(text: str, depth_m: float) -> None:
    assert parse_dbt(fields(text)) == Depth(below_transducer_m=depth_m)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SDDPT,,0.4", "no_value"),
        ("SDDPT", "no_value"),
        ("SDDPT,-1,0.4", "out_of_range"),
        ("SDDPT,5,400", "out_of_range"),
        ("SDDPT,99999,0", "out_of_range"),
        ("SDDPT,five,0", "bad_field"),
    ],
)
def test_dpt_without_a_depth_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_dpt(fields(text))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SDDBT,,f,,M,,F", "no_value"),
        ("SDDBT,17.3,f,5.3,X,2.9,F", "bad_field"),
        ("SDDBT,17.3", "bad_field"),
        ("SDDBT,17.3,f,-5.3,M,2.9,F", "out_of_range"),
    ],
)
def test_dbt_without_a_depth_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_dbt(fields(text))
    assert caught.value.reason == reason


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=8))
def test_any_fields_give_a_depth_in_range_or_one_error(parts: list[bytes]) -> None:
    for parse in (parse_dpt, parse_dbt):
        try:
            depth = parse(parts)
        except PeerError:
            continue
        assert depth.below_transducer_m is not None
        assert 0 <= depth.below_transducer_m <= 12_000
