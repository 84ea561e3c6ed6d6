"""Polls the PLCs of a connection or bus and puts what has changed: the session of every register-mapped driver.

Polls keep their phase whatever a poll takes; slots that were missed are counted, not made up. A PLC that answers with
an exception stays connected and is asked again at its next slot; one that is silent is left alone for a while
(``bus_policy``), and when none answers the link is lost.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from contracts.errors import LinkError, PeerError
from edge_agent import clock
from edge_agent.drivers.bus_policy import BusPolicy
from edge_agent.drivers.ports import PlcReader, Sink
from edge_agent.drivers.unit_poll import PolledUnit, UnitPoll
from edge_agent.drivers.vitals import Vitals
from edge_agent.parsers.register_reads import ReadBlock

NS = 1_000_000_000
_SIGN_INTERVAL_NS = NS


class PollingSession:
    """Reads PLCs by their maps.

    Args:
        reader: the connection or bus.
        units: the PLCs on it, at least one.
        sample_hz: polls of each a second, > 0.
        heartbeat_s: an unchanged sample is put again after this time, s.
        open_timeout_s: longest time to connect, s.
        sink: takes the samples.
        vitals: signs of life.
        source: driver instance id, for the log.
    """

    def __init__(
        self, reader: PlcReader, units: Sequence[PolledUnit], sample_hz: float, heartbeat_s: float,
        open_timeout_s: float, sink: Sink, vitals: Vitals, source: str,
    ) -> None:  # fmt: skip
        self._reader = reader
        period_ns = round(NS / sample_hz)
        # half a period early: a poll that comes a hair before the heartbeat is due would put it off by a whole one
        heartbeat_ns = round(heartbeat_s * NS) - period_ns // 2
        self._units = {unit.unit_id: UnitPoll(unit, heartbeat_ns) for unit in units}
        self._policy = BusPolicy(self._units, period_ns, clock.now().mono_ns)
        self._open_timeout_s = open_timeout_s
        self._sink = sink
        self._vitals = vitals
        self._log = structlog.get_logger().bind(source=source)
        vitals.count_from(self.counts)

    @property
    def open_timeout_s(self) -> float:
        """Longest time to connect, s."""
        return self._open_timeout_s

    def counts(self) -> Mapping[str, int]:
        """Return what was refused since the start: values that became null, exceptions of PLCs, missed polls."""
        total = Counter({"missed_poll": self._policy.missed})
        for unit in self._units.values():
            total += unit.counts()
        return total

    async def open(self) -> None:
        """Connect.

        Raises:
            LinkError: it is not reachable.
        """
        await self._reader.open()

    async def serve(self, proven: Callable[[], None]) -> None:
        """Poll until the link fails.

        Args:
            proven: called at each answer, an exception of a PLC included.

        Raises:
            LinkError: no PLC answers, or the connection is gone.
        """
        self._policy.restart(clock.now().mono_ns)
        while True:
            turn = self._policy.next_turn(clock.now().mono_ns)
            if turn.unit_id is None:
                await self._wait_until(turn.wake_ns)
                continue
            await self._sink.room()
            await self._poll(self._units[turn.unit_id], proven)

    async def close(self) -> None:
        """Disconnect."""
        await self._reader.close()

    async def _poll(self, unit: UnitPoll, proven: Callable[[], None]) -> None:
        self._touch()
        try:
            answers = {block: await self._reader.read(unit.unit_id, block) for block in unit.reads}
        except PeerError as exc:
            proven()
            unit.refused[exc.reason] += 1
            self._note(unit, str(exc), exc.reason, "plc_refuses")
        except LinkError as exc:
            if exc.reason != "timeout":
                raise
            self._policy.timed_out(unit.unit_id, clock.now().mono_ns)
            unit.refused["plc_timeout"] += 1
            if self._policy.is_silent:
                raise
            self._note(unit, str(exc), exc.reason, "plc_silent")
            return
        else:
            proven()
            self._note(unit, "", "", "")
            self._put(unit, answers)
        self._policy.answered(unit.unit_id, clock.now().mono_ns)

    def _put(self, unit: UnitPoll, answers: Mapping[ReadBlock, Sequence[int]]) -> None:
        at = clock.now()
        sample, is_due, events = unit.take(answers, at)
        if is_due:
            self._sink.put(sample, None, at, unit.place)
        else:
            self._sink.watch(sample, at, unit.place)
        for event in events:
            self._sink.put(event, None, at, unit.place)

    def _note(self, unit: UnitPoll, error: str, reason: str, event: str) -> None:
        """Keep what is wrong with a unit; tell it once, and once when it is well again."""
        if unit.note(error):
            if error:
                self._log.warning(event, unit_id=unit.unit_id, cause=error, reason=reason)
            else:
                self._log.info("plc_answers_again", unit_id=unit.unit_id)
        self._vitals.note_error("; ".join(one.error for one in self._units.values() if one.error))

    async def _wait_until(self, due_ns: int) -> None:
        while (left_ns := due_ns - clock.now().mono_ns) > 0:
            self._touch()
            await asyncio.sleep(min(left_ns, _SIGN_INTERVAL_NS) / NS)

    def _touch(self) -> None:
        self._vitals.touch(clock.now().mono_ns / NS)
