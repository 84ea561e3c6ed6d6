"""An AIS receiver or instrument that speaks IEC 61162-1 (NMEA 0183), over any byte link.

One decoder for the life of the process, so that its counts are totals; what was half received when a link fails is
finished or counted before the link is opened again. Fragments wait by the monotonic clock: a wall clock that is set
moves no window.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from edge_agent import clock
from edge_agent.drivers.nmea.derivation import Derivation
from edge_agent.drivers.ports import Sink
from edge_agent.drivers.vitals import Vitals
from edge_agent.links.ports import Link
from edge_agent.links.registry import make_link
from edge_agent.parsers.nmea_decoder import Decoded, NmeaDecoder
from firmware_configs.hardware_profile import NmeaSource
from firmware_configs.links import ByteLink, SerialLink, TcpLink

READ_WAIT_S = 1.0
"""Longest wait for bytes before the driver says that it is alive."""

OPEN_TIMEOUT_S = 10.0
"""Opening a serial port or a socket; a USB adapter that is just plugged in takes seconds."""

DUE_MARGIN_S = 0.001
"""Beyond the time at which parts are due: timers of the loop may fire a little early."""

SENTENCE_BITS = 82 * 10
"""Longest sentence of the standard on a serial line; the next part can be whole only so much later."""

NOT_REJECTIONS = frozenset({"bytes", "datagrams", "lines", "opens"})
"""Counters of a link that count what went well."""

_NS = 1_000_000_000


class NmeaSession:
    """Reads sentences from one link.

    Args:
        source: its settings.
        link: where the bytes come from.
        sink: takes the payloads.
        vitals: signs of life.
    """

    def __init__(self, source: NmeaSource, link: Link, sink: Sink, vitals: Vitals) -> None:
        self._link = link
        self._sink = sink
        self._vitals = vitals
        self._keep_raw = source.keep_raw
        self._derivation = Derivation(source)
        self._decoder = NmeaDecoder(
            max_sentence_bytes=source.max_sentence_bytes,
            fragment_window_s=source.fragment_window_s + _sentence_s(source.link),
            is_lenient=source.dialect == "gofree",
        )
        connect_s = source.link.connect_timeout_s if isinstance(source.link, TcpLink) else 0.0
        self._open_timeout_s = max(OPEN_TIMEOUT_S, connect_s + 1.0)
        self._log = structlog.get_logger().bind(source=source.source)
        vitals.count_from(lambda: self._decoder.rejected)
        vitals.count_from(self._repairs)
        vitals.count_from(self._link_rejections)

    @property
    def open_timeout_s(self) -> float:
        """Longest time to open the link, s."""
        return self._open_timeout_s

    async def open(self) -> None:
        """Open the link.

        Raises:
            LinkError: it cannot be used now.
        """
        await self._link.open()

    async def serve(self, proven: Callable[[], None]) -> None:
        """Read until the link fails, or a recording has ended.

        Args:
            proven: called when bytes came, or the link has stayed open for ``READ_WAIT_S`` without any.

        Raises:
            LinkError: the link failed.
        """
        while True:
            await self._sink.room()
            before_ns = clock.now().mono_ns
            self._vitals.touch(before_ns / _NS)
            data: bytes | None = None
            try:
                async with asyncio.timeout(self._wait_s(before_ns)):
                    data = await self._link.read()
            except TimeoutError:
                pass  # silent hardware is not a fault here: the link has its own silence timeout
            at = clock.now()
            if data == b"":
                return
            proven()
            if data:
                self._put(self._decoder.feed(data, at.mono_ns), at)
            else:
                self._put(self._decoder.tick(at.mono_ns), at)

    async def close(self) -> None:
        """Close the link and put what a last line without end held."""
        await self._link.close()
        at = clock.now()
        self._put(self._decoder.close(at.mono_ns), at)
        if self._decoder.rejected:
            # one line a lost link, not one a discard: counts are in every heartbeat, the sample is for the technician
            self._log.info("rejected_so_far", counts=dict(self._decoder.rejected), samples=dict(self._decoder.samples))

    def _wait_s(self, now_ns: int) -> float:
        due_ns = self._decoder.due_ns
        if due_ns is None:
            return READ_WAIT_S
        return min(READ_WAIT_S, max(0.0, (due_ns - now_ns) / _NS) + DUE_MARGIN_S)

    def _put(self, decoded: Sequence[Decoded], at: clock.Moment) -> None:
        for item in decoded:
            payload, alarm = self._derivation.apply(item, at.wall_ns, at.mono_ns)
            self._sink.put(payload, item.raw if self._keep_raw else None, at)
            if alarm is not None:
                self._sink.put(alarm, item.raw, at)
        self._vitals.note_clock(self._derivation.reference())

    def _repairs(self) -> Mapping[str, int]:
        return {f"repaired_{name}": count for name, count in self._decoder.repaired.items()}

    def _link_rejections(self) -> Mapping[str, int]:
        return {name: count for name, count in self._link.counters.items() if name not in NOT_REJECTIONS}


def _sentence_s(link: ByteLink) -> float:
    """Time that a sentence takes on its line, s: 21 ms at the 38,400 baud of AIS, 171 ms at 4,800."""
    return SENTENCE_BITS / link.baud if isinstance(link, SerialLink) else 0.0


def make_nmea_session(source: NmeaSource, sink: Sink, vitals: Vitals) -> NmeaSession:
    """Return the session of one source.

    Args:
        source: its settings.
        sink: takes the payloads.
        vitals: signs of life.
    """
    return NmeaSession(source, make_link(source.link), sink, vitals)
