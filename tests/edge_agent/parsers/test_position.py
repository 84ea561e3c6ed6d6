"""A GNSS receiver's sentences: what it calls invalid is none, and no date of another century passes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.payloads import GnssFix
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.parsers.places import read_position, read_time_of_day_s
from edge_agent.parsers.position import parse_gga, parse_gst, parse_rmc, parse_zda
from edge_agent.parsers.rejects import REASONS
from tests.support.sentences import sentence

NOON_NS = int(datetime(2026, 11, 24, 12, 0, 1, 500_000, tzinfo=UTC).timestamp() * 1e9)


def fields(text: str) -> list[bytes]:
    return text.encode().split(b",")


def test_gga() -> None:
    assert parse_gga(fields("GPGGA,120001.50,3938.4851,N,00012.4517,W,4,12,0.60,17.2,M,46.8,M,1.0,0000")) == GnssFix(
        lon_deg=-0.207528333, lat_deg=39.641418333, altitude_m=17.2, quality=4, satellites=12, hdop=0.6,
        utc_of_day_s=43201.5,
    )  # fmt: skip


def test_rmc_has_the_date() -> None:
    assert parse_rmc(fields("GNRMC,120001.50,A,3938.4851,S,00012.4517,E,0.1,360.0,241126,1.0,E,D,S")) == GnssFix(
        lon_deg=0.207528333, lat_deg=-39.641418333, quality=2, sog_kn=0.1, cog_deg=0.0, utc_of_day_s=43201.5,
        utc_ns=NOON_NS,
    )  # fmt: skip


def test_zda_is_utc_whatever_its_zone() -> None:
    assert parse_zda(fields("GPZDA,120001.50,24,11,2026,-02,30")) == GnssFix(utc_of_day_s=43201.5, utc_ns=NOON_NS)


def test_gst_gives_deviations() -> None:
    assert parse_gst(fields("GPGST,120001,1.2,3.0,2.0,45.0,2.5,1.5,4.0")) == GnssFix(
        lat_error_m=2.5, lon_error_m=1.5, altitude_error_m=4.0, utc_of_day_s=43201.0
    )


def test_a_dilution_that_means_none_is_null() -> None:
    assert parse_gga(fields("GPGGA,120001,3938.0,N,00012.0,W,1,03,99.99,,M")).hdop is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("GPGGA,120001,3938.0,N,00012.0,W,0,00,,,M", "invalid_status"),
        ("GPGGA,120001,,,,,1,05,1.0,,M", "no_value"),
        ("GPGGA,120001,3938.0,N,00012.0,W,,05,1.0,,M", "no_value"),
        ("GPGGA,120001,3938.0,N,,,1,05,1.0,,M", "bad_field"),
        ("GPGGA,120001,3960.0,N,00012.0,W,1,05,1.0,,M", "out_of_range"),
        ("GPGGA,120001,9100.0,N,00012.0,W,1,05,1.0,,M", "out_of_range"),
        ("GPGGA,120001,3938.0,N,18100.0,E,1,05,1.0,,M", "out_of_range"),
        ("GPGGA,120001,3938.0,N,00012.0,W,9,05,1.0,,M", "out_of_range"),
        ("GPGGA,120001,3938.0,N,00012.0,W,1,05,1.0,17.2,F", "bad_field"),
        ("GPRMC,120001,V,3938.0,N,00012.0,W,0.1,,241126", "invalid_status"),
        ("GPRMC,120001,A,3938.0,N,00012.0,W,0.1,,241126,,,N", "invalid_status"),
        ("GPRMC,120001,A,3938.0,N,00012.0,W,0.1,,241126,,,Q", "bad_field"),
        ("GPRMC,120001,X,3938.0,N,00012.0,W,0.1,,241126", "bad_field"),
        ("GPRMC,120001,A,,,,,0.1,,241126", "no_value"),
        ("GPRMC,120001,A,3938.0,N,00012.0,W,0.1,,060180", "out_of_range"),
        ("GPRMC,120001,A,3938.0,N,00012.0,W,0.1,,310226", "out_of_range"),
        ("GPRMC,120001,A,3938.0,N,00012.0,W,0.1,,2411", "bad_field"),
    ],
)
def test_what_is_no_fix_is_refused_with_its_reason(text: str, reason: str) -> None:
    parse = parse_gga if "GGA" in text else parse_rmc
    with pytest.raises(PeerError) as caught:
        parse(fields(text))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("GPZDA,,,,,,", "no_value"),
        ("GPZDA,120001,24,11,,00,00", "no_value"),
        ("GPZDA,120001,24,13,2026,00,00", "out_of_range"),
        ("GPZDA,120001,16,04,14,00,00", "out_of_range"),
        ("GPZDA,120060,24,11,2026,00,00", None),
        ("GPZDA,126000,24,11,2026,00,00", "out_of_range"),
        ("GPZDA,12:00,24,11,2026,00,00", "bad_field"),
    ],
)
def test_dates_and_times(text: str, reason: str | None) -> None:
    """A leap second is a time; a plotter that writes two digits of the year is refused, not guessed at."""
    if reason is None:
        assert parse_zda(fields(text)).utc_of_day_s == 43260
        return
    with pytest.raises(PeerError) as caught:
        parse_zda(fields(text))
    assert caught.value.reason == reason


def test_empty_places_and_times_are_none() -> None:
    assert read_position(fields("x, , ,"), 1) is None
    assert read_time_of_day_s(fields("x"), 1) is None


@given(st.integers(0, 89), st.integers(0, 599_999), st.integers(0, 179), st.integers(0, 599_999))
def test_positions_are_read_to_their_last_digit(lat: int, lat_min: int, lon: int, lon_min: int) -> None:
    text = f"{lat:02d}{lat_min / 10_000:07.4f},S,{lon:03d}{lon_min / 10_000:07.4f},W"
    place = read_position(fields(text), 0)
    assert place is not None
    assert place[0] == pytest.approx(-lon - lon_min / 600_000, abs=1e-9)
    assert place[1] == pytest.approx(-lat - lat_min / 600_000, abs=1e-9)


CELLS = st.one_of(
    st.sampled_from(["", "A", "V", "N", "W", "M", "1", "0", "12", "3938.0", "00012.0", "120001.5", "241126", "2026"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$!*\\,"), max_size=8),
)


@given(st.sampled_from(["GGA", "RMC", "ZDA", "GST"]), st.lists(CELLS, max_size=15))
def test_any_fields_are_a_record_or_a_counted_reject(kind: str, cells: list[str]) -> None:
    decoder = NmeaDecoder()
    decoded = decoder.feed(sentence(",".join([f"GP{kind}", *cells])), 0)
    assert len(decoded) + decoder.rejected.total() == 1
    assert set(decoder.rejected) <= set(REASONS)
