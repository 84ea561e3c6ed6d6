"""Datagrams of IEC 61162-450: what is encoded is decoded, messages stay whole, counters tell what is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from edge_agent.parsers.iec450 import HEADER, MAX_DATAGRAM_BYTES, Iec450Encoder, split_datagram
from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.rejects import RejectLedger
from tests.support.nmea_lines import ais_lines, sentence, static

WIND = sentence("WIMWV,57.5,R,13.0,M,A")


def sentences(datagrams: list[bytes]) -> list[Sentence]:
    ledger = RejectLedger()
    framer = SentenceFramer(ledger)
    found = [item for datagram in datagrams for item in framer.feed(split_datagram(datagram) or b"")]
    assert not ledger.counts, ledger.samples
    return found


def test_a_datagram_has_header_source_and_counter() -> None:
    (datagram,) = Iec450Encoder("WI0001").encode([WIND, WIND.strip()])
    assert (
        datagram
        == HEADER
        + sentence("s:WI0001,n:1", "\\").strip()
        + b"\\"
        + WIND
        + sentence("s:WI0001,n:2", "\\").strip()
        + b"\\"
        + WIND
    )
    assert [item.tag.line_no if item.tag else None for item in sentences([datagram])] == [1, 2]


def test_the_parts_of_a_message_have_a_group_and_are_never_parted() -> None:
    lines = [line for index in range(60) for line in static(219000000 + index, f"S{index}", seq_id=index % 10)]
    datagrams = Iec450Encoder("AI0001").encode(lines)
    assert len(datagrams) > 3
    for datagram in datagrams:
        assert len(datagram) <= MAX_DATAGRAM_BYTES
        found = sentences([datagram])
        groups = [item.tag.group for item in found if item.tag is not None]
        assert groups[::2] == groups[1::2]
        assert len(set(groups)) == len(found) // 2


def test_counters_go_round_after_999_and_groups_after_99() -> None:
    encoder = Iec450Encoder("AI0001")
    lines = static(219000001, "ALPHA") * 600
    tags = [item.tag for item in sentences(encoder.encode(lines)) if item.tag is not None]
    assert [tag.line_no for tag in tags] == [index % 999 + 1 for index in range(1200)]
    assert [tag.group for tag in tags[::2]] == [str(index % 99 + 1) for index in range(600)]


@pytest.mark.parametrize("source", ["", "AI001", "ai0001", "AI00011", "AI0001\n", "A,0001"])
def test_a_source_of_another_form_is_an_error_of_the_operator(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Iec450Encoder(source)
    assert "AI0001" in caught.value.hint


def test_what_holds_no_sentences_is_told_and_bare_sentences_are_taken() -> None:
    assert split_datagram(b"RaUdP\0\x01\x02") is None
    assert split_datagram(WIND.strip()) == WIND.strip() + b"\n"
    assert split_datagram(HEADER + WIND) == WIND


MESSAGES = st.lists(
    st.sampled_from([
        [WIND], static(219000001, "ALPHA"), static(219000002, "YANKEE")[:1], static(219000003, "BRAVO", seq_id=4)[1:],
        ais_lines({"type": 14, "mmsi": 219000001, "text": "MAN OVERBOARD NEAR BUOY 7 " * 5}), [b"\r\n"],
    ]),
    max_size=80,
)  # fmt: skip


@given(MESSAGES)
def test_decoding_gives_back_what_was_encoded_in_order(messages: list[list[bytes]]) -> None:
    lines = [line for message in messages for line in message]
    datagrams = Iec450Encoder("AI0001").encode(lines)
    assert all(len(datagram) <= MAX_DATAGRAM_BYTES for datagram in datagrams)
    found = [item.raw.rpartition("\\")[2].encode() for item in sentences(datagrams)]
    assert found == [line.strip() for line in lines if line.strip()]
