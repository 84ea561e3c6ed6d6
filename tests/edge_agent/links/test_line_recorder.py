"""Recording: everything that arrived, a line a line, in any chunking."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.links.line_recorder import MAX_LINE_BYTES, LineRecorder
from edge_agent.links.timed_line import parse_timed

AT_NS = 1_795_500_000_000_000_000


def test_each_line_has_the_time_at_which_it_was_complete() -> None:
    recorder = LineRecorder()
    assert recorder.feed(b"$A*00\r\n$B", AT_NS) == [b"1795500000.000000 $A*00\n"]
    assert recorder.feed(b"*00\n\r\n", AT_NS + 5_000_000) == [b"1795500000.005000 $B*00\n"]
    assert recorder.feed(b"cut", AT_NS) == []
    assert recorder.close(AT_NS) == [b"1795500000.000000 cut\n"]
    assert (recorder.lines, recorder.cut) == (3, 0)
    assert recorder.close(AT_NS) == []


def test_what_has_no_line_end_is_cut_into_lines_and_the_buffer_stays_bounded() -> None:
    recorder = LineRecorder()
    lines = [line for _ in range(100) for line in recorder.feed(b"\xff" * 1000, AT_NS)]
    assert len(recorder._tail) < MAX_LINE_BYTES
    assert len(lines) == recorder.cut == 100_000 // MAX_LINE_BYTES
    lines += recorder.close(AT_NS)
    assert sum(len(parsed[1]) for line in lines if (parsed := parse_timed(line))) == 100_000


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_chunking_never_matters(chunks: list[bytes]) -> None:
    whole = LineRecorder()
    expected = whole.feed(b"".join(chunks), AT_NS) + whole.close(AT_NS)
    pieces = LineRecorder()
    lines = [line for chunk in chunks for line in pieces.feed(chunk, AT_NS)] + pieces.close(AT_NS)
    assert lines == expected
