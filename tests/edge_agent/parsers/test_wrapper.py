"""``$PGHP`` wrappers: of the message behind them, proven by its checksum, or counted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers.nmea_decoder import Decoded, NmeaDecoder
from edge_agent.parsers.rejects import REASONS
from tests.support.nmea_lines import ais_lines, sentence, static, tagged

POSITION = ais_lines({"type": 1, "msg_type": 1, "mmsi": 219018000, "speed": 12.3, "lon": -5.4, "lat": 36.1})[0]
MOMENT_NS = int(datetime(2027, 1, 15, 12, 0, 0, tzinfo=UTC).timestamp()) * 1_000_000_000 + 250_000_000


def checksum_of(*lines: bytes) -> int:
    value = 0
    for line in lines:
        value ^= int(line.rpartition(b"*")[2][:2], 16)
    return value


def wrapper(*lines: bytes, station: str = "2190064", when: str = "2027,1,15,12,0,0,250", change: int = 0) -> bytes:
    return sentence(f"PGHP,1,{when},219,,{station},1,{checksum_of(*lines) ^ change:02X}")


def decode(*lines: bytes) -> tuple[list[Decoded], NmeaDecoder]:
    decoder = NmeaDecoder()
    decoded = [item for line in lines for item in decoder.feed(line, 0)]
    return decoded + decoder.close(0), decoder


def test_time_and_station_go_to_the_message_behind_it_and_to_no_other() -> None:
    decoded, decoder = decode(wrapper(POSITION), POSITION, POSITION)
    assert [(item.receiver, item.sensor_time_ns) for item in decoded] == [("2190064", MOMENT_NS), (None, None)]
    assert (decoder.used, decoder.rejected) == ({"PGHP": 1}, {})


def test_a_wrapper_of_two_parts_has_the_checksums_of_both() -> None:
    first, second = static(219000001, "ALPHA")
    decoded, decoder = decode(wrapper(first, second), first, second)
    assert [(item.receiver, item.sensor_time_ns) for item in decoded] == [("2190064", MOMENT_NS)]
    assert (decoder.used, decoder.rejected) == ({"PGHP": 1}, {})


def test_before_a_vdo_its_checksum_is_00() -> None:
    own = sentence(POSITION.decode()[1:].split("*")[0].replace("VDM", "VDO"), "!")
    decoded, decoder = decode(wrapper(own, change=checksum_of(own)), own)
    assert [item.receiver for item in decoded] == ["2190064"]
    assert decoder.rejected == {}


def test_two_stations_that_write_the_same_id_at_once_are_told_apart() -> None:
    """Both parts of both messages interleaved cannot be wrapped; two wrapped messages after each other can."""
    alpha, yankee = static(219000001, "ALPHA"), static(219000002, "YANKEE")
    lines = [wrapper(*alpha, station="1"), *alpha, wrapper(*yankee, station="2"), *yankee]
    decoded, _ = decode(*lines)
    assert sorted((item.receiver or "", getattr(item.payload, "name", "")) for item in decoded) == [
        ("1", "ALPHA"),
        ("2", "YANKEE"),
    ]


@pytest.mark.parametrize("behind", [[], [POSITION], static(219000001, "ALPHA")[1:]])
def test_a_wrapper_of_another_message_is_counted_and_says_nothing(behind: list[bytes]) -> None:
    decoded, decoder = decode(wrapper(POSITION, change=0x55), *behind)
    assert all(item.receiver is None for item in decoded)
    assert decoder.rejected["wrapper_unpaired"] == 1
    assert decoder.used == {}


def test_a_wrapper_behind_a_wrapper_leaves_the_first_unpaired() -> None:
    decoded, decoder = decode(wrapper(POSITION, station="1"), wrapper(POSITION, station="2"), POSITION)
    assert [item.receiver for item in decoded] == ["2"]
    assert decoder.rejected == {"wrapper_unpaired": 1}


def test_a_tag_block_of_the_sentence_itself_is_believed_more() -> None:
    line = tagged("s:r9", POSITION)
    assert [item.receiver for item in decode(wrapper(POSITION), line)[0]] == ["r9"]


def test_a_station_without_number_is_named_by_country_and_region() -> None:
    line = sentence(f"PGHP,1,2027,1,15,12,0,0,250,276,0,,1,{checksum_of(POSITION):02X}")
    assert decode(line, POSITION)[0][0].receiver == "276-0"


@pytest.mark.parametrize("when", ["2027,13,15,12,0,0,250", "2027,1,32,12,0,0,0", "-1,1,1,1,1,1,1", "99999,1,1,1,1,1,1"])
def test_an_impossible_time_is_counted(when: str) -> None:
    assert decode(wrapper(POSITION, when=when), POSITION)[1].rejected == {"bad_field": 1}


def test_the_time_of_a_clock_that_was_never_set_is_no_time() -> None:
    (item,), _ = decode(wrapper(POSITION, when="1970,1,1,0,0,0,0"), POSITION)
    assert (item.receiver, item.sensor_time_ns) == ("2190064", None)


@given(st.text("0123456789ABCDEF,-. ", max_size=70))
def test_any_fields_are_a_wrapper_or_counted(body: str) -> None:
    _, decoder = decode(sentence(f"PGHP,{body}"), POSITION)
    assert set(decoder.rejected) <= set(REASONS)
