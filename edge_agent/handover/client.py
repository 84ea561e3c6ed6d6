"""The driver's end of the hand-over socket: connect, greet, send, beat, and again. Policy is in ``outgoing.py``.

Nothing is decided here but when to give up: no gateway for ``GATEWAY_GONE_S`` ends the process, because its parent is
gone and another will start its own driver.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from contracts.errors import LinkError, PeerError, PortTrackError
from edge_agent.backoff import FullJitter
from edge_agent.drivers.vitals import Vitals
from edge_agent.handover.connection import Connection
from edge_agent.handover.outgoing import OutgoingRun
from edge_agent.handover.protocol import PROTOCOL_VERSION, ActiveAlarm, Hello, Stored, Welcome
from edge_agent.handover.sink import HandOverSink

GATEWAY_GONE_S = 10.0
"""Longest time without a gateway, s."""

BACKOFF_BASE_S = 0.1
BACKOFF_CAP_S = 2.0
BEAT_INTERVAL_S = 1.0
STORED_TIMEOUT_S = 30.0
"""Longest wait for ``Stored`` while observations are in flight; a disk that takes longer is not going to answer."""

_STABLE_S = 2.0
_RUN_ID_BYTES = 8


def new_run_id() -> str:
    """Return an id for a run: 64 random bits, hexadecimal."""
    return secrets.token_hex(_RUN_ID_BYTES)


class HandOverClient:
    """Hands a run over to the gateway.

    Args:
        socket_path: the gateway's socket.
        source: driver instance id.
        pid: of this process.
        outgoing: the run.
        sink: wakes the client.
        vitals: the driver's signs of life.
        adopt: told at each Welcome which alarms of the source are active.
        gone_s: longest time without a gateway, s.
    """

    def __init__(
        self, socket_path: Path, source: str, pid: int, outgoing: OutgoingRun, sink: HandOverSink, vitals: Vitals,
        adopt: Callable[[Sequence[ActiveAlarm]], None], gone_s: float = GATEWAY_GONE_S,
    ) -> None:  # fmt: skip
        self._socket_path = socket_path
        self._source = source
        self._pid = pid
        self._outgoing = outgoing
        self._sink = sink
        self._vitals = vitals
        self._adopt = adopt
        self._gone_s = gone_s
        self._backoff = FullJitter(BACKOFF_BASE_S, BACKOFF_CAP_S)
        self._is_finishing = False
        self._is_lost = False
        self._found_at_s = time.monotonic()
        self._stored_at_s = 0.0
        self._counts: Counter[str] = Counter()
        self._log = structlog.get_logger().bind(source=source)
        vitals.count_from(lambda: self._outgoing.rejected)
        vitals.count_from(lambda: self._counts)

    def finish(self) -> None:
        """Let ``run`` return once everything is stored; the driver puts nothing more."""
        self._is_finishing = True
        self._sink.has_news.set()

    async def run(self) -> None:
        """Hand over until finished.

        Raises:
            LinkError: there was no gateway for ``gone_s`` (reason ``gateway_gone``).
        """
        while not self._is_done():
            began_s = time.monotonic()
            try:
                await self._session()
            except* (LinkError, PeerError) as group:
                self._note_lost(_first(group))
            finally:
                self._outgoing.lose()
            if self._is_done():
                return
            if time.monotonic() - began_s >= _STABLE_S:
                self._backoff.reset()
            if time.monotonic() - self._found_at_s >= self._gone_s:
                cause = f"no gateway for {self._gone_s:g} s"
                raise LinkError("hand over", str(self._socket_path), cause, "is the gateway running?", "gateway_gone")
            await asyncio.sleep(self._backoff.next_s())

    def _is_done(self) -> bool:
        return self._is_finishing and self._outgoing.pending == 0

    def _note_lost(self, error: PortTrackError) -> None:
        if isinstance(error, PeerError):
            self._counts[f"handover_{error.reason}"] += 1
        if not self._is_lost:
            self._is_lost = True
            self._log.warning("gateway_lost", cause=str(error), pending=self._outgoing.pending)

    async def _session(self) -> None:
        connection = await Connection.open(self._socket_path)
        try:
            await self._greet(connection)
            async with asyncio.TaskGroup() as group:
                receiving = group.create_task(self._receive(connection), name="handover-receive")
                beating = group.create_task(self._beat(connection), name="handover-beat")
                await self._send(connection)
                receiving.cancel()
                beating.cancel()
        finally:
            self._found_at_s = time.monotonic() if self._outgoing.is_welcome else self._found_at_s
            await connection.close()

    async def _greet(self, connection: Connection) -> None:
        connection.write(Hello(source=self._source, run_id=self._outgoing.run_id, pid=self._pid))
        answer = await connection.first()
        if not isinstance(answer, Welcome) or answer.version != PROTOCOL_VERSION:
            cause = f"answered {type(answer).__name__}, not a Welcome of version {PROTOCOL_VERSION}"
            raise PeerError("greet gateway", str(self._socket_path), cause, "", "bad_frame")
        if not self._outgoing.welcome(answer.stored_no):
            lost = self._outgoing.stored_no - answer.stored_no
            self._log.warning("run_begun_again", forgotten_by_gateway=lost, pending=self._outgoing.pending)
            self._outgoing.begin_again(new_run_id())
            raise LinkError("greet gateway", str(self._socket_path), "it has lost this run", "", "run_lost")
        self._adopt(answer.active_alarms)
        self._vitals.clocks.take(answer.clock)
        self._sink.note_stored()
        self._sink.has_news.set()
        self._stored_at_s = time.monotonic()
        if self._is_lost:
            self._is_lost = False
            self._log.info("gateway_found", resending=self._outgoing.pending, attempts=self._backoff.attempts)

    async def _send(self, connection: Connection) -> None:
        """Send what there is; returns once finished."""
        while not self._is_done():
            self._sink.has_news.clear()
            while (frame := self._outgoing.next_frame()) is not None:
                if self._outgoing.in_flight == len(frame.items):
                    self._stored_at_s = time.monotonic()  # nothing was owed before this frame
                connection.write(frame)
                await connection.drain()
            await self._sink.has_news.wait()

    async def _receive(self, connection: Connection) -> None:
        while True:
            for message in await connection.read():
                if not isinstance(message, Stored):
                    raise PeerError("read gateway", str(self._socket_path), "a second Welcome", "", "bad_frame")
                self._outgoing.store(message.stored_no)
                self._vitals.clocks.take(message.clock)
                self._stored_at_s = time.monotonic()
                self._sink.note_stored()
                self._sink.has_news.set()

    async def _beat(self, connection: Connection) -> None:
        """Beat every second while the driver's own task shows progress; a driver that hangs falls silent."""
        while True:
            now_s = time.monotonic()
            if self._vitals.is_alive(now_s):
                connection.write(self._vitals.heartbeat(self._outgoing.pending))
            if self._outgoing.in_flight and now_s - self._stored_at_s > STORED_TIMEOUT_S:
                cause = f"nothing stored for {STORED_TIMEOUT_S:g} s"
                raise LinkError("hand over", str(self._socket_path), cause, "is its disk writable?", "silent")
            await asyncio.sleep(BEAT_INTERVAL_S)


def _first(group: BaseExceptionGroup[PortTrackError]) -> PortTrackError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, PortTrackError):
        raise TypeError(type(error))
    return error
