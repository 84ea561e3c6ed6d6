"""Takes the gateways' reports, tells those who listen, and writes the registry at its own pace."""

import asyncio
from collections.abc import Callable

import structlog

from cloud_api.fleet.metrics import FleetMetrics
from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.ports import GatewayStore
from cloud_api.fleet.registry_policy import FleetRegistry
from contracts.codec import decode_message
from contracts.errors import LinkError, PeerError
from contracts.health import GatewayStatus
from contracts.topics import Topic

WRITE_PERIOD_S = 1.0
"""How often what is due is written; each gateway is due every 5 s at most."""
WRITE_TIMEOUT_S = 5.0
"""The operations database answers in milliseconds; what is not written stays due."""

_log = structlog.get_logger(__name__)


def read_status(topic: Topic, data: bytes) -> GatewayStatus:
    """Decode a report and check that it is the sender's own.

    Raises:
        PeerError: reasons of ``decode_message``, ``foreign_status``, or ``bad_time`` (not a 64-bit time).
    """
    status = decode_message(data, GatewayStatus)
    if (status.site, status.gateway) != (topic.site, topic.gateway):
        raise PeerError(
            "read status", topic.mqtt(), f"is of {status.site}/{status.gateway}"[:120], "", "foreign_status"
        )
    if not 0 <= status.at_ns < 2**63:
        raise PeerError("read status", topic.mqtt(), "time out of bounds", "", "bad_time")
    return status


class FleetService:
    """The fleet registry.

    Args:
        registry: its state.
        store: its rows.
        metrics: counters.
        now_ns: UTC clock, ns.
        listener: called with each report as it was heard and its entry.
    """

    def __init__(
        self,
        registry: FleetRegistry,
        store: GatewayStore,
        metrics: FleetMetrics,
        now_ns: Callable[[], int],
        listener: Callable[[GatewayEntry], None] | None = None,
    ) -> None:
        self._registry = registry
        self._store = store
        self._metrics = metrics
        self._now_ns = now_ns
        self._listener = listener
        self._is_failing = False

    async def restore(self) -> list[GatewayEntry]:
        """Read the stored registry.

        Raises:
            LinkError: not now.
        """
        entries = await self._store.load()
        self._registry.restore(entries)
        return entries

    async def on_status(self, topic: Topic, data: bytes) -> None:
        """Take one report as it arrived."""
        now_ns = self._now_ns()
        try:
            status = read_status(topic, data)
        except PeerError as exc:
            self._metrics.rejected.labels(exc.reason).inc()
            return
        entry = self._registry.hear(status, now_ns)
        if entry is None:
            self._metrics.rejected.labels("registry_full").inc()
            return
        self._metrics.last_seen_s.labels(status.gateway, status.site).set(now_ns / 1e9)
        if entry.clock_offset_ms is not None:
            self._metrics.clock_offset_s.labels(status.gateway, status.site).set(entry.clock_offset_ms / 1e3)
        if self._listener is not None:
            self._listener(entry)

    async def run(self) -> None:
        """Write what is due, for ever."""
        while True:
            await asyncio.sleep(WRITE_PERIOD_S)
            await self._write(is_last=False)

    async def finish(self) -> None:
        """Write all that has not been written."""
        await self._write(is_last=True)

    async def _write(self, *, is_last: bool) -> None:
        entries = self._registry.due(self._now_ns(), is_last=is_last)
        if not entries:
            return
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await self._store.save(entries)
        except (LinkError, TimeoutError) as exc:
            self._metrics.write_errors.labels(getattr(exc, "reason", "timeout")).inc()
            if not self._is_failing:
                _log.warning("fleet_unwritable", error=str(exc) or "timeout")
            self._is_failing = True
            return
        if self._is_failing:
            _log.info("fleet_writable")
        self._is_failing = False
        self._registry.written(entries, self._now_ns())
