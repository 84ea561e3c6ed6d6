"""Bytes in any chunking → lines of a recording. Sans-io.

Everything that arrived is in the recording, garbage included: it is evidence of what the wire carried. Only line
ends (CR LF or LF) are not.
"""

from edge_agent.links.timed_line import format_timed

MAX_LINE_BYTES = 4096
"""Longest line written whole: what has no line feed (a wrong baud rate) is cut into lines of this length."""


class LineRecorder:
    """Cuts bytes into lines, each with the time at which its last byte was read.

    Attributes:
        lines: lines made so far.
        cut: lines that were cut at ``MAX_LINE_BYTES``.
    """

    def __init__(self) -> None:
        self._tail = b""
        self.lines = 0
        self.cut = 0

    def feed(self, data: bytes, at_ns: int) -> list[bytes]:
        """Return the lines that ``data`` completes, each as it is to be written.

        Args:
            data: bytes as they were read.
            at_ns: time of the read, UTC ns since 1970.
        """
        *whole, tail = (self._tail + data).split(b"\n")
        lines = [line for text in whole for line in self._lines(text, at_ns)]
        while len(tail) >= MAX_LINE_BYTES:
            lines.extend(self._lines(tail[:MAX_LINE_BYTES], at_ns))
            self.cut += 1
            tail = tail[MAX_LINE_BYTES:]
        self._tail = tail
        return lines

    def close(self, at_ns: int) -> list[bytes]:
        """Return what is buffered as a last line: the link has ended."""
        return self.feed(b"\n", at_ns) if self._tail else []

    def _lines(self, text: bytes, at_ns: int) -> list[bytes]:
        text = text.rstrip(b"\r")
        pieces = [text[start : start + MAX_LINE_BYTES] for start in range(0, len(text), MAX_LINE_BYTES)]
        self.cut += max(0, len(pieces) - 1)
        self.lines += len(pieces)
        return [format_timed(at_ns, piece) for piece in pieces]
