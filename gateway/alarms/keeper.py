"""Stands in front of the outbox and notes which alarms become active and cleared by what it has stored.

The alarm's record is on disk first; then the page shows it, then the file of active alarms follows. A disk that does
not take the file stops nothing: it is told once and tried again with the next change.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from contracts.errors import LinkError
from contracts.records import Observation
from edge_agent.handover.protocol import ActiveAlarm
from gateway.alarms.active import ActiveAlarms, SourceAlarm
from gateway.alarms.state_file import read_state, write_state
from gateway.counters import Counters
from gateway.outbox.models import Appended
from gateway.side_thread import SideThread
from gateway.supervisor.ports import ObservationStore

log = structlog.get_logger()


class AlarmKeeper:
    """The hand-over's store, with the alarms of what passes it.

    Args:
        store: the outbox.
        path: file of the active alarms.
        sources: sources of the device.
        show: told the active alarms whenever they change.
        counters: where alarms that could not be kept are counted.
    """

    def __init__(
        self,
        store: ObservationStore,
        path: Path,
        sources: Sequence[str],
        show: Callable[[list[SourceAlarm]], None],
        counters: Counters,
    ) -> None:
        self._store = store
        self._path = path
        self._sources = sources
        self._show = show
        self._counters = counters
        self._alarms = ActiveAlarms()
        self._writing = asyncio.Lock()
        self._thread = SideThread("alarm-state")
        self._is_told = False

    async def load(self) -> None:
        """Read what was active when the gateway ended; to be called before drivers are let in."""
        self._alarms = ActiveAlarms(await asyncio.to_thread(read_state, self._path))
        forgotten = self._alarms.forget_others(self._sources)
        if forgotten:
            self._counters.add("alarms_of_removed_sources", forgotten)
            log.warning("alarms_of_removed_sources", count=forgotten)
        self._show(self._alarms.listed())

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        """See the port."""
        appended = await self._store.append(source, run_id, last_no, observations)
        refused = self._alarms.refused
        has_changed = self._alarms.take(observations)
        if self._alarms.refused > refused:
            self._counters.add("alarms_not_shown", self._alarms.refused - refused)
        if has_changed:
            active = self._alarms.listed()
            self._show(active)
            log.info("alarms_changed", source=source, active=len(active))
            await self._keep()
        return appended

    async def stored_no(self, source: str, run_id: str) -> int:
        """See the port."""
        return await self._store.stored_no(source, run_id)

    def active_alarms(self, source: str) -> list[ActiveAlarm]:
        """See the port."""
        return self._alarms.of_source(source)

    async def _keep(self) -> None:
        async with self._writing:
            try:
                await self._thread.do(partial(write_state, self._path, self._alarms.listed()))
            except LinkError as exc:
                self._counters.add("alarm_state_unwritten")
                if not self._is_told:
                    self._is_told = True
                    log.warning("alarm_state_unwritten", cause=exc.cause, hint=exc.hint)
            else:
                self._is_told = False
