"""Bytes of an NMEA 0183 source → payloads: framing, AIS assembly, and one parser a sentence type.

Sans-io: it is told the time. It never raises on what arrives; what is not understood is counted by reason with one
sampled line, what is understood but not wanted is counted by sentence type.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from contracts.errors import PeerError
from contracts.payloads import Payload
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import AisAssembler
from edge_agent.parsers.depth import parse_dbt, parse_dpt
from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.rejects import RejectLedger
from edge_agent.parsers.wind import parse_mwd, parse_mwv

PARSERS: dict[bytes, Callable[[list[bytes]], Payload]] = {
    b"MWV": parse_mwv,
    b"MWD": parse_mwd,
    b"DPT": parse_dpt,
    b"DBT": parse_dbt,
}
"""Parser of each sentence type. AIS (VDM, VDO) is not here: its sentences are assembled first."""

MAX_IGNORED_TYPES = 64
"""Sentence types counted by name; a device sends about twenty. More are counted together as ``other``."""

_PROPRIETARY = ord("P")


@dataclass(frozen=True, slots=True)
class Decoded:
    """One payload and the sentence it came from; the sentences of a multi-part message are joined by line feeds."""

    payload: Payload
    raw: str


class NmeaDecoder:
    """Decoder of one byte stream.

    Args:
        max_sentence_bytes: longest sentence accepted, 82 to 4,096 bytes.
        fragment_window_s: how long a part of an AIS message waits for the others, s.

    Attributes:
        rejected: what was discarded, by reason (``edge_agent.parsers.rejects.REASONS``).
        ignored: well-formed sentences that no parser is registered for, by type.
        samples: the newest discarded line of each reason.
    """

    def __init__(self, *, max_sentence_bytes: int = 512, fragment_window_s: float = 2.0) -> None:
        self._ledger = RejectLedger()
        self._framer = SentenceFramer(self._ledger, max_sentence_bytes=max_sentence_bytes)
        self._assembler = AisAssembler(self._ledger, window_s=fragment_window_s)
        self.rejected: Counter[str] = self._ledger.counts
        self.samples: dict[str, str] = self._ledger.samples
        self.ignored: Counter[str] = Counter()

    @property
    def lines(self) -> int:
        """Lines that held anything, comments included."""
        return self._framer.lines

    def feed(self, data: bytes, now_ns: int) -> list[Decoded]:
        """Return what ``data`` completes, in order.

        Args:
            data: bytes as they were read, in chunks of any size.
            now_ns: monotonic time, ns, never falling.
        """
        return self._decode(self._framer.feed(data), now_ns)

    def tick(self, now_ns: int) -> None:
        """Give up parts that have waited longer than the window; to be called about once a second."""
        self._assembler.expire(now_ns)

    def close(self, now_ns: int) -> list[Decoded]:
        """End of input: decode a last line without line end, count what never became complete."""
        decoded = self._decode(self._framer.close(), now_ns)
        self._assembler.close()
        return decoded

    def _decode(self, sentences: list[Sentence], now_ns: int) -> list[Decoded]:
        decoded: list[Decoded] = []
        for sentence in sentences:
            address = sentence.fields[0]
            kind = address[-3:]
            try:
                if kind == b"VDM" or kind == b"VDO":  # noqa: PLR1714 - a third faster than a tuple, once a sentence
                    message = self._assembler.add(sentence, now_ns)
                    if message is not None:
                        decoded.append(Decoded(decode_ais(message), message.raw))
                elif address[0] != _PROPRIETARY and kind in PARSERS:
                    decoded.append(Decoded(PARSERS[kind](sentence.fields), sentence.raw))
                else:
                    self._ignore(address)
            except PeerError as exc:
                self._ledger.add(exc.reason, sentence.raw)
        return decoded

    def _ignore(self, address: bytes) -> None:
        kind = (address if address[0] == _PROPRIETARY else address[-3:]).decode("ascii")
        if kind not in self.ignored and len(self.ignored) >= MAX_IGNORED_TYPES:
            kind = "other"
        self.ignored[kind] += 1
