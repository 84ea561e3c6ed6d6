"""The live picture and the accounting: of the track role, and of each API process for its own clients."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, time_ns

import structlog

from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import Moment
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.service import AccountingService
from cloud_api.accounting.store import SqlOpenStreamStore
from cloud_api.composition.history import open_reader
from cloud_api.composition.parts import CLOSE_TIMEOUT_S, WARM_TIMEOUT_S, Parts, end
from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.service import read_status
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.history.ports import HistoryReader
from cloud_api.live.picture import LivePicture
from cloud_api.tracking.intake import TrackIntake
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watch:
    """What a process sees: the picture, the history below it, and the balance of every gateway."""

    picture: LivePicture
    reader: HistoryReader
    accounting: AccountingService


async def add_track(parts: Parts, metrics: TrackMetrics) -> Watch:
    """Add the live picture, filled from the history and fed by the bus, and the accounting over it.

    Args:
        parts: of this process.
        metrics: figures of the track role.

    Raises:
        LinkError: the history cannot be opened now.
    """
    reader = await open_reader(parts)
    parts.add_check("history", reader.check)
    picture = LivePicture()
    track = TrackService(picture, metrics)
    entries = await _known_gateways(parts)
    await _warm(parts, track, reader, entries)
    await TrackIntake(track, metrics, time_ns).subscribe(parts.bus)
    return Watch(picture, reader, await _add_accounting(parts, picture, reader, entries))


async def _add_accounting(
    parts: Parts, picture: LivePicture, reader: HistoryReader, entries: Sequence[GatewayEntry]
) -> AccountingService:
    store, metrics = SqlOpenStreamStore(parts.database), AccountingMetrics(parts.registry)
    service = AccountingService(Accountant(), reader, store, picture, metrics, lambda: Moment(time_ns(), monotonic()))
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            await service.restore((entry.status, entry.last_seen_ns) for entry in entries)
    except (LinkError, TimeoutError) as exc:
        _log.warning("accounting_not_restored", error=str(exc) or "timeout")

    async def on_status(topic: Topic, data: bytes) -> None:
        # what is not a report is counted by the track role, which reads the same channel
        with contextlib.suppress(PeerError):
            service.on_status(read_status(topic, data), time_ns())

    await parts.bus.subscribe(Channel.STATUS, on_status)
    parts.eternal.append(("accounting", service.run))

    async def finish() -> None:
        await end("accounting_write", service.save, CLOSE_TIMEOUT_S)

    parts.ending.append(finish)
    return service


async def _known_gateways(parts: Parts) -> list[GatewayEntry]:
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            return await SqlGatewayStore(parts.database).load()
    except (LinkError, TimeoutError) as exc:
        _log.warning("gateways_not_restored", error=str(exc) or "timeout")
        return []


async def _warm(parts: Parts, track: TrackService, reader: HistoryReader, entries: Sequence[GatewayEntry]) -> None:
    since_ns = time_ns() - int(parts.settings.track.warm_start_s * 1e9)
    for entry in entries:
        track.on_status(entry.status, entry.last_seen_ns)
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            observations = await reader.latest_observations(since_ns)
    except (LinkError, TimeoutError) as exc:
        _log.warning("picture_not_warmed", error=str(exc) or "timeout")
        return
    taken = track.warm(observations, time_ns())
    _log.info("picture_warmed", series=len(observations), taken=taken, gateways=len(entries))
