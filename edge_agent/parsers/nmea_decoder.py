"""Bytes of an NMEA 0183 source → payloads: framing, AIS assembly, and one parser a sentence type.

Sans-io: it is told the time. It never raises on what arrives; what is not understood is counted by reason with one
sampled line, what is understood but not wanted is counted by sentence type.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from contracts.errors import PeerError
from contracts.payloads import Payload
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import DEFAULT_WINDOW_S, AisMessage
from edge_agent.parsers.depth import parse_dbt, parse_dpt
from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.position import parse_gga, parse_gst, parse_rmc, parse_zda
from edge_agent.parsers.radar import parse_osd, parse_rsd, parse_tlb, parse_tll, parse_ttm
from edge_agent.parsers.radar_tracks import parse_ttd
from edge_agent.parsers.readings import Readings
from edge_agent.parsers.rejects import RejectLedger
from edge_agent.parsers.vdm_stream import VdmStream
from edge_agent.parsers.water import parse_mtw, parse_vhw
from edge_agent.parsers.weather import parse_mda, parse_xdr
from edge_agent.parsers.wind import parse_mwd, parse_mwv

PARSERS: dict[bytes, Callable[[list[bytes]], Payload]] = {
    b"MWV": parse_mwv,
    b"MWD": parse_mwd,
    b"DPT": parse_dpt,
    b"DBT": parse_dbt,
    b"MTW": parse_mtw,
    b"VHW": parse_vhw,
    b"GGA": parse_gga,
    b"RMC": parse_rmc,
    b"ZDA": parse_zda,
    b"GST": parse_gst,
    b"TTM": parse_ttm,
    b"TLL": parse_tll,
    b"OSD": parse_osd,
    b"RSD": parse_rsd,
}
"""Parser of each sentence type. AIS (VDM, VDO) is not here: its sentences are assembled first."""

SERIES_PARSERS: dict[bytes, Callable[[list[bytes]], Readings]] = {
    b"MDA": parse_mda,
    b"XDR": parse_xdr,
    b"TLB": parse_tlb,
    b"TTD": parse_ttd,
}
"""Parser of each sentence type that carries several values; what is wrong with one of them never takes the others."""

MAX_IGNORED_TYPES = 64
"""Sentence types counted by name; a device sends about twenty. More are counted together as ``other``."""

_PROPRIETARY = ord("P")
_WRAPPER = b"PGHP"


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One payload and the sentence it came from.

    Attributes:
        payload: what was observed.
        raw: the sentence; those of a multi-part message are joined by line feeds.
        arrived_ns: ``now_ns`` of the bytes that completed it. A message of several parts is certain, and given, only
            when no other part can come.
        receiver: station that heard it, if the stream says so (TAG block, wrapper or suffix).
        sensor_time_ns: when it was heard by that station's clock, UTC ns since 1970.
    """

    payload: Payload
    raw: str
    arrived_ns: int = 0
    receiver: str | None = None
    sensor_time_ns: int | None = None


class NmeaDecoder:
    """Decoder of one byte stream.

    Args:
        max_sentence_bytes: longest sentence accepted, 82 to 4,096 bytes.
        fragment_window_s: longest time between two parts of an AIS message, s.
        is_lenient: the dialect ``gofree`` is spoken: its malformations are repaired, by name, instead of rejected.

    Attributes:
        rejected: what was discarded, by reason (``edge_agent.parsers.rejects.REASONS``).
        ignored: well-formed sentences that no parser is registered for, by type.
        repaired: repairs made in a lenient dialect, by name (``edge_agent.parsers.vdm_repairs.REPAIRS``).
        samples: the newest discarded line of each reason.
    """

    def __init__(
        self, *, max_sentence_bytes: int = 512, fragment_window_s: float = DEFAULT_WINDOW_S, is_lenient: bool = False
    ) -> None:
        self._ledger = RejectLedger()
        self._framer = SentenceFramer(self._ledger, max_sentence_bytes=max_sentence_bytes, is_lenient=is_lenient)
        self._vdm = VdmStream(self._ledger, window_s=fragment_window_s, is_lenient=is_lenient)
        self.rejected: Counter[str] = self._ledger.counts
        self.samples: dict[str, str] = self._ledger.samples
        self.ignored: Counter[str] = Counter()
        self.repaired: Counter[str] = self._vdm.repaired

    @property
    def used(self) -> dict[str, int]:
        """Sentences that are no record of their own and were used for the one behind them, by type."""
        return {"PGHP": self._vdm.wrappers} if self._vdm.wrappers else {}

    @property
    def due_ns(self) -> int | None:
        """Monotonic time from which ``tick`` may give something, None if nothing waits."""
        return self._vdm.due_ns

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
        decoded = self._decode(self._framer.feed(data), now_ns)
        # after the bytes: a part that waited in a buffer of the kernel is in time
        self._take(self._vdm.take(now_ns), decoded)
        return decoded

    def tick(self, now_ns: int) -> list[Decoded]:
        """Return the messages of which no other part can come by now; to be called at ``due_ns``."""
        decoded: list[Decoded] = []
        self._take(self._vdm.take(now_ns), decoded)
        return decoded

    def close(self, now_ns: int) -> list[Decoded]:
        """End of input: decode a last line without line end, count what never became complete."""
        decoded = self._decode(self._framer.close(), now_ns)
        self._take(self._vdm.close(), decoded)
        return decoded

    def _decode(self, sentences: list[Sentence], now_ns: int) -> list[Decoded]:
        decoded: list[Decoded] = []
        for sentence in sentences:
            address = sentence.fields[0]
            kind = address[-3:]
            try:
                if kind == b"VDM" or kind == b"VDO":  # noqa: PLR1714 - a third faster than a tuple, once a sentence
                    message = self._vdm.add(sentence, now_ns)
                    if message is not None:
                        decoded.append(_decoded_ais(message))
                elif address[0] != _PROPRIETARY and kind in PARSERS:
                    decoded.append(Decoded(PARSERS[kind](sentence.fields), sentence.raw, now_ns))
                elif address[0] != _PROPRIETARY and kind in SERIES_PARSERS:
                    decoded += self._read_series(SERIES_PARSERS[kind](sentence.fields), sentence.raw, now_ns)
                elif address == _WRAPPER:
                    self._vdm.add_wrapper(sentence)
                else:
                    self._ignore(address)
            except PeerError as exc:
                self._ledger.add(exc.reason, sentence.raw)
        return decoded

    def _take(self, messages: list[AisMessage], decoded: list[Decoded]) -> None:
        for message in messages:
            try:
                decoded.append(_decoded_ais(message))
            except PeerError as exc:
                self._ledger.add(exc.reason, message.raw)

    def _read_series(self, readings: Readings, raw: str, now_ns: int) -> list[Decoded]:
        for fault in readings.faults:
            self._ledger.add(fault.reason, raw)
        return [Decoded(payload, raw, now_ns) for payload in readings.payloads]

    def _ignore(self, address: bytes) -> None:
        kind = (address if address[0] == _PROPRIETARY else address[-3:]).decode("ascii")
        if kind not in self.ignored and len(self.ignored) >= MAX_IGNORED_TYPES:
            kind = "other"
        self.ignored[kind] += 1


def _decoded_ais(message: AisMessage) -> Decoded:
    return Decoded(decode_ais(message), message.raw, message.arrived_ns, message.receiver, message.heard_ns)
