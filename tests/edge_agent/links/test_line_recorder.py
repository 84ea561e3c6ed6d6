"""Recording: everything that arrived, byte for byte, in any chunking."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.links.line_recorder import MAX_LINE_BYTES, LineRecorder
from edge_agent.links.timed_line import parse_timed

AT_NS = 1_795_500_000_000_000_000


def wire(lines: list[bytes]) -> bytes:
    """Return what a recording says was on the wire."""
    parsed = [parse_timed(line) for line in lines]
    return b"".join(piece[1] for piece in parsed if piece is not None)


def test_each_line_has_the_time_at_which_it_was_complete() -> None:
    recorder = LineRecorder()
    assert recorder.feed(b"$A*00\r\n$B", AT_NS) == [b"1795500000.000000 $A*00\r\n"]
    assert recorder.feed(b"*00\n\r\n", AT_NS + 5_000_000) == [
        b"1795500000.005000 $B*00\n", b"1795500000.005000 \r\n",
    ]  # fmt: skip
    assert recorder.feed(b"cut", AT_NS) == []
    assert recorder.flush() == [b"1795500000.000000+ cut\n"]
    assert (recorder.lines, recorder.cut) == (4, 1)
    assert recorder.flush() == []


def test_what_has_no_line_end_is_cut_into_pieces_and_the_buffer_stays_bounded() -> None:
    recorder = LineRecorder()
    lines = [line for _ in range(100) for line in recorder.feed(b"\xff" * 1000, AT_NS)]
    assert len(recorder._tail) < MAX_LINE_BYTES
    assert len(lines) == recorder.cut == 100_000 // MAX_LINE_BYTES
    lines += recorder.flush()
    assert wire(lines) == b"\xff" * 100_000


PIECE = st.one_of(st.binary(max_size=30), st.sampled_from([b"\r\n", b"\n", b"\r", b"x" * 5000]))


@given(st.lists(PIECE, max_size=20))
def test_chunking_never_matters(chunks: list[bytes]) -> None:
    whole = LineRecorder()
    expected = whole.feed(b"".join(chunks), AT_NS) + whole.flush()
    pieces = LineRecorder()
    lines = [line for chunk in chunks for line in pieces.feed(chunk, AT_NS)] + pieces.flush()
    assert lines == expected


@given(st.lists(st.tuples(PIECE, st.booleans()), max_size=20))
def test_the_pieces_joined_are_what_was_on_the_wire_wherever_silence_fell(chunks: list[tuple[bytes, bool]]) -> None:
    recorder = LineRecorder()
    lines: list[bytes] = []
    for chunk, is_silent_after in chunks:
        lines += recorder.feed(chunk, AT_NS)
        if is_silent_after:
            lines += recorder.flush()
    lines += recorder.flush()
    assert wire(lines) == b"".join(chunk for chunk, _ in chunks)
    assert all(line.count(b"\n") == 1 for line in lines)
