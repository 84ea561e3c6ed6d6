"""Framing: any bytes in any chunking; what is no sentence is counted by reason."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.parsers import nmea_frame
from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.rejects import MAX_SAMPLE_CHARS, REASONS, RejectLedger
from edge_agent.parsers.tag_block import MAX_TAG_BYTES, TagBlock, checksum
from tests.support.nmea_lines import sentence

WIND = sentence("WIMWV,57.5,R,13.0,N,A")
AIS = sentence("AIVDM,1,1,,B,13nUgBWP01PkHvDU7<kC4wvJ2>`<,0", "!")


def framed(
    data: bytes, max_sentence_bytes: int = 512, *, is_lenient: bool = False
) -> tuple[list[Sentence], dict[str, int]]:
    ledger = RejectLedger()
    framer = SentenceFramer(ledger, max_sentence_bytes=max_sentence_bytes, is_lenient=is_lenient)
    found = framer.feed(data) + framer.close()
    return found, dict(ledger.counts)


def addresses(found: list[Sentence]) -> list[bytes]:
    return [item.fields[0] for item in found]


def test_lines_end_with_cr_lf_or_lf_and_the_last_needs_none() -> None:
    found, rejected = framed(WIND + AIS.replace(b"\r\n", b"\n") + WIND.rstrip())
    assert addresses(found) == [b"WIMWV", b"AIVDM", b"WIMWV"]
    assert found[0].fields == [b"WIMWV", b"57.5", b"R", b"13.0", b"N", b"A"]
    assert found[0].raw == WIND.decode().strip()
    assert rejected == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\x00\x01binary\xff\n", "garbage"),
        (b"AIVDM,1,1,,B,13nUgBWP01PkHvDU7<kC4wvJ2>`<,0*27\n", "garbage"),
        (b"$WIMWV,57.5,R,13.0\n", "checksum_missing"),
        (b"$WIMWV,57.5,R,13.0,N,A*\n", "checksum_missing"),
        (b"$WIMWV,57.5,R,13.0,N,A*2\n", "checksum_missing"),
        (b"$WIMWV,57.5,R,13.0,N,A*+6\n", "checksum_missing"),
        (b"$WIMWV,57.6,R,13.0,N,A*26\n", "checksum"),
        (sentence("WI\x07WV,1"), "bad_character"),
        (sentence("wimwv,1"), "bad_address"),
        (sentence(",1"), "bad_address"),
    ],
)
def test_what_is_no_sentence_is_counted_by_reason_and_disturbs_no_other(line: bytes, reason: str) -> None:
    found, rejected = framed(WIND + line + WIND)
    assert addresses(found) == [b"WIMWV", b"WIMWV"]
    assert rejected == {reason: 1}


def test_a_sentence_cut_by_the_next_is_counted_and_the_next_is_read() -> None:
    found, rejected = framed(b"$WIMWV,57.5,R" + WIND + b"!AIVDM,1,1" + AIS)
    assert addresses(found) == [b"WIMWV", b"AIVDM"]
    assert rejected == {"cut_sentence": 2}


def test_two_whole_sentences_on_one_line_are_both_read() -> None:
    found, rejected = framed(WIND.strip() + AIS)
    assert addresses(found) == [b"WIMWV", b"AIVDM"]
    assert rejected == {}


def test_garbage_before_a_sentence_is_counted_and_the_sentence_read() -> None:
    found, rejected = framed(b"\xff\xfe\x80 noise" + WIND)
    assert (addresses(found), rejected) == ([b"WIMWV"], {"garbage": 1})


def test_garbage_after_the_checksum_is_counted_and_not_part_of_raw() -> None:
    found, rejected = framed(WIND.strip() + b"\\x0d\n")
    assert [item.raw for item in found] == [WIND.decode().strip()]
    assert rejected == {"garbage": 1}


def test_the_suffix_of_the_coast_guard_network_tells_station_and_time() -> None:
    line = AIS.strip() + b",s28089,d-103,T39.44353985,x147521,r08TPHI1,1242958962\n"
    found, rejected = framed(line + AIS.strip() + b", b003660465\n" + AIS.strip() + b",x1\n")
    assert found[0].raw == line.decode().strip()
    assert [(item.tag.source, item.tag.time_ns) if item.tag else None for item in found] == [
        ("r08TPHI1", 1_242_958_962_000_000_000),
        ("b003660465", None),
        None,
    ]
    assert rejected == {}


def test_comments_and_blank_lines_of_recordings_are_not_rejects() -> None:
    assert framed(b"# a recording\n\r\n  \n" + WIND)[1] == {}


def test_a_talker_of_dashes_is_an_address() -> None:
    found, _ = framed(sentence("--VDM,1,1,,A,802R5Ph0Bka7?hU?eIn1002OCwwwwwww,2", "!"))
    assert addresses(found) == [b"--VDM"]


def test_a_tag_block_is_read_and_kept_with_its_sentence() -> None:
    tag = sentence("g:1-2-1234,s:r3669961,c:1120959341", "\\").strip()
    found, rejected = framed(tag + b"\\" + AIS)
    assert found[0].raw == (tag + b"\\" + AIS.strip()).decode()
    block = found[0].tag
    assert block is not None
    assert (block.group, block.source, block.time_ns) == ("1234", "r3669961", 1_120_959_341_000_000_000)
    assert rejected == {}


def test_two_tag_blocks_before_a_sentence_are_read_as_one() -> None:
    tags = b"".join(sentence(body, "\\").strip() + b"\\" for body in ("s:r1,n:7,d:VTS,t:hi", "c:1120959341250"))
    (item,), rejected = framed(tags + AIS)
    assert item.tag == TagBlock("r1", None, 1_120_959_341_250_000_000, True, 7, "VTS", "hi")
    assert item.raw == (tags + AIS.strip()).decode()
    assert rejected == {}


@pytest.mark.parametrize("value", ["0", "69000000000", "4102444800000000", "1e9", "-5", ""])
def test_a_time_of_a_clock_that_was_never_set_is_no_time(value: str) -> None:
    (item,), _ = framed(sentence(f"s:r1,c:{value}", "\\").strip() + b"\\" + AIS)
    assert item.tag == TagBlock("r1")


@pytest.mark.parametrize("tag", [b"\\s:r1*00\\", b"\\s:r1\\", b"\\s:\xff*51\\", b"\\" + b"t" * 300 + b"*00\\"])
def test_a_sentence_behind_a_wrong_tag_block_is_rejected_and_in_a_lenient_dialect_used_without_it(tag: bytes) -> None:
    assert framed(tag + AIS, max_sentence_bytes=4096) == ([], {"tag_checksum": 1})
    found, rejected = framed(tag + AIS, max_sentence_bytes=4096, is_lenient=True)
    assert [item.tag for item in found] == [None]
    assert found[0].raw == AIS.decode().strip()
    assert rejected == {"tag_checksum": 1}


def test_a_sentence_over_82_characters_up_to_the_cap_is_read_and_over_it_is_counted() -> None:
    body = "IIXDR," + "A" * 400
    assert len(framed(sentence(body), max_sentence_bytes=512)[0]) == 1
    found, rejected = framed(sentence(body) + WIND, max_sentence_bytes=256)
    assert (addresses(found), rejected) == ([b"WIMWV"], {"too_long": 1})


def test_a_line_that_never_ends_holds_a_bounded_buffer_and_the_sentence_at_its_end_is_found() -> None:
    ledger = RejectLedger()
    framer = SentenceFramer(ledger, max_sentence_bytes=100)
    for _ in range(1000):
        assert framer.feed(b"x" * 997) == []
        assert len(framer._tail) <= 100 + MAX_TAG_BYTES
    assert addresses(framer.feed(WIND)) == [b"WIMWV"]
    assert ledger.counts == {"too_long": 1}


def test_without_the_check_a_corrupted_sentence_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    corrupted = WIND.replace(b"13.0", b"93.0")
    assert framed(corrupted)[0] == []
    monkeypatch.setattr(nmea_frame, "_checksum_fault", lambda *_: None)
    assert framed(corrupted)[0][0].fields[3] == b"93.0"


def test_the_ledger_keeps_one_bounded_sample_a_reason_and_knows_only_its_reasons() -> None:
    ledger = RejectLedger()
    ledger.add("garbage", b"\xff" * 5000)
    ledger.add("garbage", "newest")
    ledger.add("checksum", b"\xff" * 5000)
    assert ledger.samples["garbage"] == "newest"
    assert len(ledger.samples["checksum"]) == MAX_SAMPLE_CHARS
    assert set(ledger.counts) <= set(REASONS)
    with pytest.raises(KeyError):
        ledger.add("no_such_reason", b"")


@given(st.binary(max_size=700))
def test_checksum_is_the_exclusive_or_of_all_bytes(body: bytes) -> None:
    assert checksum(body) == reduce(xor, body, 0)


TAG_S = sentence("s:r1", "\\").strip() + b"\\"
PIECES = st.sampled_from(
    [WIND, AIS, TAG_S, b"\\", b"$", b"!", b"*26", b"\r", b"\n", b"#", b"\xff\x00", b"x" * 150, b","]
)
STREAMS = st.lists(PIECES | st.binary(max_size=12), max_size=25).map(b"".join)


@given(data=STREAMS, cuts=st.lists(st.integers(1, 60), min_size=1, max_size=8))
@example(data=b"x" * 500 + WIND, cuts=[1])
def test_chunking_never_matters(data: bytes, cuts: list[int]) -> None:
    whole = framed(data, max_sentence_bytes=100)
    ledger = RejectLedger()
    framer = SentenceFramer(ledger, max_sentence_bytes=100)
    found: list[Sentence] = []
    position = turn = 0
    while position < len(data):
        size = cuts[turn % len(cuts)]
        found += framer.feed(data[position : position + size])
        position, turn = position + size, turn + 1
    found += framer.close()
    assert (found, dict(ledger.counts)) == whole


@given(STREAMS)
def test_any_bytes_give_sentences_or_counted_rejects_and_never_an_error(data: bytes) -> None:
    found, rejected = framed(data)
    assert set(rejected) <= set(REASONS)
    for item in found:
        assert item.raw.isprintable()
        body, _, given_sum = item.raw[item.raw.rindex(item.raw.lstrip("\\")[0]) :].rpartition("*")
        assert body or given_sum


@given(
    noise=st.binary(max_size=400),
    garbage=st.binary(max_size=60).filter(lambda data: b"$" not in data and not data.startswith((b"# ", b"#\t"))),
)
@example(noise=b"", garbage=b"#")
@example(noise=b"", garbage=b"#x")
def test_a_sentence_survives_whatever_came_before_it(noise: bytes, garbage: bytes) -> None:
    found, _ = framed(noise + b"\n" + garbage.replace(b"!", b"").replace(b"\\", b"") + WIND)
    assert found[-1].fields[0] == b"WIMWV"
