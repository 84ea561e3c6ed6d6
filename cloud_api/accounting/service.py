"""Looks at every stream's balance at a steady pace, and tells who must know: screens, figures, log.

Every process that shows the picture looks for its own screens. Figures, log lines and the alarms in the operations
database are told by one process a site, the holder of the site's lease (see ``AlarmDesk``).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog

from cloud_api.accounting.alarm_desk import AlarmDesk
from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import GatewayStanding, Moment
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.ports import Announcer, BalanceReader
from contracts.errors import LinkError
from contracts.health import GatewayStatus

INTERVAL_S = 5.0
"""Between looks: 2,500 streams of 500 gateways are read and judged in tenths of a second."""
READ_TIMEOUT_S = 10.0
"""The history answers in milliseconds; a look that fails is made up for by the next."""
SAVE_LOOKS = 6
"""Looks between two writes of what must outlive this process: 30 s; a loss of it only delays an alarm of a vanished
stream until its gateway reports."""

_log = structlog.get_logger(__name__)


class AccountingService:
    """See the module.

    Args:
        accountant: judges.
        history: the running balances.
        desk: raises and clears alarms.
        announcer: where operators look.
        metrics: figures.
        moment: this moment by both clocks.
    """

    def __init__(
        self,
        accountant: Accountant,
        history: BalanceReader,
        desk: AlarmDesk,
        announcer: Announcer,
        metrics: AccountingMetrics,
        moment: Callable[[], Moment],
    ) -> None:
        self._accountant = accountant
        self._history = history
        self._desk = desk
        self._announcer = announcer
        self._metrics = metrics
        self._moment = moment
        self._standings: list[GatewayStanding] = []
        self._looked_ns: int | None = None
        self._is_failing = False
        self._wake = asyncio.Event()

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
        await self._desk.restore()
        for status, heard_ns in statuses:
            self._accountant.hear(status, heard_ns)

    def on_status(self, status: GatewayStatus, heard_ns: int) -> None:
        """Take a gateway's report as it arrives (UTC ns)."""
        self._accountant.hear(status, heard_ns)

    def on_lease(self, *, is_held: bool) -> None:
        """Look at once where a site became ours; where one went, stop to tell its figures before anything else."""
        if is_held:
            self._wake.set()
        else:
            self._show()

    async def run(self) -> None:
        """Look for ever."""
        looks = 0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_S):
                    await self._wake.wait()
            self._wake.clear()
            await self.look()
            looks += 1
            if looks % SAVE_LOOKS == 0:
                await self.save()

    async def look(self) -> None:
        """Judge every stream once; trouble of the history is told on its transition and left to the next look."""
        held = await self._desk.prepare()
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
        before = self._standings
        self._standings = self._accountant.judge(reports, balances, now)
        self._looked_ns = now.utc_ns
        self._metrics.looked_s.set(now.utc_ns / 1e9)
        for standing in self._standings:
            self._announcer.tell_standing(standing)
        await self._desk.settle(held, before, self._standings, now.utc_ns)
        self._show()

    async def save(self) -> None:
        """Write what has changed of the streams that are not whole."""
        await self._desk.save()

    def _show(self) -> None:
        self._metrics.show(one for one in self._standings if self._desk.is_ours(one))
