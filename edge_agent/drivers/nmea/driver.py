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
from firmware_configs.links import TcpLink

READ_WAIT_S = 1.0
"""Longest wait for bytes before the driver says that it is alive and gives up parts that waited too long."""

OPEN_TIMEOUT_S = 10.0
"""Opening a serial port or a socket; a USB adapter that is just plugged in takes seconds."""

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
            max_sentence_bytes=source.max_sentence_bytes, fragment_window_s=source.fragment_window_s
        )
        connect_s = source.link.connect_timeout_s if isinstance(source.link, TcpLink) else 0.0
        self._open_timeout_s = max(OPEN_TIMEOUT_S, connect_s + 1.0)
        self._log = structlog.get_logger().bind(source=source.source)
        vitals.count_from(lambda: self._decoder.rejected)
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
        ticked_at_ns = clock.now().mono_ns
        while True:
            await self._sink.room()
            self._vitals.touch(clock.now().mono_ns / _NS)
            data: bytes | None = None
            try:
                async with asyncio.timeout(READ_WAIT_S):
                    data = await self._link.read()
            except TimeoutError:
                pass  # silent hardware is not a fault here: the link has its own silence timeout
            at = clock.now()
            if data == b"":
                return
            proven()
            if data:
                self._put(self._decoder.feed(data, at.mono_ns), at)
            if at.mono_ns - ticked_at_ns >= _NS:
                ticked_at_ns = at.mono_ns
                self._decoder.tick(at.mono_ns)

    async def close(self) -> None:
        """Close the link and put what a last line without end held."""
        await self._link.close()
        at = clock.now()
        self._put(self._decoder.close(at.mono_ns), at)
        if self._decoder.rejected:
            # one line a lost link, not one a discard: counts are in every heartbeat, the sample is for the technician
            self._log.info("rejected_so_far", counts=dict(self._decoder.rejected), samples=dict(self._decoder.samples))

    def _put(self, decoded: Sequence[Decoded], at: clock.Moment) -> None:
        for item in decoded:
            payload, alarm = self._derivation.apply(item, at.wall_ns, at.mono_ns)
            self._sink.put(payload, item.raw if self._keep_raw else None, at)
            if alarm is not None:
                self._sink.put(alarm, item.raw, at)
        self._vitals.note_clock(self._derivation.reference())

    def _link_rejections(self) -> Mapping[str, int]:
        return {name: count for name, count in self._link.counters.items() if name not in NOT_REJECTIONS}


def make_nmea_session(source: NmeaSource, sink: Sink, vitals: Vitals) -> NmeaSession:
    """Return the session of one source.

    Args:
        source: its settings.
        sink: takes the payloads.
        vitals: signs of life.
    """
    return NmeaSession(source, make_link(source.link), sink, vitals)
