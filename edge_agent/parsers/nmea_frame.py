r"""Bytes in any chunking → sentences of IEC 61162-1 (NMEA 0183), each with a checked checksum.

A sentence begins with ``$`` or ``!`` and ends at the end of its line (CR LF or LF). Both characters are reserved, so
one inside a line begins a new sentence and everything before it was cut short. A TAG block ``\...\`` before a
sentence is read and kept with it. What is no sentence is counted by reason, never raised: any bytes can
arrive on a wire.

It refuses to guess: a sentence without a checksum, or with a wrong one, is no sentence.

*Source:* IEC 61162-1:2016 clause 7 (sentence structure); NMEA 0183 v4.10 clause 7 (TAG block); the suffix
``*hh,rSTATION,TIME`` is that of the US Coast Guard's network.
"""

import re

import msgspec

from edge_agent.parsers.rejects import RejectLedger
from edge_agent.parsers.tag_block import HEX, MAX_TAG_BYTES, TagBlock, checksum, read_suffix, read_tag

_SEGMENT = re.compile(rb"((?:\\[^\\!$]*\\)*)([!$][^!$\\]*)")
_ADDRESS = re.compile(rb"(?:--|[A-Z][A-Z0-9])[A-Z0-9]{1,8}\Z")
"""Letters and digits; ``--`` is how national networks write a talker that they do not know."""

MAX_ADDRESSES = 256
"""Addresses that need no second look: a device sends about twenty, a network a hundred. More are checked each time."""

_COMMA = ord(",")
_PADDING = b" \t\r\0"


class Sentence(msgspec.Struct, frozen=True, gc=False):
    """One sentence whose checksum is right.

    Attributes:
        fields: comma-separated fields; the first is the address (``AIVDM``), without ``$`` or ``!``.
        raw: the sentence as received, with its TAG block.
        tag: what its TAG block says, else the suffix behind its checksum.
    """

    fields: list[bytes]
    raw: str
    tag: TagBlock | None = None


class SentenceFramer:
    """Cuts a byte stream into sentences; chunking never changes what comes out.

    Args:
        ledger: where what is discarded is counted.
        max_sentence_bytes: longest sentence accepted. The standard says 82, real receivers send more.
        is_lenient: a sentence behind a wrong TAG block is used without it, instead of rejected.

    The buffer holds at most the last ``max_sentence_bytes + MAX_TAG_BYTES`` bytes of a line; a longer line is counted
    as ``too_long``, and a sentence at its end is still found.
    """

    def __init__(self, ledger: RejectLedger, *, max_sentence_bytes: int = 512, is_lenient: bool = False) -> None:
        self._ledger = ledger
        self._is_lenient = is_lenient
        self._max_sentence_bytes = max_sentence_bytes
        self._max_line_bytes = max_sentence_bytes + MAX_TAG_BYTES
        self._tail = b""
        self._is_truncated = False
        self._addresses: set[bytes] = set()
        self.lines = 0
        self.comments = 0

    def feed(self, data: bytes) -> list[Sentence]:
        """Return the sentences whose lines are completed by ``data``, in order."""
        found: list[Sentence] = []
        *lines, tail = (self._tail + data).split(b"\n")
        for line in lines:
            self._end_line(line, found)
        if len(tail) > self._max_line_bytes:
            tail = tail[-self._max_line_bytes :]
            self._is_truncated = True
        self._tail = tail
        return found

    def close(self) -> list[Sentence]:
        """Take what is buffered as the last line: the input has ended."""
        return self.feed(b"\n")

    def _end_line(self, line: bytes, found: list[Sentence]) -> None:
        is_truncated = self._is_truncated or len(line) > self._max_line_bytes
        self._is_truncated = False
        if is_truncated:
            line = line[-self._max_line_bytes :]
            self._ledger.add("too_long", line)
        line = line.rstrip(_PADDING)
        if not line:
            return
        self.lines += 1
        if line[0] in b"$!" and line.find(b"!", 1) < 0 and line.find(b"$", 1) < 0:
            self._take(line, None, found)
        elif line[0] == ord("#") and not is_truncated and (line[1:2] in b" \t" or _SEGMENT.search(line) is None):
            # a comment: recordings carry them, no device sends one; noise right before a sentence is none
            self.comments += 1
        else:
            self._search(line, found, is_truncated=is_truncated)

    def _search(self, line: bytes, found: list[Sentence], *, is_truncated: bool) -> None:
        segments = list(_SEGMENT.finditer(line))
        outside = _SEGMENT.sub(b"", line).strip(_PADDING)
        if outside and not is_truncated:
            self._ledger.add("garbage", line)
        for segment in segments:
            text = segment[2].rstrip(_PADDING)
            star = text.rfind(b"*")
            if segment is not segments[-1] and _checksum_fault(text, star, text[1:star]) is not None:
                self._ledger.add("cut_sentence", line)
            else:
                self._take(text, segment[1][1:-1] or None, found)

    def _take(self, text: bytes, tag: bytes | None, found: list[Sentence]) -> None:
        star = text.rfind(b"*")
        body = text[1:star]
        fault = "too_long" if len(text) > self._max_sentence_bytes else _checksum_fault(text, star, body)
        if fault is not None:
            self._ledger.add(fault, text)
            return
        suffix = text[star + 3 :]
        if suffix and suffix[0] != _COMMA:
            self._ledger.add("garbage", text)
            text, suffix = text[: star + 3], b""
        raw = text.decode("latin-1")
        fields = body.split(b",")
        if not (raw.isascii() and raw.isprintable()):
            self._ledger.add("bad_character", text)
        elif fields[0] not in self._addresses and not self._is_address(fields[0]):
            self._ledger.add("bad_address", text)
        elif tag is None:
            found.append(Sentence(fields, raw, read_suffix(suffix) if suffix else None))
        else:
            self._take_tagged(fields, raw, tag, found)

    def _is_address(self, field: bytes) -> bool:
        if _ADDRESS.match(field) is None:
            return False
        if len(self._addresses) < MAX_ADDRESSES:
            self._addresses.add(field)
        return True

    def _take_tagged(self, fields: list[bytes], raw: str, tag: bytes, found: list[Sentence]) -> None:
        block = read_tag(tag)
        if block is not None:
            found.append(Sentence(fields, f"\\{tag.decode('ascii')}\\{raw}", block))
            return
        self._ledger.add("tag_checksum", b"\\%b\\%b" % (tag, raw.encode("ascii")))
        if self._is_lenient:
            found.append(Sentence(fields, raw))


def _checksum_fault(text: bytes, star: int, body: bytes) -> str | None:
    given = HEX.get(text[star + 1 : star + 3]) if star > 0 else None
    if given is None:
        return "checksum_missing"
    return None if checksum(body) == given else "checksum"
