"""Raises and clears the alarms of the sites whose lease is ours; of all others it only knows what stands.

An alarm is a row of the operations database, written with the lease's epoch in one transaction: a process that has lost
a lease without knowing it cannot write. The log line follows the row. Who takes a site over reads its rows first: what
stands is not raised again, and what was not yet written is found by its own look (docs/adr/0142).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import GatewayStanding, OpenStream, Settlement, StreamAlarm, StreamStanding
from cloud_api.accounting.policy import Accountant, gateway_of
from cloud_api.accounting.ports import Authority, JudgementStore
from contracts.errors import LinkError

TIMEOUT_S = 2.0
"""A row is written in milliseconds; what is not written now is written by the next look."""
SHOWN_RANGES = 5
"""Ranges named in a log line; the route and ``python -m cloud_api accounting`` have more."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Unsure:
    """What was written without an answer, by which lease, and the streams of the look."""

    site: str
    epoch: int
    settlement: Settlement
    streams: Mapping[str, StreamStanding]


class AlarmDesk:
    """See the module.

    Args:
        accountant: judges.
        store: what outlives this process.
        authority: which sites are ours.
        metrics: counts what fails.
    """

    def __init__(
        self, accountant: Accountant, store: JudgementStore, authority: Authority, metrics: AccountingMetrics
    ) -> None:
        self._accountant = accountant
        self._store = store
        self._authority = authority
        self._metrics = metrics
        self._alarms: dict[str, StreamAlarm] = {}
        self._saved: dict[str, OpenStream] = {}
        # the lease by which each site's rows were read: another epoch means that somebody else wrote meanwhile
        self._read: dict[str, int] = {}
        # written without an answer: whether it was taken is seen by the next look
        self._unsure: list[_Unsure] = []
        self._is_failing = False

    def is_ours(self, standing: GatewayStanding) -> bool:
        """Tell whether a gateway's site is ours at this moment."""
        return self._authority.epoch(site_of(standing.id)) is not None

    async def restore(self) -> None:
        """Start from what is stored.

        Raises:
            LinkError: the store does not answer.
        """
        self._accountant.restore(await self._store.load())
        self._accountant.adopt(await self._store.standing())

    async def prepare(self) -> dict[str, int]:
        """Read what stands, before a look; call it first.

        Returns:
            Epoch by site of those whose alarms this look may raise and clear. None while the store does not answer.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                # asked before the rows are read: a lease that comes between the two had another writer until then
                held = self._held()
                standing = await self._store.standing()
                self._alarms = {one.stream_id: one for one in standing}
                self._accountant.adopt(standing)
                self._tell_unsure(held)
                await self._take_over(held)
        except (LinkError, TimeoutError) as exc:
            self._fail(exc)
            return {}
        if self._is_failing:
            _log.info("accounting_stores_again")
        self._is_failing = False
        return held

    async def settle(
        self,
        held: Mapping[str, int],
        before: Iterable[GatewayStanding],
        standings: Iterable[GatewayStanding],
        utc_ns: int,
    ) -> None:
        """Raise and clear alarms after a look.

        Args:
            held: what ``prepare`` returned.
            before: standings of the look before.
            standings: of this look.
            utc_ns: moment of it.
        """
        known = {one.id: one for one in before}
        by_site: dict[str, dict[str, StreamStanding]] = {site: {} for site in held}
        for standing in standings:
            site = site_of(standing.id)
            if site in held:
                by_site[site] |= {one.stream_id: one for one in standing.streams}
                _log_given_up(standing, known.get(standing.id, standing))
        alarms = self._accountant.alarms()
        for site, epoch in held.items():
            raised, cleared = self._compare(site, by_site[site], alarms)
            if not raised and not cleared:
                continue
            named = {one.stream_id for one in (*raised, *cleared)}
            changed, closed = self._changes(site, named)
            if not await self._write(site, epoch, Settlement(raised, cleared, utc_ns, changed, closed), by_site[site]):
                return

    async def save(self) -> None:
        """Write what has changed of the streams that are not whole, of our sites."""
        for site, epoch in list(self._read.items()):
            if self._authority.epoch(site) == epoch:
                changed, closed = self._changes(site, None)
                if not await self._write(site, epoch, Settlement(changed=changed, closed=closed), {}):
                    return

    def _held(self) -> dict[str, int]:
        return {site: epoch for site in self._accountant.sites() if (epoch := self._authority.epoch(site)) is not None}

    async def _take_over(self, ours: dict[str, int]) -> None:
        new = {site: epoch for site, epoch in ours.items() if self._read.get(site) != epoch}
        if new:
            kept = [one for one in await self._store.load() if site_of_stream(one.stream_id) in new]
            self._accountant.restore(kept)
            others = {key: one for key, one in self._saved.items() if site_of_stream(key) not in new}
            self._saved = others | {one.stream_id: one for one in kept}
        self._read = ours
        for site, epoch in new.items():
            stand = sum(site_of_stream(stream_id) == site for stream_id in self._alarms)
            _log.info("accounting_taken_over", site=site, epoch=epoch, alarms=stand)

    def _compare(
        self, site: str, streams: Mapping[str, StreamStanding], stand: Mapping[str, int]
    ) -> tuple[tuple[StreamAlarm, ...], tuple[StreamAlarm, ...]]:
        """Return the alarms of a site that began and those that ended."""
        raised = [
            StreamAlarm(one.stream_id, one.since_ns, one.verdict.value, one.unexplained)
            for one in streams.values()
            if one.since_ns is not None and one.stream_id not in self._alarms
        ]
        cleared = [
            one for one in self._alarms.values() if site_of_stream(one.stream_id) == site and one.stream_id not in stand
        ]
        return tuple(raised), tuple(cleared)

    def _changes(self, site: str, only: set[str] | None) -> tuple[tuple[OpenStream, ...], tuple[str, ...]]:
        """Return what is new of a site's streams that are not whole, and those that are; ``only`` names streams."""
        now = {one.stream_id: one for one in self._accountant.open_streams() if site_of_stream(one.stream_id) == site}
        saved = {key: one for key, one in self._saved.items() if site_of_stream(key) == site}
        changed = [one for one in now.values() if saved.get(one.stream_id) != one]
        closed = [stream_id for stream_id in saved if stream_id not in now]
        if only is not None:
            changed = [one for one in changed if one.stream_id in only]
            closed = [stream_id for stream_id in closed if stream_id in only]
        return tuple(changed), tuple(closed)

    async def _write(
        self, site: str, epoch: int, settlement: Settlement, streams: Mapping[str, StreamStanding]
    ) -> bool:
        """Write a site's settlement; False if the store does not answer, so that no other site need wait for it now."""
        if not settlement or self._authority.epoch(site) != epoch:
            return True
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._store.settle(site, epoch, settlement)
        except (LinkError, TimeoutError) as exc:
            self._fail(exc)
            if settlement.raised or settlement.cleared:
                self._unsure.append(_Unsure(site, epoch, settlement, streams))
            return isinstance(exc, LinkError) and exc.reason == "lease_lost"
        self._saved |= {one.stream_id: one for one in settlement.changed}
        for stream_id in settlement.closed:
            # at the end of the process a last look and the last writing may close the same stream
            self._saved.pop(stream_id, None)
        for alarm in settlement.raised:
            self._alarms[alarm.stream_id] = alarm
            _log_raised(alarm, streams[alarm.stream_id])
        for alarm in settlement.cleared:
            self._alarms.pop(alarm.stream_id, None)
            _log_cleared(alarm)
        return True

    def _tell_unsure(self, held: Mapping[str, int]) -> None:
        for one in self._unsure:
            for alarm in one.settlement.raised:
                if self._stands(alarm):
                    _log_raised(alarm, one.streams[alarm.stream_id])
            # without the lease of then somebody else may have ended them, and told it
            for alarm in one.settlement.cleared if held.get(one.site) == one.epoch else ():
                if not self._stands(alarm):
                    _log_cleared(alarm)
        self._unsure.clear()

    def _stands(self, alarm: StreamAlarm) -> bool:
        found = self._alarms.get(alarm.stream_id)
        return found is not None and found.raised_ns == alarm.raised_ns

    def _fail(self, error: Exception) -> None:
        self._metrics.errors.labels(getattr(error, "reason", "timeout")).inc()
        if not self._is_failing:
            _log.warning("accounting_not_stored", error=str(error) or "timeout")
        self._is_failing = True


def site_of(gateway_id: str) -> str:
    """Return the site of a gateway's id ``{site}/{gateway}``."""
    return gateway_id.partition("/")[0]


def site_of_stream(stream_id: str) -> str:
    """Return the site of a stream."""
    return site_of(gateway_of(stream_id))


def _log_raised(alarm: StreamAlarm, stream: StreamStanding) -> None:
    ranges = [f"{one.first_seq}..{one.last_seq}" for one in stream.ranges[:SHOWN_RANGES]]
    _log.error(
        "accounting_alarm", stream_id=alarm.stream_id, since_ns=alarm.raised_ns, verdict=alarm.verdict,
        records=alarm.records, ranges=ranges, produced=stream.produced, received=stream.received,
    )  # fmt: skip


def _log_cleared(alarm: StreamAlarm) -> None:
    _log.info("accounting_alarm_cleared", stream_id=alarm.stream_id, verdict=alarm.verdict)


def _log_given_up(standing: GatewayStanding, known: GatewayStanding) -> None:
    """Tell of declared losses when a gateway begins to declare for a reason, and of numbers that are no loss.

    The figures count the rest.
    """
    for reason, numbers in standing.declared.items():
        if reason not in known.declared:
            _log.warning("records_declared_lost", gateway=standing.id, reason=reason, records=numbers)
    if standing.kept_elsewhere and not known.kept_elsewhere:
        _log.info("records_kept_elsewhere", gateway=standing.id, records=standing.kept_elsewhere)
