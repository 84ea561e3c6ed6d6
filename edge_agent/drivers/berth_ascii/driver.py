"""A berth cabinet or tide gauge that sends lines of text by itself, over any byte link."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from contracts.payloads import WaterLevel
from edge_agent import clock
from edge_agent.drivers.berth.mooring import complete_berth
from edge_agent.drivers.berth_ascii.sample_policy import BerthRound
from edge_agent.drivers.ports import Sink
from edge_agent.drivers.vitals import Vitals
from edge_agent.links.ports import Link
from edge_agent.links.registry import make_link
from edge_agent.parsers.berth_ascii import BerthAsciiParser, Level, Reading
from firmware_configs.hardware_profile import BerthAsciiSource
from firmware_configs.links import TcpLink

READ_WAIT_S = 1.0
"""Longest wait for bytes before the driver says that it is alive."""
OPEN_TIMEOUT_S = 10.0
"""Opening a serial port or a socket; a USB adapter that is just plugged in takes seconds."""
NOT_REJECTIONS = frozenset({"bytes", "datagrams", "lines", "opens"})
"""Counters of a link that count what went well."""


class BerthAsciiSession:
    """Reads lines from one link.

    Args:
        source: its settings.
        link: where the bytes come from.
        sink: takes the payloads.
        vitals: signs of life.
    """

    def __init__(self, source: BerthAsciiSource, link: Link, sink: Sink, vitals: Vitals) -> None:
        self._source = source
        self._link = link
        self._sink = sink
        self._vitals = vitals
        self._parser = BerthAsciiParser(is_level=source.protocol == "level")
        self._round = BerthRound()
        connect_s = source.link.connect_timeout_s if isinstance(source.link, TcpLink) else 0.0
        self._open_timeout_s = max(OPEN_TIMEOUT_S, connect_s + 1.0)
        self._log = structlog.get_logger().bind(source=source.source)
        vitals.count_from(lambda: self._parser.rejects.counts)
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
            self._vitals.touch(clock.now().mono_ns / 1e9)
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
            for reading in self._parser.feed(data or b""):
                self._put(reading, at)

    async def close(self) -> None:
        """Close the link; a line that it cut is counted."""
        await self._link.close()
        self._parser.close()
        rejects = self._parser.rejects
        if rejects.counts:
            self._log.info("rejected_so_far", counts=dict(rejects.counts), samples=dict(rejects.samples))

    def _put(self, reading: Reading, at: clock.Moment) -> None:
        raw = reading.raw if self._source.keep_raw else None
        if isinstance(reading, Level):
            level_m = round(reading.level_m + self._source.level_offset_m, 4)
            self._sink.put(WaterLevel(level_m=level_m), raw, at)
            return
        sample = self._round.take(reading, at.mono_ns)
        if sample is not None:
            self._sink.put(complete_berth(sample, self._source.line_breaking_load_kn), raw, at)

    def _link_rejections(self) -> Mapping[str, int]:
        return {name: count for name, count in self._link.counters.items() if name not in NOT_REJECTIONS}


def make_berth_ascii_session(source: BerthAsciiSource, sink: Sink, vitals: Vitals) -> BerthAsciiSession:
    """Return the session of one source.

    Args:
        source: its settings.
        sink: takes the payloads.
        vitals: signs of life.
    """
    return BerthAsciiSession(source, make_link(source.link), sink, vitals)
