"""Fills the picture from the history beside serving: tried until it succeeds, and it says how it stands.

Nothing waits for it: until it is done the picture holds what the bus has brought, and whoever reads it is told so. What
comes live wins, whatever the order: the picture keeps the newest (docs/adr/0035, 0151).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from cloud_api.backoff import FullJitter
from cloud_api.live.picture import LivePicture
from cloud_api.tracking.service import TrackService
from contracts.errors import LinkError
from contracts.records import Record

ATTEMPT_TIMEOUT_S = 30.0
"""One reading of the history: 20,000 vessels take seconds; a history that hangs is asked again."""
RETRY_BASE_S, RETRY_CAP_S = 1.0, 60.0
"""Between attempts, with full jitter. It never gives up: the picture would stay marked as incomplete."""
PART = 500
"""Observations taken before others have their turn: some 15 ms."""

PictureState = Literal["warming", "retrying", "warm"]
"""How the picture stands: being filled for the first time, again after a failure, or filled."""

Observations = list[tuple[str, str, Record]]

_log = structlog.get_logger(__name__)


class Warming:
    """See the module.

    Args:
        read: the newest observation of each series since UTC ns; raises ``LinkError``.
        reach_ns: how far back it is read, ns.
        track: takes them.
        picture: is told while it is being filled.
        utc_ns: this server's clock.
        rng: source of jitter.
        timeout_s: of one attempt, s.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[Observations]],
        reach_ns: int,
        track: TrackService,
        picture: LivePicture,
        utc_ns: Callable[[], int],
        rng: random.Random,
        timeout_s: float = ATTEMPT_TIMEOUT_S,
    ) -> None:
        self._read = read
        self._reach_ns = reach_ns
        self._track = track
        self._picture = picture
        self._utc_ns = utc_ns
        self._backoff = FullJitter(RETRY_BASE_S, RETRY_CAP_S, rng)
        self._timeout_s = timeout_s
        self._state: PictureState = "warming"
        picture.tell_warming(is_warming=True)

    @property
    def state(self) -> PictureState:
        """How the picture stands."""
        return self._state

    async def run(self) -> None:
        """Fill the picture, then rest for ever."""
        while True:
            if await self._attempt():
                break
            await asyncio.sleep(self._backoff.next_delay_s())
        await asyncio.get_running_loop().create_future()

    async def _attempt(self) -> bool:
        since_ns = self._utc_ns() - self._reach_ns
        try:
            async with asyncio.timeout(self._timeout_s):
                observations = await self._read(since_ns)
        except (LinkError, TimeoutError) as exc:
            if self._state == "warming":
                _log.warning("picture_not_warmed", error=str(exc) or "timeout")
            self._state = "retrying"
            return False
        taken = 0
        for start in range(0, len(observations), PART):
            taken += self._track.warm(observations[start : start + PART], self._utc_ns())
            await asyncio.sleep(0)
        self._state = "warm"
        self._picture.tell_warming(is_warming=False)
        _log.info("picture_warmed", series=len(observations), taken=taken)
        return True
