"""The composition root of the cloud: makes the parts of the chosen roles, starts them, and ends them in order.

The end matters as much as the start: first no more batches are taken, then what was taken is committed and answered,
meanwhile pages and sockets close, then the broker and the stores. ``cloud_api.composition`` makes the parts.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog
from prometheus_client import REGISTRY, CollectorRegistry

from cloud_api.composition.bus import open_bus
from cloud_api.composition.history import can_be_read
from cloud_api.composition.operations import open_operations
from cloud_api.composition.parts import CLOSE_TIMEOUT_S, Parts, end
from cloud_api.composition.store import add_store
from cloud_api.composition.track import add_track
from cloud_api.composition.web import add_api, add_probes
from cloud_api.event_loop_lag import measure_lag
from cloud_api.guarding import start_guarded
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.readiness import bus_check
from cloud_api.settings import Role, Settings
from cloud_api.tracking.metrics import TrackMetrics

_log = structlog.get_logger(__name__)


async def run_cloud(
    settings: Settings, roles: frozenset[Role], stop: asyncio.Event, registry: CollectorRegistry = REGISTRY
) -> None:
    """Run the chosen roles until ``stop`` is set.

    Args:
        settings: resolved settings.
        roles: which roles.
        stop: set to end; all is closed within 8 s.
        registry: where metrics are registered.

    Raises:
        ConfigError: a setting cannot be used.
        LinkError: a store cannot be opened.
        IntegrityError: the history is damaged.
        ExceptionGroup: of these, or of a bug, from a running role.
    """
    async with AsyncExitStack() as closing:
        parts = await _open(settings, registry, closing)
        await _add_roles(parts, roles)
        async with asyncio.TaskGroup() as group:
            tasks = [start_guarded(group, name, start(), stop.is_set) for name, start in parts.eternal]
            _log.info("cloud_started", roles=sorted(roles), history=settings.history.subject())
            await stop.wait()
            _log.info("cloud_stopping")
            await end("bus_delivery", parts.bus.stop_delivery, CLOSE_TIMEOUT_S)
            await asyncio.gather(*(finish() for finish in parts.ending))
            # before the cancellation: an attempt to connect may not notice one (see BrokerBus)
            await end("bus", parts.bus.close, CLOSE_TIMEOUT_S + 0.5)
            for task in tasks:
                task.cancel()
    _log.info("cloud_stopped")


async def _open(settings: Settings, registry: CollectorRegistry, closing: AsyncExitStack) -> Parts:
    bus = open_bus(settings.bus, registry)
    database = await open_operations(settings.operations, closing)
    closing.push_async_callback(bus.close)
    parts = Parts(settings, registry, database, bus, closing)
    parts.eternal += [("bus", bus.run), ("event_loop_lag", lambda: measure_lag(registry))]
    parts.add_check("bus", bus_check(bus))
    parts.add_check("operations", database.check)
    return parts


async def _add_roles(parts: Parts, roles: frozenset[Role]) -> None:
    track_metrics = TrackMetrics(parts.registry) if roles & {"api", "track"} else None
    if "store" in roles:
        latency = track_metrics.latency if track_metrics else None
        await add_store(parts, IngestMetrics(parts.registry, latency))
    if track_metrics is None:
        await add_probes(parts)
        return
    # a history that answers no questions serves all roles but the api
    needs_history = "api" in roles or can_be_read(parts.settings.history)
    watch = await add_track(parts, track_metrics, is_candidate="track" in roles, needs_history=needs_history)
    if "api" in roles and watch.reader is not None:
        await add_api(parts, watch, watch.reader)
    else:
        await add_probes(parts)
