"""Bytes in any chunking → lines of a recording. Sans-io.

Everything that arrived is in the recording, byte for byte, garbage and line ends included: it is evidence of what the
wire carried. Joined again, the pieces are what was fed.
"""

from edge_agent.links.timed_line import format_timed

MAX_LINE_BYTES = 4096
"""Longest piece: what has no line feed (a wrong baud rate) is written in pieces of this length."""


class LineRecorder:
    """Cuts bytes behind line feeds; each piece has the time at which its last byte was read.

    Attributes:
        lines: pieces made so far.
        cut: those of them that do not end with a line feed.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._tail_at_ns = 0
        self.lines = 0
        self.cut = 0

    def feed(self, data: bytes, at_ns: int) -> list[bytes]:
        """Return the lines that ``data`` completes, each as it is to be written.

        Args:
            data: bytes as they were read.
            at_ns: time of the read, UTC ns since 1970.
        """
        *whole, tail = (self._tail + data).split(b"\n")
        lines = [line for text in whole for line in self._pieces(text + b"\n", at_ns)]
        full = len(tail) // MAX_LINE_BYTES * MAX_LINE_BYTES
        lines += self._pieces(tail[:full], at_ns)
        self._tail = tail[full:]
        if data:
            self._tail_at_ns = at_ns
        return lines

    def flush(self) -> list[bytes]:
        """Return what is buffered as a piece without line feed: nothing more came, or the link has ended."""
        tail, self._tail = self._tail, b""
        return self._pieces(tail, self._tail_at_ns)

    def _pieces(self, text: bytes, at_ns: int) -> list[bytes]:
        pieces = [text[start : start + MAX_LINE_BYTES] for start in range(0, len(text), MAX_LINE_BYTES)]
        self.cut += sum(not piece.endswith(b"\n") for piece in pieces)
        self.lines += len(pieces)
        return [format_timed(at_ns, piece) for piece in pieces]
