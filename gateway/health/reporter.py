"""Looks at the parts of the gateway, tells the cloud and the local page, and writes down what changed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import LinkError
from contracts.health import GatewayStatus
from gateway.clock import DeviceClock
from gateway.counters import Counters
from gateway.health.changes import HealthChanges
from gateway.health.damage import told_of
from gateway.health.journal import Journal
from gateway.health.measures import Measured, Measures
from gateway.health.ports import ObservedDriver, ObservedOutbox, ObservedUplink
from gateway.local.board import Board, LocalStatus, UplinkStatus
from gateway.outbox.models import OutboxStats

CHANGES_INTERVAL_S = 1.0
STATS_TIMEOUT_S = 2.0
"""A status without the outbox's figures is better than none while the disk hangs."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who reports."""

    site: str
    gateway: str
    software: str


class Reporter:
    """See the module.

    Args:
        owner: who reports.
        clock: time of the device.
        drivers: by source.
        outbox: the store.
        uplink: the way to the cloud.
        journal: for changes of health.
        board: for the local page.
        counters: totals of the gateway.
        measures: headroom and wear of the card.
        interval_s: between two reports, s.
    """

    def __init__(
        self,
        owner: Owner,
        clock: DeviceClock,
        drivers: Mapping[str, ObservedDriver],
        outbox: ObservedOutbox,
        uplink: ObservedUplink,
        journal: Journal,
        board: Board,
        counters: Counters,
        measures: Measures,
        *,
        interval_s: float,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._drivers = drivers
        self._outbox = outbox
        self._uplink = uplink
        self._journal = journal
        self._board = board
        self._counters = counters
        self._measures = measures
        self._interval_s = interval_s
        self._started_at_ns = clock.wall_ns()
        self._changes = HealthChanges()
        self._last_stats = OutboxStats()

    async def run(self) -> None:
        """Report until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._report_forever(), name="health-report")
            tasks.create_task(self._watch_forever(), name="health-changes")

    async def report(self) -> bool:
        """Report once; True if the cloud was told."""
        stats = await self._stats()
        pids = [driver.pid for driver in self._drivers.values() if driver.pid is not None]
        measured = self._measures.take(stats, pids, self._clock.mono_s())
        status = self._status(stats, measured)
        self._board.put(
            LocalStatus(
                status=status,
                uplink=self._uplink_status(),
                used_bytes=stats.used_bytes,
                capacity_bytes=stats.capacity_bytes,
                trouble=self._outbox.trouble,
                at_mono_ns=self._clock.mono_ns(),
            )
        )
        return self._uplink.publish_status(status)

    def _uplink_status(self) -> UplinkStatus:
        state, figures = self._uplink.state, self._uplink.figures()
        return UplinkStatus(
            state.is_up, state.broker, state.reason, state.cause, state.hint,
            figures.lanes, figures.backlog_window, figures.stragglers,
        )  # fmt: skip

    async def note_changes(self) -> None:
        """Look for changes of health and write them down."""
        state = self._uplink.state
        if state.reason != "starting":
            self._note("uplink", is_healthy=state.is_up, reason=f"{state.reason}: {state.cause}")
        for name, driver in self._drivers.items():
            self._note(f"driver/{name}", is_healthy=driver.is_running, reason=driver.last_error)
            if driver.is_running:
                self._note(f"link/{name}", is_healthy=driver.is_link_up, reason=driver.last_error)
        self._note("outbox", is_healthy=not self._outbox.trouble, reason=self._outbox.trouble)
        for damage in self._outbox.take_damages():
            for payload in told_of(damage):
                self._journal.write(payload)
        await self._journal.flush()

    async def _report_forever(self) -> None:
        while True:
            await self.report()
            await asyncio.sleep(self._interval_s)

    async def _watch_forever(self) -> None:
        while True:
            await self.note_changes()
            await asyncio.sleep(CHANGES_INTERVAL_S)

    def _note(self, subject: str, *, is_healthy: bool, reason: str) -> None:
        event = self._changes.judge(subject, is_healthy=is_healthy, reason=reason)
        if event is not None:
            self._journal.write(event)

    async def _stats(self) -> OutboxStats:
        """Return the outbox's figures, or the last known while the disk does not answer."""
        try:
            async with asyncio.timeout(STATS_TIMEOUT_S):
                self._last_stats = await self._outbox.stats()
        except (LinkError, TimeoutError):
            self._counters.add("status_without_stats")
        return self._last_stats

    def _status(self, stats: OutboxStats, measured: Measured) -> GatewayStatus:
        return GatewayStatus(
            site=self._owner.site,
            gateway=self._owner.gateway,
            at_ns=self._clock.wall_ns(),
            boot_id=self._clock.boot_id,
            started_at_ns=self._started_at_ns,
            software=self._owner.software,
            clock=self._clock.quality(),
            streams=stats.streams,
            sources=[driver.status() for driver in self._drivers.values()],
            oldest_unacknowledged_s=stats.oldest_age_s,
            quarantined_batches=stats.quarantined_batches,
            counters=self._counters.snapshot(),
            classes=measured.headroom.classes,
            headroom_s=measured.headroom.headroom_s,
            replay_records_per_s=measured.headroom.replay_records_per_s,
            drain_s=measured.headroom.drain_s,
            flash_bytes_per_day=measured.flash_bytes_per_day,
            card_life_days=measured.card_life_days,
            is_volatile=stats.is_volatile,
        )
