"""The ticker: closes the picture's ticks at a steady pace and wakes whoever waits for the next.

*Source:* docs/live_wire.md: at most five frames a second, at least one.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cloud_api.live.frames import FrameComposer
from cloud_api.live.picture import LivePicture
from cloud_api.live.wire import FrameKind

U32 = 0xFFFF_FFFF


@dataclass(frozen=True)
class LiveTiming:
    """Paces of the live wire, s.

    Attributes:
        tick_s: shortest time between two ticks.
        heartbeat_s: longest time between two ticks.
        send_timeout_s: a send that takes longer closes the client with 1013.
        close_timeout_s: how long a closed client may take to read what is under way and answer.
        ping_s: pace of pings; finds clients whose machine is gone.
    """

    tick_s: float = 0.2
    heartbeat_s: float = 1.0
    send_timeout_s: float = 10.0
    close_timeout_s: float = 2.0
    ping_s: float = 30.0


class LiveFeed:
    """Frames of the picture by tick; ``run`` must be running.

    Args:
        picture: what is shown.
        timing: paces.
        utc_ns: this server's clock.
    """

    def __init__(self, picture: LivePicture, timing: LiveTiming, utc_ns: Callable[[], int] = time.time_ns) -> None:
        self._picture = picture
        self._timing = timing
        self._utc_ns = utc_ns
        self._composer = FrameComposer(picture, secrets.randbelow(U32) + 1)
        self._turn = asyncio.Event()

    @property
    def epoch(self) -> int:
        """Random number of this start of the server."""
        return self._composer.epoch

    @property
    def tick(self) -> int:
        """The last tick that was closed."""
        return self._picture.tick

    async def run(self) -> None:
        """Close ticks, at most one each ``tick_s`` and at least one each ``heartbeat_s``, for ever."""
        loop = asyncio.get_running_loop()
        last_tick_s = last_review_s = loop.time()
        while True:
            # from turn to turn, not by a timetable: catching up would send more than five frames in a second
            await asyncio.sleep(self._timing.tick_s)
            now_s = loop.time()
            if now_s - last_review_s >= self._timing.heartbeat_s:
                self._picture.review(self._utc_ns())
                last_review_s = now_s
            # half a tick of grace: rounding must not turn a heartbeat of 1.0 s into 1.2 s
            is_heartbeat = now_s - last_tick_s >= self._timing.heartbeat_s - self._timing.tick_s / 2
            if self._picture.has_changes or is_heartbeat:
                self.turn()
                last_tick_s = now_s

    def turn(self) -> None:
        """Close the tick and wake all who wait for it."""
        self._picture.advance(time.monotonic_ns())
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def wait_beyond(self, tick: int) -> None:
        """Wait until a tick after ``tick`` is closed."""
        while self._picture.tick <= tick:
            await self._turn.wait()

    def frame_since(self, tick: int | None) -> tuple[bytes, FrameKind]:
        """Return the frame that brings a reader from ``tick`` (None: from nothing) to the current tick."""
        return self._composer.compose(tick, self._utc_ns())

    def resume_tick(self, since: str) -> int | None:
        """Return the tick that ``{epoch}:{tick}`` may resume from, or None if only a snapshot will do.

        Args:
            since: as the client sent it; what cannot be read cannot be served.
        """
        epoch, _, tick = since.partition(":")
        if epoch != str(self.epoch) or not (tick.isascii() and tick.isdigit() and len(tick) <= len(str(U32))):
            return None
        return int(tick) if self._picture.changes_since(int(tick)) is not None else None
