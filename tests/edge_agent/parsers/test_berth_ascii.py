import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers.berth_ascii import MAX_LINE_BYTES, BerthAsciiParser, Hooks, Laser, Level, Reading
from edge_agent.parsers.rejects import REASONS
from edge_agent.simulation.sentences import framed

HOOKS = "$PMHT,1,101.5,98.2,,64.0*36"


def read(*lines: str, is_level: bool = False) -> tuple[list[Reading], BerthAsciiParser]:
    parser = BerthAsciiParser(is_level=is_level)
    return parser.feed("".join(line + "\r\n" for line in lines).encode("latin-1")), parser


def test_the_readme_s_sentences_say_what_it_says() -> None:
    readings, parser = read("$PDLR,1,12.34,0.052,A*79", "$PDLR,2,,,V*6E", HOOKS, "$PMHT,5,88.1,90.4*14")
    assert [reading[:-1] for reading in readings] == [
        (1, 12.34, 0.052), (2, None, None), (1, [101.5, 98.2, None, 64.0]), (5, [88.1, 90.4]),
    ]  # fmt: skip
    assert not parser.rejects.counts


@pytest.mark.parametrize(("body", "reason"), [
    ("PMHT,0,1.0", "out_of_range"), ("PMHT,x,1.0", "bad_field"), ("PMHT,1", "bad_field"), ("PMHT,1,1e5", "bad_field"),
    ("PMHT,1,nan", "bad_field"), ("PMHT,32,1.0,2.0", "out_of_range"), ("PDLR,5,1.0,0.0,A", "out_of_range"),
    ("PDLR,1,1.0,0.0", "bad_field"), ("PDLR,1,1.0,0.0,X", "bad_field"), ("PDLR,1,--1,0.0,A", "bad_field"),
    ("PXYZ,1,2", "bad_address"), ("WIMWV,1,T,2,M,A", "bad_address"),
])  # fmt: skip
def test_a_sentence_that_is_wrong_is_refused_with_its_reason(body: str, reason: str) -> None:
    readings, parser = read(framed(body).strip())
    assert not readings
    assert parser.rejects.counts == {reason: 1}


@pytest.mark.parametrize(("line", "reason"), [
    ("$PMHT,1,101.5*00", "checksum"), ("$PMHT,1,101.5", "checksum_missing"), ("PMHT,1,2", "garbage"),
    ("$PMHT,1,\x07", "bad_character"), ("$PMHT,1,\xe9*00", "bad_character"), ("$" + "A" * 300, "too_long"),
    ("$PMHT,1,1.0*0", "bad_address"),
])  # fmt: skip
def test_a_line_that_is_broken_is_refused_and_the_next_is_read(line: str, reason: str) -> None:
    readings, parser = read(line, HOOKS)
    assert len(readings) == 1
    assert parser.rejects.counts == {reason: 1}


@pytest.mark.parametrize("body", ["PMHT,1,3001.0,5.0", "PMHT,1,-1.0,5.0"])
def test_a_tension_that_no_hook_has_is_null_and_counted(body: str) -> None:
    (hooks,), parser = read(framed(body).strip())
    assert isinstance(hooks, Hooks)
    assert hooks.tensions_kn == [None, 5.0]
    assert parser.rejects.counts == {"out_of_range": 1}


@pytest.mark.parametrize(
    ("line", "level_m"), [("+0.532 m", 0.532), ("-0.07", -0.07), ("12.3456m", 12.3456), (" 1.0 ", 1.0)]
)
def test_a_level_is_metres(line: str, level_m: float) -> None:
    (level,), _ = read(line, is_level=True)
    assert isinstance(level, Level)
    assert level.level_m == level_m


@pytest.mark.parametrize(("line", "reason"), [
    (".532 m", "bad_field"), ("532", "bad_field"), ("32 m", "bad_field"), ("0.532 cm", "bad_field"),
    ("0.532 m 1", "bad_field"), ("nan", "bad_field"), ("99.5", "out_of_range"), ("0.53299", "bad_field"),
])  # fmt: skip
def test_a_cut_level_is_not_another_level(line: str, reason: str) -> None:
    readings, parser = read(line, is_level=True)
    assert not readings
    assert parser.rejects.counts == {reason: 1}


def test_a_line_that_the_link_cut_is_counted() -> None:
    parser = BerthAsciiParser(is_level=False)
    parser.feed(b"$PMHT,1,10")
    parser.close()
    assert parser.rejects.counts == {"cut_sentence": 1}
    assert len(parser.feed((HOOKS + "\r\n").encode())) == 1


@given(st.lists(st.binary(max_size=60)), st.booleans())
def test_any_bytes_are_readings_or_counted(chunks: list[bytes], is_level: bool) -> None:  # noqa: FBT001 - drawn
    parser = BerthAsciiParser(is_level=is_level)
    for chunk in chunks:
        assert all(isinstance(reading, Hooks | Laser | Level) for reading in parser.feed(chunk))
        assert len(parser._line) <= MAX_LINE_BYTES
    parser.close()
    assert set(parser.rejects.counts) <= set(REASONS)
    if b"".join(chunks).strip(b"\r\n"):
        assert parser.rejects.counts or is_level


STREAM = (HOOKS + "\r\n$PDLR,1,12.34,0.052,A*79\r\n" + "$" * 200 + "\r\n" + HOOKS + "\n").encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_chunking_never_matters(cuts: list[int]) -> None:
    whole, parts = BerthAsciiParser(is_level=False), BerthAsciiParser(is_level=False)
    expected = whole.feed(STREAM)
    found: list[Reading] = []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in itertools.pairwise(edges):
        found += parts.feed(STREAM[start:end])
    assert found == expected
    assert len(expected) == 3
    assert parts.rejects.counts == whole.rejects.counts == {"too_long": 1}
