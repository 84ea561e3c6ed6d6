"""Wind of a fixed mast: units, status, and what a sensor leaves empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.payloads import Wind
from edge_agent.parsers.wind import parse_mwd, parse_mwv


def fields(text: str) -> list[bytes]:
    return text.encode().split(b",")


@pytest.mark.parametrize(
    ("text", "speed_mps", "direction_deg"),
    [
        ("WIMWV,57.5,R,13.0,N,A", 6.688, 57.5),
        ("WIMWV,57.5,T,13.0,M,A", 13.0, 57.5),
        ("WIMWV,0,R,36.0,K,A", 10.0, 0.0),
        ("WIMWV,359.9,R,10,S,A", 4.47, 359.9),
        ("WIMWV,360.0,T,5.0,M,A", 5.0, 0.0),
        ("WIMWV,,T,5.0,M,A", 5.0, None),
        ("WIMWV,90,T,,M,A", None, 90.0),
        ("WIMWV,90,T,0.0,N,A", 0.0, 90.0),
    ],
)
def test_mwv_gives_metres_a_second_and_degrees(text: str, speed_mps: float, direction_deg: float) -> None:
    assert parse_mwv(fields(text)) == Wind(speed_mps=speed_mps, direction_deg=direction_deg)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("WIMWV,57.5,R,13.0,N,V", "invalid_status"),
        ("WIMWV,,,,,V", "invalid_status"),
        ("WIMWV,57.5,R,13.0,N", "bad_field"),
        ("WIMWV,57.5,R,13.0,N,", "bad_field"),
        ("WIMWV,57.5,X,13.0,N,A", "bad_field"),
        ("WIMWV,57.5,R,13.0,Q,A", "bad_field"),
        ("WIMWV,57.5,R,13.0,,A", "bad_field"),
        ("WIMWV,nan,R,13.0,N,A", "bad_field"),
        ("WIMWV,57.5,R,1_3,N,A", "bad_field"),
        ("WIMWV,57.5,R,1e3,N,A", "bad_field"),
        ("WIMWV,361,R,13.0,N,A", "out_of_range"),
        ("WIMWV,-1,R,13.0,N,A", "out_of_range"),
        ("WIMWV,57.5,R,300.0,N,A", "out_of_range"),
        ("WIMWV,,R,,N,A", "no_value"),
    ],
)
def test_mwv_that_says_nothing_or_nonsense_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_mwv(fields(text))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "speed_mps", "direction_deg"),
    [
        ("WIMWD,328.2,T,326.8,M,11.2,N,5.8,M", 5.8, 328.2),
        ("WIMWD,328.2,T,326.8,M,11.2,N,,M", 5.762, 328.2),
        ("WIMWD,328.2,T,326.8,M,11.2,N", 5.762, 328.2),
        ("WIMWD,,T,326.8,M,11.2,N,5.8,M", 5.8, None),
        ("WIMWD,360,T,,M,,N,5.8,M", 5.8, 0.0),
    ],
)
def test_mwd_prefers_metres_and_never_takes_a_magnetic_direction_for_a_true_one(
    text: str, speed_mps: float, direction_deg: float
) -> None:
    assert parse_mwd(fields(text)) == Wind(speed_mps=speed_mps, direction_deg=direction_deg)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("WIMWD,,T,326.8,M,,N,,M", "no_value"),
        ("WIMWD", "no_value"),
        ("WIMWD,328.2,M,326.8,M,11.2,N,5.8,M", "bad_field"),
        ("WIMWD,328.2,T,326.8,M,11.2,N,5.8,K", "bad_field"),
        ("WIMWD,328.2,T,326.8,M,11.2,K,,M", "bad_field"),
        ("WIMWD,400,T,326.8,M,11.2,N,5.8,M", "out_of_range"),
    ],
)
def test_mwd_that_says_nothing_or_nonsense_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_mwd(fields(text))
    assert caught.value.reason == reason


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=10))
def test_any_fields_give_a_wind_in_range_or_one_error(parts: list[bytes]) -> None:
    for parse in (parse_mwv, parse_mwd):
        try:
            wind = parse(parts)
        except PeerError:
            continue
        assert wind.speed_mps is None or 0 <= wind.speed_mps <= 100
        assert wind.direction_deg is None or 0 <= wind.direction_deg < 360
