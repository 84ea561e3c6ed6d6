"""The format of recordings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.links.timed_line import format_timed, parse_timed

RAW = st.tuples(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")), st.sampled_from([b"\n", b"\r\n", b""]))


@given(at_us=st.integers(0, 4_102_444_800_000_000), raw=RAW.map(b"".join))
def test_what_is_written_is_read_again_byte_for_byte(at_us: int, raw: bytes) -> None:
    line = format_timed(at_us * 1000, raw)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    parsed = parse_timed(line)
    assert parsed is not None
    assert parsed[1] == raw
    assert parsed[0] == pytest.approx(at_us / 1e6, abs=1e-6)


def test_the_form_of_a_line() -> None:
    assert format_timed(1_795_500_000_000_250_999, b"!AIVDM,1\r\n") == b"1795500000.000250 !AIVDM,1\r\n"
    assert format_timed(1_795_500_000_000_250_999, b"login:") == b"1795500000.000250+ login:\n"


def test_a_recording_that_was_cut_off_gives_what_it_holds() -> None:
    assert parse_timed(b"5.5 !AIV") == (5.5, b"!AIV")


@pytest.mark.parametrize("line", [b"", b"\n", b"!AIVDM,1", b"now !AIVDM", b"1.5", b"-1 x", b"1e9 x", b"nan x", b" 1 x"])
def test_a_line_without_time_is_none(line: bytes) -> None:
    assert parse_timed(line) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_line_or_none(line: bytes) -> None:
    parsed = parse_timed(line)
    assert parsed is None or parsed[0] >= 0
