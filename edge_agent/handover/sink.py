"""Where a driver's payloads become numbered observations: the drivers' ``Sink``, shared with the hand-over client."""

import asyncio
import time

from contracts.payloads import Payload
from edge_agent.clock import Moment, Stamper
from edge_agent.drivers.vitals import Vitals
from edge_agent.handover.outgoing import OutgoingRun

_SIGN_INTERVAL_S = 1.0


class HandOverSink:
    """Stamps, numbers and keeps; wakes the client on news and the driver on room.

    Args:
        outgoing: the run.
        stamper: makes observations.
        vitals: signs of life; a driver that waits for room is alive.
    """

    def __init__(self, outgoing: OutgoingRun, stamper: Stamper, vitals: Vitals) -> None:
        self._outgoing = outgoing
        self._stamper = stamper
        self._vitals = vitals
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.has_news = asyncio.Event()
        """Set when there may be something to send; the client clears it."""
        self.last_observed_at_ns: int | None = None
        """Wall clock of the newest observation, UTC ns."""

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        """Take one observation over. What is refused is counted in the run's ``rejected``."""
        self._outgoing.add(self._stamper.stamp(payload, raw, at, place))
        if not self._outgoing.has_room:
            self._has_room.clear()
        self.last_observed_at_ns = at.wall_ns
        self.has_news.set()

    async def room(self) -> None:
        """Wait until one more read of the hardware surely fits."""
        while not self._has_room.is_set():
            self._vitals.touch(time.monotonic())
            try:
                async with asyncio.timeout(_SIGN_INTERVAL_S):
                    await self._has_room.wait()
            except TimeoutError:
                continue

    def note_stored(self) -> None:
        """Let the driver read on if the gateway's answer has made room; called by the client."""
        if self._outgoing.has_room:
            self._has_room.set()
