"""The whole decoder: chunking, time, counts, and what the real recordings give."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais import FileReaderStream

from contracts.limits import MAX_RECORD_BYTES
from contracts.payloads import Ais, Depth, Wind
from edge_agent.cli.record_line import json_line
from edge_agent.parsers.nmea_decoder import MAX_IGNORED_TYPES, Decoded, NmeaDecoder
from edge_agent.parsers.rejects import REASONS
from edge_agent.parsers.vdm_repairs import REPAIRS
from tests.support.nmea_lines import ais_lines, sentence, static, tagged

WIND = sentence("WIMWV,57.5,R,13.0,M,A")
POSITION = ais_lines({"type": 1, "msg_type": 1, "mmsi": 219018000, "speed": 12.3, "lon": -5.4, "lat": 36.1})[0]
LINE_NS = 10_000_000


def decode(data: bytes) -> tuple[list[Decoded], NmeaDecoder]:
    decoder = NmeaDecoder()
    decoded: list[Decoded] = []
    now_ns = 0
    for line in data.splitlines(keepends=True):
        now_ns += LINE_NS
        decoded += decoder.feed(line, now_ns)
    return decoded + decoder.close(now_ns), decoder


def test_each_sentence_becomes_its_payload_with_the_sentence_as_evidence() -> None:
    decoded, decoder = decode(WIND + sentence("SDDPT,5.3,0.4") + POSITION)
    assert [type(item.payload) for item in decoded] == [Wind, Depth, Ais]
    assert decoded[0].raw == WIND.decode().strip()
    assert (decoder.lines, decoder.rejected, decoder.ignored) == (3, {}, {})


def test_sentences_that_nobody_reads_are_counted_by_type_and_are_no_rejects() -> None:
    _, decoder = decode(sentence("PGRME,1") + sentence("GPGSV,1") + sentence("IIGSV,2") + sentence("PMWV,1,R"))
    assert decoder.ignored == {"PGRME": 1, "GSV": 2, "PMWV": 1}
    assert decoder.rejected == {}


def test_ignored_types_are_capped() -> None:
    lines = b"".join(sentence(f"GP{chr(65 + index // 26)}{chr(65 + index % 26)}X,1") for index in range(90))
    _, decoder = decode(lines)
    assert len(decoder.ignored) == MAX_IGNORED_TYPES + 1
    assert decoder.ignored["other"] == 90 - MAX_IGNORED_TYPES


def test_refusals_of_parsers_are_counted_with_a_sample() -> None:
    bad = sentence("WIMWV,57.5,R,13.0,M,V")
    decoded, decoder = decode(bad + WIND)
    assert len(decoded) == 1
    assert decoder.rejected == {"invalid_status": 1}
    assert decoder.samples == {"invalid_status": bad.decode().strip()}


def test_parts_wait_by_the_time_that_is_told_and_tick_gives_them_up() -> None:
    decoder = NmeaDecoder(fragment_window_s=0.1)
    first, second = static(219000001, "ALPHA")
    decoder.feed(first, 0)
    assert decoder.due_ns == 100_000_000
    assert decoder.tick(100_000_000) == []
    assert decoder.rejected == {}
    decoder.tick(100_000_001)
    assert decoder.rejected == {"fragment_incomplete": 1}
    assert decoder.due_ns is None
    assert decoder.feed(second, 120_000_000) == []


def test_a_message_of_two_parts_is_given_once_no_other_part_can_come_with_the_time_of_its_last() -> None:
    decoder = NmeaDecoder(fragment_window_s=0.1)
    first, second = static(219000001, "ALPHA")
    assert decoder.feed(first, 0) + decoder.feed(second, 30_000_000) == []
    (item,) = decoder.feed(POSITION + WIND, 140_000_000)[2:]
    assert isinstance(item.payload, Ais)
    assert (item.payload.name, item.arrived_ns) == ("ALPHA", 30_000_000)


def test_station_and_time_of_a_tag_block_are_on_the_record() -> None:
    decoded, _ = decode(tagged("s:r42,c:1795500000250", POSITION) + POSITION)
    assert [(item.receiver, item.sensor_time_ns) for item in decoded] == [
        ("r42", 1_795_500_000_250_000_000),
        (None, None),
    ]
    ais = decoded[0].payload
    assert isinstance(ais, Ais)
    assert (ais.receiver, ais.heard_at_ns) == ("r42", 1_795_500_000_250_000_000)


def test_close_counts_what_never_became_complete_and_takes_a_last_line_without_end() -> None:
    decoder = NmeaDecoder()
    decoder.feed(static(219000001, "ALPHA")[0] + WIND.strip(), 0)
    assert [type(item.payload) for item in decoder.close(1)] == [Wind]
    assert decoder.rejected == {"fragment_incomplete": 1}


def test_a_decoder_goes_on_after_close_for_the_next_connection() -> None:
    decoder = NmeaDecoder()
    decoder.feed(b"$WIMWV,57", 0)
    decoder.close(1)
    assert [type(item.payload) for item in decoder.feed(WIND, 2)] == [Wind]
    assert decoder.rejected == {"checksum_missing": 1}


LINES = [
    WIND,
    POSITION,
    *static(219000001, "ALPHA"),
    b"\xff\xfe\n",
    b"$WIMWV,57",
    sentence("GPGGA,1"),
    b"\n",
    b"$\\!,*",
]
STREAMS = st.lists(st.sampled_from(LINES) | st.binary(max_size=10), max_size=20).map(b"".join)


@given(data=STREAMS, seed=st.integers(0, 1000))
def test_chunking_never_matters(data: bytes, seed: int) -> None:
    draw = random.Random(seed)
    whole = NmeaDecoder()
    expected = whole.feed(data, 0) + whole.close(0)
    pieces = NmeaDecoder()
    decoded: list[Decoded] = []
    position = 0
    while position < len(data):
        size = draw.randint(1, 40)
        decoded += pieces.feed(data[position : position + size], 0)
        position += size
    decoded += pieces.close(0)
    assert decoded == expected
    assert (pieces.rejected, pieces.ignored, pieces.samples) == (whole.rejected, whole.ignored, whole.samples)


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_decoded_or_counted_and_nothing_is_raised(chunks: list[bytes]) -> None:
    decoder = NmeaDecoder(max_sentence_bytes=82)
    for index, chunk in enumerate(chunks):
        decoder.feed(chunk, index)
        decoder.tick(index)
    decoder.close(len(chunks))
    assert set(decoder.rejected) <= set(REASONS)
    assert set(decoder.samples) == set(decoder.rejected)


@given(st.lists(st.binary(max_size=40).filter(lambda body: not set(body) & set(b"\r\n$!\\")), max_size=10))
def test_any_fields_behind_a_right_checksum_are_decoded_or_counted(bodies: list[bytes]) -> None:
    for address in (b"AIVDM", b"WIMWV", b"WIMWD", b"SDDPT", b"SDDBT"):
        lines = [
            sentence((address + b"," + body).decode("latin-1").encode("ascii", "replace").decode()) for body in bodies
        ]
        _, decoder = decode(b"".join(lines))
        assert set(decoder.rejected) <= set(REASONS)


# what real receivers sent: messages, rejects by reason


@pytest.mark.parametrize(
    ("name", "messages", "rejected"),
    [
        ("ais/denmark_national.nmea", 4051, {}),
        ("ais/gpsd_type6_fid55.log", 1326, {}),
        ("ais/gpsd_sample.aivdm", 102, {"garbage": 3}),
        ("ais/signalk_nais400.log", 668, {}),
    ],
)
def test_real_ais_recordings(recordings: Path, name: str, messages: int, rejected: dict[str, int]) -> None:
    """As many as bare pyais, which checks nothing; the rejects are lines that a plotter mangled, none of them AIS."""
    decoded, decoder = decode((recordings / name).read_bytes())
    ais = [item.payload for item in decoded if isinstance(item.payload, Ais)]
    assert len(ais) == messages
    assert decoder.rejected == rejected
    with FileReaderStream(str(recordings / name)) as stream:
        peer = Counter((message.decode().msg_type, message.decode().mmsi) for message in stream)
    assert Counter((item.msg_type, item.mmsi) for item in ais) == peer
    assert max(len(json_line(item, 1.0)) for item in decoded) < MAX_RECORD_BYTES


def test_every_line_of_the_national_recording_is_accounted_for(recordings: Path) -> None:
    decoded, decoder = decode((recordings / "ais/denmark_national.nmea").read_bytes())
    sentences = sum(item.raw.count("\n") + 1 for item in decoded)
    assert sentences + decoder.used["PGHP"] == decoder.lines == 8551
    assert decoder.used["PGHP"] == len(decoded) == 4051
    ais = [item.payload for item in decoded if isinstance(item.payload, Ais)]
    assert len({item.receiver for item in ais}) == 73
    assert all(item.heard_at_ns is not None for item in ais)


def test_a_malformed_recording_is_rejected_by_reason_and_read_by_who_names_its_dialect(recordings: Path) -> None:
    """1,507 VDM: 1,411 of one sentence and 48 messages of two; every one has an extra field and no channel."""
    data = (recordings / "ais/signalk_gofree_malformed.log").read_bytes()
    found: dict[bool, list[Ais]] = {}
    for is_lenient in (False, True):
        decoder = NmeaDecoder(is_lenient=is_lenient)
        decoded = [*decoder.feed(data, 0), *decoder.close(0)]
        found[is_lenient] = [item.payload for item in decoded if isinstance(item.payload, Ais)]
        assert decoder.rejected["vdm_extra_field"] == (0 if is_lenient else 1507)
        assert decoder.rejected["cut_sentence"] == 994
        assert decoder.rejected["checksum"] == 142
    assert found[False] == []
    assert len(found[True]) == 1459
    assert decoder.repaired == {"vdm_extra_field": 1507, "vdm_sequence_on_single": 1411, "vdm_empty_channel": 1507}
    assert set(decoder.repaired) == set(REPAIRS)
    with FileReaderStream(str(recordings / "ais/signalk_gofree_malformed.log")) as stream:
        peer = Counter((message.decode().msg_type, message.decode().mmsi) for message in stream)
    assert Counter((item.msg_type, item.mmsi) for item in found[True]) == peer
