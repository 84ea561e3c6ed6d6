"""The composition root of the cloud: makes the parts of the chosen roles, starts them, and ends them in order.

The end matters as much as the start: first no more batches are taken, then what was taken is committed and answered,
meanwhile pages and sockets close, then the broker and the stores.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time_ns
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry

from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import Moment
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.service import AccountingService
from cloud_api.accounting.store import SqlOpenStreamStore
from cloud_api.backoff import FullJitter
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.nats_bus import NatsBus
from cloud_api.bus.tls import client_context
from cloud_api.event_loop_lag import measure_lag
from cloud_api.fleet.metrics import FleetMetrics
from cloud_api.fleet.registry_policy import FleetRegistry
from cloud_api.fleet.service import FleetService, read_status
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.guarding import start_guarded
from cloud_api.history.retention import Retention
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.service import IngestService
from cloud_api.live.hub import LiveHub
from cloud_api.live.metrics import HubMetrics
from cloud_api.live.picture import LivePicture
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from cloud_api.operations.poison_store import SqlPoisonStore
from cloud_api.operations.vessel_register import VesselRegister
from cloud_api.operations.vessel_store import SqlVesselStore
from cloud_api.readiness import readiness_checks
from cloud_api.settings import SQLITE_PREFIX, Role, Settings
from cloud_api.site.service import load_chart
from cloud_api.tracking.intake import TrackIntake
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from cloud_api.web.parts import WebParts
from cloud_api.web.server import build_application, listen
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic

DRAIN_TIMEOUT_S = 3.0
"""To commit and answer what was taken: two groups; what is not answered then, the gateways send again."""
CLOSE_TIMEOUT_S = 1.0
"""To end one part; all together stay within the 8 s after which a supervisor may kill."""
HTTP_TIMEOUT_S = 4.0
"""To close live clients with 1012 and finish answers; runs beside the drain."""
WARM_TIMEOUT_S = 5.0
"""To fill the picture from the history; without it the picture fills itself within a reporting interval."""
STORE_GROUP = "store"
"""Queue group of the store role: each batch goes to one of its processes."""

_log = structlog.get_logger(__name__)


@dataclass
class Parts:
    """What the roles of one process share, and how it runs and ends.

    Attributes:
        settings: resolved settings.
        registry: where metrics are registered.
        database: operations database.
        bus: the broker.
        closing: closes stores and broker, last made first.
        eternal: (name, coroutine function) of what runs for ever.
        ending: orderly ends of the roles; they run side by side, once no more messages are taken.
    """

    settings: Settings
    registry: CollectorRegistry
    database: OperationsDatabase
    bus: NatsBus
    closing: AsyncExitStack
    eternal: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = field(default_factory=list)
    ending: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


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
            _log.info("cloud_started", roles=sorted(roles), history=str(settings.history.path))
            await stop.wait()
            _log.info("cloud_stopping")
            await _end("bus_delivery", parts.bus.stop_delivery, CLOSE_TIMEOUT_S)
            await asyncio.gather(*(end() for end in parts.ending))
            # before the cancellation: an attempt to connect may not notice one (see NatsBus)
            await _end("bus", parts.bus.close, CLOSE_TIMEOUT_S + 0.5)
            for task in tasks:
                task.cancel()
    _log.info("cloud_stopped")


async def _open(settings: Settings, registry: CollectorRegistry, closing: AsyncExitStack) -> Parts:
    bus_settings = settings.bus
    context = client_context(bus_settings.certificate, bus_settings.private_key, bus_settings.trust)
    database = OperationsDatabase(settings.operations.url)
    closing.push_async_callback(database.close)
    if settings.operations.url.startswith(SQLITE_PREFIX):
        # one process, one file: nobody else could run the migration in between
        path = Path(settings.operations.url.removeprefix(SQLITE_PREFIX).partition("?")[0])
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        before, after = await migrate(database)
        _log.info("operations_migrated", before=before, after=after)
    bus = NatsBus(bus_settings.servers, context, bus_settings.name, BusMetrics(registry), random.Random())  # noqa: S311 - jitter
    closing.push_async_callback(bus.close)
    parts = Parts(settings, registry, database, bus, closing)
    parts.eternal.append(("bus", bus.run))
    return parts


async def _add_roles(parts: Parts, roles: frozenset[Role]) -> None:
    parts.eternal.append(("event_loop_lag", lambda: measure_lag(parts.registry)))
    track_metrics = TrackMetrics(parts.registry) if roles & {"api", "track"} else None
    ingest = None
    if "store" in roles:
        ingest = await _add_store(
            parts, IngestMetrics(parts.registry, track_metrics.latency if track_metrics else None)
        )
    if track_metrics is not None:
        picture, reader = await _add_track(parts, track_metrics)
        accounting = await _add_accounting(parts, picture, reader)
        if "api" in roles:
            await _add_api(parts, picture, reader, accounting, ingest)


async def _add_store(parts: Parts, metrics: IngestMetrics) -> IngestService:
    """Add the store role: history, poison, and the registers that live off what is stored."""
    writer = await asyncio.to_thread(SqliteHistoryWriter, parts.settings.history.path)
    parts.closing.push_async_callback(writer.close)
    vessels = VesselRegister(SqlVesselStore(parts.database))
    desk = PoisonDesk(SqlPoisonStore(parts.database), parts.bus, metrics)
    backoff = FullJitter(0.1, 5.0, random.Random())  # noqa: S311 - jitter, no secret
    ingest = IngestService(writer, parts.bus, desk, metrics, backoff, time_ns, vessels.on_committed)
    fleet = FleetService(FleetRegistry(), SqlGatewayStore(parts.database), FleetMetrics(parts.registry), time_ns)
    await fleet.restore()
    await parts.bus.subscribe_shared(Channel.RECORDS, STORE_GROUP, ingest.on_records)
    await parts.bus.subscribe_shared(Channel.STATUS, STORE_GROUP, fleet.on_status)
    history = parts.settings.history
    retention = Retention(writer, history.keep_days, int(history.max_gib * 2**30), parts.registry, time_ns)
    parts.eternal += [("ingest", ingest.run), ("poison", desk.run), ("fleet", fleet.run), ("vessels", vessels.run)]
    parts.eternal.append(("retention", retention.run))

    async def end() -> None:
        await _end("ingest_drain", ingest.drain, DRAIN_TIMEOUT_S)
        await _end("fleet_write", fleet.finish, CLOSE_TIMEOUT_S)
        await _end("vessels_write", vessels.write, CLOSE_TIMEOUT_S)

    parts.ending.append(end)
    return ingest


async def _add_track(parts: Parts, metrics: TrackMetrics) -> tuple[LivePicture, SqliteHistoryReader]:
    """Add the live picture, filled from the history and fed by the bus."""
    reader = await asyncio.to_thread(SqliteHistoryReader, parts.settings.history.path)
    parts.closing.push_async_callback(reader.close)
    picture = LivePicture()
    track = TrackService(picture, metrics)
    await _warm(parts, track, reader)
    await TrackIntake(track, metrics, time_ns).subscribe(parts.bus)
    return picture, reader


async def _add_accounting(parts: Parts, picture: LivePicture, reader: SqliteHistoryReader) -> AccountingService:
    """Add the continuous accounting: every process that shows the picture judges for itself, from the same history."""
    store, metrics = SqlOpenStreamStore(parts.database), AccountingMetrics(parts.registry)
    service = AccountingService(Accountant(), reader, store, picture, metrics, lambda: Moment(time_ns(), monotonic()))
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            entries = await SqlGatewayStore(parts.database).load()
            await service.restore((entry.status, entry.last_seen_ns) for entry in entries)
    except (LinkError, TimeoutError) as exc:
        _log.warning("accounting_not_restored", error=str(exc) or "timeout")

    async def on_status(topic: Topic, data: bytes) -> None:
        # what is not a report is counted by the track role, which reads the same channel
        with contextlib.suppress(PeerError):
            service.on_status(read_status(topic, data), time_ns())

    await parts.bus.subscribe(Channel.STATUS, on_status)
    parts.eternal.append(("accounting", service.run))

    async def end() -> None:
        await _end("accounting_write", service.save, CLOSE_TIMEOUT_S)

    parts.ending.append(end)
    return service


async def _add_api(
    parts: Parts,
    picture: LivePicture,
    reader: SqliteHistoryReader,
    accounting: AccountingService,
    ingest: IngestService | None,
) -> None:
    """Add the HTTP server over the live picture and the history."""
    settings = parts.settings
    hub = LiveHub(picture, HubMetrics(parts.registry))
    web_parts = WebParts(
        picture=picture,
        hub=hub,
        history=reader,
        accounting=accounting,
        chart=await asyncio.to_thread(load_chart, settings.site.chart),
        checks=readiness_checks(parts.bus, reader, parts.database, ingest),
        control_room_dir=settings.control_room.dir,
        allowed_origins=frozenset(settings.http.allowed_origins),
        registry=parts.registry,
    )
    runner, port = await listen(build_application(web_parts), settings.http.host, settings.http.port)
    parts.closing.push_async_callback(runner.cleanup)
    _log.info("http_listening", url=f"http://{settings.http.host}:{port}")
    parts.eternal.append(("live", hub.run))

    async def end() -> None:
        await _end("http", runner.cleanup, HTTP_TIMEOUT_S)

    parts.ending.append(end)


async def _warm(parts: Parts, track: TrackService, reader: SqliteHistoryReader) -> None:
    since_ns = time_ns() - int(parts.settings.track.warm_start_s * 1e9)
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            observations = await reader.latest_observations(since_ns)
            entries = await SqlGatewayStore(parts.database).load()
    except (LinkError, TimeoutError) as exc:
        _log.warning("picture_not_warmed", error=str(exc) or "timeout")
        return
    taken = track.warm(observations, time_ns())
    for entry in entries:
        track.on_status(entry.status, entry.last_seen_ns)
    _log.info("picture_warmed", series=len(observations), taken=taken, gateways=len(entries))


async def _end(name: str, step: Callable[[], Awaitable[None]], timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await step()
    except TimeoutError:
        _log.warning("cloud_step_unfinished", step=name, timeout_s=timeout_s)
