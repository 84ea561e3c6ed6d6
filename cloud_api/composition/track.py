"""The live picture and the accounting: of the track role, and of each API process for its own clients."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, time_ns

import structlog

from cloud_api.accounting.alarm_desk import AlarmDesk
from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import Moment
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.ports import BalanceReader
from cloud_api.accounting.service import AccountingService
from cloud_api.accounting.store import SqlJudgementStore
from cloud_api.composition.history import open_balances, open_reader
from cloud_api.composition.leases import add_leases
from cloud_api.composition.parts import CLOSE_TIMEOUT_S, WARM_TIMEOUT_S, Parts, end
from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.service import read_status
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.history.ports import HistoryReader
from cloud_api.live.picture import LivePicture
from cloud_api.tracking.intake import TrackIntake
from cloud_api.tracking.lease_service import LeaseKeeper
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from cloud_api.tracking.warming import Warming
from contracts.errors import LinkError, PeerError
from contracts.topics import Channel, Topic

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watched:
    """What the accounting is made over."""

    picture: LivePicture
    balances: BalanceReader
    entries: Sequence[GatewayEntry]


class Nobody:
    """``Authority`` of a process without the track role: no site is its to judge."""

    def epoch(self, _site: str) -> int | None:
        """See ``Authority``."""
        return None


@dataclass(frozen=True)
class Watch:
    """What a process sees: the picture, the history below it (None: nobody asks), and the balance of every gateway."""

    picture: LivePicture
    reader: HistoryReader | None
    accounting: AccountingService


async def add_track(parts: Parts, metrics: TrackMetrics, *, is_candidate: bool, needs_history: bool) -> Watch:
    """Add the live picture, fed by the bus and filled from the history beside it, and the accounting over it.

    Alarms need no filled picture: they are judged by the balances of the ledger and what stands in the operations
    database, which are read before.

    Args:
        parts: of this process.
        metrics: figures of the track role.
        is_candidate: has the track role: it tries to hold the leases of sites. Without it, it watches for its screens.

        needs_history: the api role answers from it. Without it, a history that answers no questions will do: the
            balances come from its ledger, and the picture fills itself.

    Raises:
        ConfigError: the history cannot be read.
        LinkError: the history cannot be opened now.
    """
    reader = await open_reader(parts) if needs_history else None
    if reader is not None:
        parts.add_check("history", reader.check)
    picture = LivePicture()
    track = TrackService(picture, metrics)
    entries = await _known_gateways(parts)
    for entry in entries:
        track.on_status(entry.status, entry.last_seen_ns)
    if reader is not None:
        _add_warming(parts, track, picture, reader)
    await TrackIntake(track, metrics, time_ns).subscribe(parts.bus)
    leases = add_leases(parts, {entry.status.site for entry in entries}) if is_candidate else None
    accounting = await _add_accounting(parts, Watched(picture, reader or open_balances(parts), entries), leases)
    return Watch(picture, reader, accounting)


async def _add_accounting(parts: Parts, watched: Watched, leases: LeaseKeeper | None) -> AccountingService:
    accountant, metrics = Accountant(), AccountingMetrics(parts.registry)
    desk = AlarmDesk(accountant, SqlJudgementStore(parts.database), leases or Nobody(), metrics)
    service = AccountingService(
        accountant, watched.balances, desk, watched.picture, metrics, lambda: Moment(time_ns(), monotonic())
    )
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            await service.restore((entry.status, entry.last_seen_ns) for entry in watched.entries)
    except (LinkError, TimeoutError) as exc:
        _log.warning("accounting_not_restored", error=str(exc) or "timeout")

    async def on_status(topic: Topic, data: bytes) -> None:
        # what is not a report is counted by the track role, which reads the same channel
        with contextlib.suppress(PeerError):
            service.on_status(read_status(topic, data), time_ns())
            if leases is not None:
                leases.hear(topic.site)

    await parts.bus.subscribe(Channel.STATUS, on_status)
    parts.eternal.append(("accounting", service.run))

    if leases is not None:
        leases.listen(lambda change: service.on_lease(is_held=change.is_held))

    async def finish() -> None:
        await end("accounting_write", service.save, CLOSE_TIMEOUT_S)
        if leases is not None:
            await end("leases_release", leases.release, CLOSE_TIMEOUT_S)

    parts.ending.append(finish)
    return service


async def _known_gateways(parts: Parts) -> list[GatewayEntry]:
    try:
        async with asyncio.timeout(WARM_TIMEOUT_S):
            return await SqlGatewayStore(parts.database).load()
    except (LinkError, TimeoutError) as exc:
        _log.warning("gateways_not_restored", error=str(exc) or "timeout")
        return []


def _add_warming(parts: Parts, track: TrackService, picture: LivePicture, reader: HistoryReader) -> None:
    reach_ns = int(parts.settings.track.warm_start_s * 1e9)
    rng = random.Random()  # noqa: S311 - jitter, no secret
    warming = Warming(reader.latest_observations, reach_ns, track, picture, time_ns, rng)
    parts.picture_word = lambda: warming.state
    parts.eternal.append(("warming", warming.run))
