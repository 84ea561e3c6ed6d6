"""A radar's sentences, as the standard and as real radars write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.radar import RadarDisplay, RadarLabel, RadarTarget
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.parsers.radar import parse_osd, parse_rsd, parse_tlb, parse_tll, parse_ttm
from edge_agent.parsers.rejects import REASONS
from tests.support.sentences import sentence


def fields(text: str) -> list[bytes]:
    return text.encode().split(b",")


def test_a_real_target_far_above_ninety_nine_that_has_passed() -> None:
    decoder = NmeaDecoder()
    (item,) = decoder.feed(b"$RATTM,498,4.29,155.9,T,0.3,74.7,T,1.07,-76.4,N,,T,,074051,M*39\r\n", 0)
    assert item.payload == RadarTarget(
        target_no=498, status="tracking", distance_m=7945.08, bearing_deg=155.9, sog_kn=0.3, cog_deg=74.7,
        cpa_m=1981.64, tcpa_s=-4584.0, is_bearing_true=True, is_course_true=True, acquisition="manual",
        utc_of_day_s=27651.0,
    )  # fmt: skip


def test_a_real_target_with_spaces_and_without_what_the_standard_demands() -> None:
    decoder = NmeaDecoder()
    (item,) = decoder.feed(b"$RATTM, 1,1.033854,237.500000,,5.76,176.3,T, , ,N,ARPA 1,T, *22\r\n", 0)
    assert item.payload == RadarTarget(
        target_no=1, status="tracking", distance_m=1914.698, bearing_deg=237.5, sog_kn=5.76, cog_deg=176.3,
        is_course_true=True, name="ARPA 1",
    )  # fmt: skip
    assert not decoder.rejected


def test_a_real_position_of_a_target() -> None:
    decoder = NmeaDecoder()
    (item,) = decoder.feed(b"$RATLL,01,3731.51052,N,02436.00000,E,TEST1,161617.88,T,*0C\r\n", 0)
    assert item.payload == RadarTarget(
        target_no=1, status="tracking", lon_deg=24.6, lat_deg=37.525175333, name="TEST1", utc_of_day_s=58577.88
    )


def test_real_states_of_a_display() -> None:
    decoder = NmeaDecoder()
    lines = b"$RAOSD,180.5,A,179.3,P,2.6,P,178.7,1.3,N*49\r\n$RARSD,0.00,0.0,5.18,82.1,,,,,,,6,N,N*7B\r\n"
    assert [item.payload for item in decoder.feed(lines, 0)] == [
        RadarDisplay(heading_deg=180.5, course_deg=179.3, speed_kn=2.6, set_deg=178.7, drift_kn=1.3),
        RadarDisplay(range_m=11112.0, orientation="north_up"),
    ]


@pytest.mark.parametrize(
    ("unit", "distance_m", "sog_kn"), [("N", 3704.0, 10.0), ("K", 2000.0, 5.4), ("S", 3218.688, 8.69)]
)
def test_the_unit_of_a_sentence_is_that_of_its_distances_and_speed(unit: str, distance_m: float, sog_kn: float) -> None:
    target = parse_ttm(fields(f"RATTM,7,2.0,10,R,10.0,20,R,1.0,5.5,{unit},,Q,R,,A"))
    assert (target.distance_m, target.tcpa_s) == (distance_m, 330.0)
    assert target.sog_kn == pytest.approx(sog_kn, abs=0.001)
    assert (target.is_bearing_true, target.is_course_true, target.is_reference) == (False, False, True)
    assert (target.status, target.acquisition) == ("query", "automatic")


def test_a_lost_target_need_not_say_where() -> None:
    assert parse_ttm(fields("RATTM,66,,,,,,,,,N,,L,,,")) == RadarTarget(target_no=66, status="lost")
    assert parse_tll(fields("RATLL,66,,,,,,,L")) == RadarTarget(target_no=66, status="lost")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RATTM", "no_value"),
        ("RATTM,,1.0,10,T,1,10,T,,,N,,T", "no_value"),
        ("RATTM,5,,,,,,,,,,,", "no_value"),
        ("RATTM,5.5,1.0,10,T,1,10,T,,,N,,T", "bad_field"),
        ("RATTM,5,1.0,10,T,1,10,T,,,,,T", "bad_field"),
        ("RATTM,5,1.0,10,T,1,10,T,,,X,,T", "bad_field"),
        ("RATTM,5,1.0,10,T,1,10,T,,,N,,Z", "bad_field"),
        ("RATTM,5,1.0,10,M,1,10,T,,,N,,T", "bad_field"),
        ("RATTM,5,1.0,10,T,1,10,T,,,N,,T,,246060", "out_of_range"),
        ("RATTM,5,999,10,T,1,10,T,,,N,,T", "out_of_range"),
        ("RATTM,5,1.0,361,T,1,10,T,,,N,,T", "out_of_range"),
        ("RATTM,5,1.0,10,T,9999,10,T,,,N,,T", "out_of_range"),
        ("RATTM,-5,1.0,10,T,1,10,T,,,N,,T", "out_of_range"),
        ("RATTM,10000,1.0,10,T,1,10,T,,,N,,T", "out_of_range"),
    ],
)
def test_a_target_that_is_none_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_ttm(fields(text))
    assert caught.value.reason == reason


def test_labels_come_in_pairs_and_an_empty_one_takes_the_name_away() -> None:
    readings = parse_tlb(fields("RATLB,481,,470,PILOT 2,x,LOST,500"))
    assert readings.payloads == [RadarLabel(target_no=481, label=""), RadarLabel(target_no=470, label="PILOT 2")]
    assert [fault.reason for fault in readings.faults] == ["bad_field", "bad_field"]


def test_a_heading_that_the_radar_calls_invalid_is_none() -> None:
    assert parse_osd(fields("RAOSD,180.5,V,179.3,P,2.6,P,,,N")).heading_deg is None
    for text in ("RAOSD,180.5,V,,,,,,,", "RAOSD"):
        with pytest.raises(PeerError, match="no value"):
            parse_osd(fields(text))


def test_the_cursor_and_range_of_a_display_in_kilometres() -> None:
    display = parse_rsd(fields("RARSD,,,,,,,,,1.5,90,12,K,H"))
    assert display == RadarDisplay(
        range_m=12000.0, orientation="head_up", cursor_distance_m=1500.0, cursor_bearing_deg=90
    )


CELLS = st.one_of(
    st.sampled_from(["", " ", "N", "K", "T", "R", "L", "A", "0", "99", "500", "12.5", "-3", "3731.5", "02436.0", "E"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$!*\\,"), max_size=8),
)


@given(st.sampled_from(["TTM", "TLL", "TLB", "OSD", "RSD", "TTD"]), st.lists(CELLS, max_size=17))
def test_any_fields_are_a_record_or_a_counted_reject(kind: str, cells: list[str]) -> None:
    decoder = NmeaDecoder()
    decoded = decoder.feed(sentence(",".join([f"RA{kind}", *cells])), 0)
    assert decoded or decoder.rejected.total()
    assert set(decoder.rejected) <= set(REASONS)
