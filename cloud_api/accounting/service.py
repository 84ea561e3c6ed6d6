"""Looks at every stream's balance at a steady pace, and tells who must know: screens, figures, log."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import GatewayStanding, Moment, OpenStream, StreamStanding
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.ports import Announcer, BalanceReader, OpenStreamStore
from contracts.errors import LinkError
from contracts.health import GatewayStatus

INTERVAL_S = 5.0
"""Between looks: 2,500 streams of 500 gateways are read and judged in tenths of a second."""
READ_TIMEOUT_S = 10.0
"""The history answers in milliseconds; a look that fails is made up for by the next."""
SAVE_LOOKS = 6
"""Looks between two writes of what must outlive this process: 30 s; a loss of it only delays an alarm of a vanished
stream until its gateway reports."""
SHOWN_RANGES = 5
"""Ranges named in a log line; the route and ``python -m cloud_api accounting`` have more."""

_log = structlog.get_logger(__name__)


class AccountingService:
    """See the module.

    Args:
        accountant: judges.
        history: the running balances.
        store: what outlives this process.
        announcer: where operators look.
        metrics: figures.
        moment: this moment by both clocks.
    """

    def __init__(
        self,
        accountant: Accountant,
        history: BalanceReader,
        store: OpenStreamStore,
        announcer: Announcer,
        metrics: AccountingMetrics,
        moment: Callable[[], Moment],
    ) -> None:
        self._accountant = accountant
        self._history = history
        self._store = store
        self._announcer = announcer
        self._metrics = metrics
        self._moment = moment
        self._standings: list[GatewayStanding] = []
        self._looked_ns: int | None = None
        self._alarms: dict[str, StreamStanding] = {}
        self._saved: dict[str, OpenStream] = {}
        self._is_failing = False

    @property
    def standings(self) -> list[GatewayStanding]:
        """Standing of every gateway at the last look, by id."""
        return self._standings

    @property
    def looked_ns(self) -> int | None:
        """UTC ns of the last look; None before the first."""
        return self._looked_ns

    async def restore(self, statuses: Iterable[tuple[GatewayStatus, int]]) -> None:
        """Start from what is stored.

        Args:
            statuses: the newest report of each gateway, and UTC ns of its arrival.

        Raises:
            LinkError: the store does not answer.
        """
        found = await self._store.load()
        self._saved = {one.stream_id: one for one in found}
        self._accountant.restore(found)
        for status, heard_ns in statuses:
            self._accountant.hear(status, heard_ns)

    def on_status(self, status: GatewayStatus, heard_ns: int) -> None:
        """Take a gateway's report as it arrives (UTC ns)."""
        self._accountant.hear(status, heard_ns)

    async def run(self) -> None:
        """Look for ever."""
        looks = 0
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.look()
            looks += 1
            if looks % SAVE_LOOKS == 0:
                await self.save()

    async def look(self) -> None:
        """Judge every stream once; trouble of the history is told on its transition and left to the next look."""
        reports = self._accountant.reports()
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                balances = await self._history.balances()
        except (LinkError, TimeoutError) as exc:
            self._metrics.errors.labels(getattr(exc, "reason", "timeout")).inc()
            if not self._is_failing:
                _log.warning("accounting_blind", error=str(exc) or "timeout")
            self._is_failing = True
            return
        if self._is_failing:
            _log.info("accounting_sees_again")
        self._is_failing = False
        now = self._moment()
        before = {one.id: one for one in self._standings}
        self._standings = self._accountant.judge(reports, balances, now)
        self._looked_ns = now.utc_ns
        self._metrics.show(self._standings)
        self._metrics.looked_s.set(now.utc_ns / 1e9)
        for standing in self._standings:
            self._announcer.tell_standing(standing)
            self._log_losses(standing, before.get(standing.id))
        self._log_alarms()

    async def save(self) -> None:
        """Write what has changed of the streams that are not whole."""
        now = {one.stream_id: one for one in self._accountant.open_streams()}
        changed = [one for one in now.values() if self._saved.get(one.stream_id) != one]
        closed = [stream_id for stream_id in self._saved if stream_id not in now]
        if not changed and not closed:
            return
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._store.save(changed, closed)
        except (LinkError, TimeoutError) as exc:
            self._metrics.errors.labels(getattr(exc, "reason", "timeout")).inc()
            return
        self._saved = now

    def _log_alarms(self) -> None:
        now = {
            stream.stream_id: stream
            for standing in self._standings
            for stream in standing.streams
            if stream.verdict.is_alarm
        }
        for stream_id, stream in now.items():
            if stream_id not in self._alarms:
                ranges = [f"{one.first_seq}..{one.last_seq}" for one in stream.ranges[:SHOWN_RANGES]]
                _log.error(
                    "accounting_alarm", stream_id=stream_id, verdict=stream.verdict.value,
                    records=stream.unexplained, ranges=ranges, produced=stream.produced, received=stream.received,
                )  # fmt: skip
        for stream_id, stream in self._alarms.items():
            if stream_id not in now:
                _log.info("accounting_alarm_cleared", stream_id=stream_id, verdict=stream.verdict.value)
        self._alarms = now

    @staticmethod
    def _log_losses(standing: GatewayStanding, before: GatewayStanding | None) -> None:
        """Tell of declared losses when a gateway begins to declare for a reason; the figures count the rest."""
        known = before.declared if before else standing.declared
        for reason, numbers in standing.declared.items():
            if reason not in known:
                _log.warning("records_declared_lost", gateway=standing.id, reason=reason, records=numbers)
