"""Keeps the history within its age and size: a shell that asks the store to forget, a step at a time."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud_api.history.sqlite_retention import Expiry
from contracts.errors import LinkError

INTERVAL_S = 30.0
"""Between looks. At 150 records a second 1 MiB has come in meanwhile."""
STEP_PAUSE_S = 0.05
"""Between two steps of one look, so that commits of new batches come in between."""
DAY_NS = 86_400 * 10**9
ROLLUP_KEEP_DAYS = 730.0
"""Two years: this summer beside the last."""

_log = structlog.get_logger(__name__)


class Forgetful(Protocol):
    """A store that can forget."""

    async def expire(self, before_ns: int, max_bytes: int, minutes_before_ns: int) -> Expiry:
        """Take away one step's worth of batches received before ``before_ns`` or in excess of ``max_bytes``.

        What the minutes of their sensors were like stays, but for minutes before ``minutes_before_ns``.

        Raises:
            LinkError: the store cannot write now; nothing was taken away.
        """
        ...


class Retention:
    """See the module.

    Args:
        store: what forgets.
        keep_days: age at which a batch goes, days since it was received.
        max_bytes: size above which the oldest go.
        registry: where its metrics are registered.
        now_ns: UTC ns.
        rollup_keep_days: age at which summed-up minutes go, days since they were observed; 0 keeps none.
    """

    def __init__(
        self,
        store: Forgetful,
        keep_days: float,
        max_bytes: int,
        registry: CollectorRegistry,
        now_ns: Callable[[], int],
        rollup_keep_days: float = ROLLUP_KEEP_DAYS,
    ) -> None:
        self._store = store
        self._keep_rollups_ns = int(rollup_keep_days * DAY_NS)
        self._keep_ns = int(keep_days * DAY_NS)
        self._max_bytes = max_bytes
        self._now_ns = now_ns
        self._is_full = False
        self._expired = Counter("history_expired_records_total", "Records taken away by retention", registry=registry)
        self._expired_minutes = Counter(
            "history_expired_rollups_total", "Summed-up minutes taken away by retention", registry=registry
        )
        self._used = Gauge("history_used_bytes", "Bytes of the history in use", registry=registry)
        self._errors = Counter("history_expiry_errors_total", "Steps that failed", registry=registry)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL_S)

    async def look(self) -> None:
        """Forget what is too old or too much now; trouble of the store is counted and left to the next look."""
        try:
            is_more = await self._step()
            while is_more:
                await asyncio.sleep(STEP_PAUSE_S)
                is_more = await self._step()
        except LinkError as exc:
            self._errors.inc()
            _log.warning("history_not_expired", error=str(exc))

    async def _step(self) -> bool:
        """Take one step; returns whether another may be needed."""
        now_ns = self._now_ns()
        done = await self._store.expire(now_ns - self._keep_ns, self._max_bytes, now_ns - self._keep_rollups_ns)
        self._expired.inc(done.records)
        self._expired_minutes.inc(done.minutes)
        self._used.set(done.used_bytes)
        is_full = done.used_bytes > self._max_bytes
        if is_full and not self._is_full:
            _log.warning("history_over_its_size", used_bytes=done.used_bytes, max_bytes=self._max_bytes)
        self._is_full = is_full
        return done.batches > 0 or done.minutes > 0
