"""Keeps one kind of hardware connected: open, serve, and after a ``LinkError`` close, wait with full jitter, again.

Warns once when the hardware goes and tells once when it is back; the attempts between are counted, not logged.
"""

import asyncio
import time

import structlog

from contracts.errors import LinkError
from edge_agent.backoff import FullJitter
from edge_agent.drivers.ports import Session
from edge_agent.drivers.vitals import Vitals

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 15.0
"""A server that is back is read within 15 s; a dead one costs four attempts a minute on the quay's network."""

SERIAL_BACKOFF_CAP_S = 2.0
"""An adapter that is plugged in again is read within 5 s, its own start included. An attempt on a port that is not
there costs one system call."""

STABLE_S = 5.0
"""A connection that held this long begins its next attempts at the base pace."""

SIGN_INTERVAL_S = 1.0
"""A driver's task says at least this often that it is alive."""

_CLOSE_TIMEOUT_S = 2.0


def backoff_for(link_kind: str) -> FullJitter:
    """Return the waits between attempts of one kind of link.

    Args:
        link_kind: ``kind`` of the link's profile.
    """
    return FullJitter(BACKOFF_BASE_S, SERIAL_BACKOFF_CAP_S if link_kind == "serial" else BACKOFF_CAP_S)


class Reconnection:
    """Drives a session for the life of the process.

    Args:
        session: the hardware.
        vitals: signs of life.
        source: driver instance id, for the log.
        backoff: waits between attempts.
    """

    def __init__(self, session: Session, vitals: Vitals, source: str, backoff: FullJitter | None = None) -> None:
        self._session = session
        self._vitals = vitals
        self._backoff = backoff or FullJitter(BACKOFF_BASE_S, BACKOFF_CAP_S)
        self._proven_at_s: float | None = None
        self._log = structlog.get_logger().bind(source=source)

    async def run(self) -> None:
        """Serve until cancelled; always leaves the hardware released."""
        while True:
            try:
                await self._attempt()
            except LinkError as exc:
                if self._vitals.link_down(str(exc)):
                    self._log.warning("link_lost", cause=str(exc), reason=exc.reason)
            else:
                await self._rest()
            delay_s = self._backoff.next_s()
            self._vitals.touch(time.monotonic(), delay_s)
            await asyncio.sleep(delay_s)

    async def _attempt(self) -> None:
        limit_s = self._session.open_timeout_s
        self._vitals.touch(time.monotonic(), limit_s)
        self._proven_at_s = None
        try:
            try:
                async with asyncio.timeout(limit_s):
                    await self._session.open()
            except TimeoutError as exc:
                raise LinkError("open link", "hardware", f"not open after {limit_s:g} s", "", "timeout") from exc
            await self._session.serve(self._proven)
        finally:
            self._vitals.touch(time.monotonic(), _CLOSE_TIMEOUT_S)
            await self._release()

    def _proven(self) -> None:
        now_s = time.monotonic()
        if self._proven_at_s is None:
            self._proven_at_s = now_s
            if self._vitals.link_up():
                self._log.info("link_up", attempts=self._backoff.attempts)
        elif now_s - self._proven_at_s >= STABLE_S:
            # a peer that answers once and hangs up must not be asked at the base pace for ever
            self._backoff.reset()

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._session.close()
        except TimeoutError:
            self._log.warning("link_close_timed_out", timeout_s=_CLOSE_TIMEOUT_S)

    async def _rest(self) -> None:
        """Stay for ever: the hardware has said all it ever will (a recording has ended)."""
        self._vitals.link_down("recording has ended")
        self._log.info("recording_ended")
        while True:
            self._vitals.touch(time.monotonic())
            await asyncio.sleep(SIGN_INTERVAL_S)
