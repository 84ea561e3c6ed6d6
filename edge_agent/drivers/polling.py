"""Polls a PLC at a steady rate and puts what has changed: the session of every register-mapped driver.

Polls keep their phase whatever a poll takes; slots that were missed are counted, not made up. A PLC that answers with
an exception stays connected and is asked again at its next slot; one that is silent is a lost link.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from contracts.errors import PeerError
from edge_agent import clock
from edge_agent.drivers.poll_schedule import PollSchedule
from edge_agent.drivers.ports import PlcReader, Sink
from edge_agent.drivers.vitals import Vitals
from edge_agent.parsers.register_sample import ChangeFilter, SampleDecoder
from firmware_configs.registers import RegisterMap

NS = 1_000_000_000
_SIGN_INTERVAL_NS = NS


class PollingSession:
    """Reads one PLC by its map.

    Args:
        reader: the PLC.
        register_map: a map that ``fit_map`` returned.
        sample_hz: polls a second, > 0.
        heartbeat_s: an unchanged sample is put again after this time, s.
        open_timeout_s: longest time to connect, s.
        sink: takes the samples.
        vitals: signs of life.
        source: driver instance id, for the log.
    """

    def __init__(
        self, reader: PlcReader, register_map: RegisterMap, sample_hz: float, heartbeat_s: float,
        open_timeout_s: float, sink: Sink, vitals: Vitals, source: str,
    ) -> None:  # fmt: skip
        self._reader = reader
        self._decoder = SampleDecoder(register_map)
        self._period_ns = round(NS / sample_hz)
        # half a period early: a poll that comes a hair before the heartbeat is due would put it off by a whole one
        self._filter = ChangeFilter(register_map, round(heartbeat_s * NS) - self._period_ns // 2)
        self._open_timeout_s = open_timeout_s
        self._sink = sink
        self._vitals = vitals
        self._counts: Counter[str] = Counter()
        self._log = structlog.get_logger().bind(source=source)
        vitals.count_from(self.counts)

    @property
    def open_timeout_s(self) -> float:
        """Longest time to connect, s."""
        return self._open_timeout_s

    def counts(self) -> Mapping[str, int]:
        """Return what was refused since the start: values that became null, exceptions of the PLC, missed polls."""
        return self._decoder.rejected + self._counts

    async def open(self) -> None:
        """Connect to the PLC.

        Raises:
            LinkError: it is not reachable.
        """
        await self._reader.open()

    async def serve(self, proven: Callable[[], None]) -> None:
        """Poll until the link fails.

        Args:
            proven: called at each answer, an exception of the PLC included.

        Raises:
            LinkError: the PLC is silent or gone.
        """
        schedule = PollSchedule(self._period_ns, clock.now().mono_ns)
        while True:
            await self._sink.room()
            await self._poll(proven)
            due_ns = schedule.next_due(clock.now().mono_ns)
            self._counts["missed_poll"] += schedule.take_missed()
            await self._wait_until(due_ns)

    async def close(self) -> None:
        """Disconnect."""
        await self._reader.close()

    async def _poll(self, proven: Callable[[], None]) -> None:
        self._touch()
        try:
            answers = {block: await self._reader.read(block) for block in self._decoder.reads}
        except PeerError as exc:
            proven()
            self._counts[exc.reason] += 1
            if self._vitals.note_error(str(exc)):
                self._log.warning("plc_refuses", cause=str(exc), reason=exc.reason)
            return
        proven()
        if self._vitals.note_error(""):
            self._log.info("plc_answers_again")
        at = clock.now()
        sample = self._decoder.decode(answers)
        if self._filter.is_due(sample, at.mono_ns):
            self._sink.put(sample, None, at)

    async def _wait_until(self, due_ns: int) -> None:
        while (left_ns := due_ns - clock.now().mono_ns) > 0:
            self._touch()
            await asyncio.sleep(min(left_ns, _SIGN_INTERVAL_NS) / NS)

    def _touch(self) -> None:
        self._vitals.touch(clock.now().mono_ns / NS)
