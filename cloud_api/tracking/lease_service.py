"""Keeps the leases of this process, and tells who must know when one comes or goes."""

import asyncio
import time
from collections.abc import Callable

import structlog

from cloud_api.tracking.lease_metrics import LeaseMetrics
from cloud_api.tracking.lease_policy import Change, LeasePolicy, Reason
from cloud_api.tracking.ports import LeaseStore
from contracts.errors import LinkError

_log = structlog.get_logger(__name__)


def boot_s() -> float:
    """Return seconds since the machine started, those in which it was suspended included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class LeaseKeeper:
    """See the module.

    Args:
        policy: decides.
        store: holds the leases.
        holder: this process, unlike any other.
        lease_s: length of a lease, s.
        metrics: figures.
        clock_s: a clock that never stands still, s.
    """

    def __init__(
        self,
        policy: LeasePolicy,
        store: LeaseStore,
        holder: str,
        lease_s: float,
        metrics: LeaseMetrics,
        clock_s: Callable[[], float] = boot_s,
    ) -> None:
        self._policy = policy
        self._store = store
        self._holder = holder
        self._lease_s = lease_s
        self._metrics = metrics
        self._clock_s = clock_s
        self._is_failing = False
        self._is_ending = False
        # an answer that arrives while everything is given back would be a lease that nobody gives back
        self._asking = asyncio.Lock()
        self._listeners: list[Callable[[Change], None]] = []

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with every lease that comes or goes."""
        self._listeners.append(listener)

    def hear(self, site: str) -> None:
        """Take note of a site whose gateways speak."""
        self._policy.hear(site, self._clock_s())
        self._metrics.refused.set(self._policy.refused_sites)

    def epoch(self, site: str) -> int | None:
        """Return the epoch of the site's lease if it is ours at this moment; None if it is not."""
        return self._policy.epoch(site, self._clock_s())

    async def run(self) -> None:
        """Keep what is ours and take what is free, for ever."""
        while True:
            await self.turn()
            now_s = self._clock_s()
            # at the end nothing is asked any more, so that what is due stays due
            wait_s = self._policy.turn_s if self._is_ending else self._policy.wake_s(now_s) - now_s
            await asyncio.sleep(wait_s)

    async def turn(self) -> None:
        """Let go of what has ended and ask what is due."""
        async with self._asking:
            await self._turn()

    async def release(self) -> None:
        """Give everything back and take nothing more: a stand-by need not wait for the end of the leases."""
        self._is_ending = True
        async with self._asking:
            changes = self._policy.release()
        self._tell(changes)
        if not changes:
            return
        try:
            async with asyncio.timeout(self._policy.turn_s):
                await self._store.release(self._holder, changes)
        except (LinkError, TimeoutError) as exc:
            self._fail(getattr(exc, "reason", "timeout"), exc)

    async def _turn(self) -> None:
        asked_s = self._clock_s()
        self._tell(self._policy.expire(asked_s))
        asks = [] if self._is_ending else self._policy.due(asked_s)
        if not asks:
            return
        try:
            async with asyncio.timeout(self._policy.turn_s):
                answers = await self._store.ask(self._holder, asks, self._lease_s)
        except (LinkError, TimeoutError) as exc:
            self._fail(getattr(exc, "reason", "timeout"), exc)
            return
        if self._is_failing:
            _log.info("track_lease_reachable_again")
        self._is_failing = False
        self._tell(self._policy.take(answers, asked_s, self._clock_s()))

    def _fail(self, reason: str, error: Exception) -> None:
        self._metrics.errors.labels(reason).inc()
        if not self._is_failing:
            _log.warning("track_lease_unreachable", error=str(error) or "timeout", reason=reason)
        self._is_failing = True

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            self._metrics.show(change)
            log = _log.info if change.is_held or change.reason is Reason.RELEASED else _log.warning
            event = "track_lease_taken" if change.is_held else "track_lease_lost"
            log(event, site=change.site, epoch=change.epoch, reason=change.reason.value, holder=self._holder)
            for listener in self._listeners:
                listener(change)
