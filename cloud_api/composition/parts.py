"""What the roles of one process share, and how long each part may take to end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry

from cloud_api.bus.ports import Bus
from cloud_api.operations.database import OperationsDatabase
from cloud_api.readiness import Check, both
from cloud_api.settings import Settings
from cloud_api.web.probes import PictureWord, no_picture

DRAIN_TIMEOUT_S = 3.0
"""To commit and answer what was taken: two groups; what is not answered then, the gateways send again."""
CLOSE_TIMEOUT_S = 1.0
"""To end one part; all together stay within the 8 s after which a supervisor may kill."""
HTTP_TIMEOUT_S = 4.0
"""To close live clients with 1012 and finish answers; runs beside the drain."""
WARM_TIMEOUT_S = 5.0
"""To read the gateways and what stands of their streams before serving; without it their next reports tell."""

_log = structlog.get_logger(__name__)


class RunningBus(Bus, Protocol):
    """A bus with the task that keeps its connection."""

    async def run(self) -> None:
        """Stay connected until ``close``."""


@dataclass
class Parts:
    """What the roles of one process share, and how it runs and ends.

    Attributes:
        settings: resolved settings.
        registry: where metrics are registered.
        database: operations database.
        bus: the broker.
        closing: closes stores and broker, last made first.
        checks: what must answer for this process to be ready, by name of the part.
        eternal: (name, coroutine function) of what runs for ever.
        picture_word: how the live picture stands, for the probes.
        ending: orderly ends of the roles; they run side by side, once no more messages are taken.
    """

    settings: Settings
    registry: CollectorRegistry
    database: OperationsDatabase
    bus: RunningBus
    closing: AsyncExitStack
    checks: dict[str, Check] = field(default_factory=dict)
    eternal: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = field(default_factory=list)
    picture_word: PictureWord = no_picture
    ending: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def add_check(self, name: str, check: Check) -> None:
        """Add what must answer for this process to be ready; two roles may each add a side of one part."""
        self.checks[name] = both(self.checks.get(name), check)


async def end(name: str, step: Callable[[], Awaitable[None]], timeout_s: float) -> None:
    """Take one step of the end; one that takes longer than ``timeout_s`` is given up and told."""
    try:
        async with asyncio.timeout(timeout_s):
            await step()
    except TimeoutError:
        _log.warning("cloud_step_unfinished", step=name, timeout_s=timeout_s)
