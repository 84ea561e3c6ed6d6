r"""Sentences ↔ datagrams of IEC 61162-450 (LWE): ``UdPbC\0``, and before each sentence a TAG block. Sans-io.

Several sentences share a datagram as long as they fit an Ethernet frame; the parts of one AIS message are never parted
and carry a group (``g:``). Each sentence has the source (``s:``) and a counter (``n:``), by which a receiver sees what
the network lost.

*Source:* IEC 61162-450:2018 clause 7.2 (header, ``s``, ``n``, ``g``); NMEA 0183 v4.10 clause 7 (TAG block).
"""

import re
from collections.abc import Iterable, Iterator

from contracts.errors import ConfigError
from edge_agent.parsers.tag_block import checksum

HEADER = b"UdPbC\0"
FOREIGN_HEADERS = (b"RaUdP\0", b"RrUdP\0", b"NkPgN\0")
"""Binary images and NMEA 2000 messages on the same groups: no sentences."""

MAX_DATAGRAM_BYTES = 1472
"""What an Ethernet frame of 1,500 bytes leaves for UDP over IPv4."""

LAST_LINE_NO = 999
LAST_GROUP = 99

_SOURCE = re.compile(r"[A-Z]{2}\d{4}\Z")
_PARTS = re.compile(rb"[!$]..VD[MO],([2-9]),([1-9]),([0-9]?),([^,]*),")


class Iec450Encoder:
    """Encoder of one sender.

    Args:
        source: system function id: two letters and four digits ("AI0001").

    Raises:
        ConfigError: the source has another form.
    """

    def __init__(self, source: str) -> None:
        if _SOURCE.match(source) is None:
            raise ConfigError("name sender", source, "not two letters and four digits", "for example AI0001", "source")
        self._source = source.encode("ascii")
        self._line_no = 0
        self._group = 0

    def encode(self, sentences: Iterable[bytes]) -> list[bytes]:
        """Return the datagrams that carry ``sentences``, in order.

        Args:
            sentences: sentences with or without line end, the parts of a message one after the other; at most
                ``MAX_DATAGRAM_BYTES`` less header and TAG block each (a longer one is sent alone and cut by nobody).
        """
        datagrams: list[bytes] = []
        current = HEADER
        for message in _messages(sentences):
            lines = self._lines(message)
            if len(current) + len(lines) > MAX_DATAGRAM_BYTES and current != HEADER:
                datagrams.append(current)
                current = HEADER
            current += lines
        if current != HEADER:
            datagrams.append(current)
        return datagrams

    def _lines(self, message: list[bytes]) -> bytes:
        if len(message) > 1:
            self._group = self._group % LAST_GROUP + 1
        lines = b""
        for number, sentence in enumerate(message, 1):
            self._line_no = self._line_no % LAST_LINE_NO + 1
            tag = b"s:%b,n:%d" % (self._source, self._line_no)
            if len(message) > 1:
                tag = b"g:%d-%d-%d,%b" % (number, len(message), self._group, tag)
            lines += b"\\%b*%02X\\%b\r\n" % (tag, checksum(tag), sentence)
        return lines


def split_datagram(datagram: bytes) -> bytes | None:
    """Return the sentences of a datagram, each ended by a line end; None if it holds no sentences.

    Args:
        datagram: as received; one without the header of the standard is taken for bare sentences.
    """
    if datagram.startswith(FOREIGN_HEADERS):
        return None
    sentences = datagram.removeprefix(HEADER)
    return sentences if sentences.endswith(b"\n") else sentences + b"\n"


def _messages(sentences: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Sentences that follow each other as parts 1 to n of one message are one message."""
    held: list[bytes] = []
    expected: tuple[bytes, int, bytes, bytes] | None = None
    for line in sentences:
        sentence = line.rstrip(b"\r\n")
        if not sentence:
            continue
        found = _PARTS.match(sentence)
        part = (found[1], int(found[2]), found[3], found[4]) if found else None
        if part is None or part != (expected or (part[0], 1, *part[2:])):
            if held:
                yield held
            held, expected = [], None
        held.append(sentence)
        if part is None or part[1] == int(part[0]):
            yield held
            held, expected = [], None
        else:
            expected = (part[0], part[1] + 1, part[2], part[3])
    if held:
        yield held
