"""Ids and topics: every legal one survives the round trip, everything else is a PeerError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.ids import is_id, make_stream_id, parse_id, split_stream_id
from contracts.topics import Channel, all_gateways, parse_topic, topic

IDS = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)


@given(IDS, IDS, st.sampled_from(Channel))
def test_both_spellings_of_a_topic_read_back(site: str, gateway: str, channel: Channel) -> None:
    made = topic(site, gateway, channel)
    assert parse_topic(made.mqtt()) == made
    assert parse_topic(made.subject()) == made


def read_back(text: str) -> str:
    try:
        return parse_topic(text).mqtt()
    except PeerError as error:
        return error.reason


@given(st.text(max_size=80))
def test_any_text_is_a_topic_or_a_peer_error(text: str) -> None:
    assert read_back(text) in {"bad_topic", text.replace(".", "/")}


@pytest.mark.parametrize("text", ["", "A", "a_b", "a.b", "a/b", "+", "#", "*", ">", "a" * 41, "a\n", "ñ"])
def test_what_would_change_a_topic_s_meaning_is_no_id(text: str) -> None:
    assert not is_id(text)
    with pytest.raises(PeerError):
        parse_id("gateway", text)


@given(IDS, IDS)
def test_a_stream_id_reads_back(site: str, gateway: str) -> None:
    assert split_stream_id(make_stream_id(site, gateway, "0123abcd", "track")) == (site, gateway, "0123abcd", "track")


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b.0123abcd.track.x", "A.b.0123abcd.track", "a.b.short.track"])
def test_what_is_no_stream_id_is_refused(text: str) -> None:
    with pytest.raises(PeerError):
        split_stream_id(text)


def test_the_subject_of_all_gateways_matches_one_level_each() -> None:
    assert all_gateways(Channel.RECORDS) == "porttrack.v1.*.*.up.records"
