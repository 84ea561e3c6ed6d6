"""One driver's connection to the hand-over socket: frames in, ``Stored`` out after the commit.

At most ``MAX_WAITING`` observations wait for the disk; then the gateway stops reading and the driver feels it in its
socket. How they are stored is ``appends``'s.
"""

import asyncio
import time

from contracts.errors import LinkError, PeerError
from contracts.ids import is_id
from contracts.payloads import Gap
from contracts.records import Observation
from edge_agent.clock_reference import ClockReference, ClockReferences
from edge_agent.handover.incoming import IncomingRun
from edge_agent.handover.protocol import (
    PROTOCOL_VERSION,
    FrameReader,
    FromGateway,
    Heartbeat,
    Hello,
    Observations,
    Stored,
    Welcome,
    decode_from_driver,
    encode_frame,
)
from gateway.outbox.models import Appended
from gateway.supervisor.appends import Appends, appends_of
from gateway.supervisor.ports import DriverEvents, RecordStore

MAX_WAITING = 2048
"""Observations of one driver that wait for the disk: its own window (``edge_agent.handover.outgoing``), 14 s of the
busiest AIS feed. By number and not by frame, because a driver sends small frames as long as it keeps up."""
READ_BYTES = 64 * 1024
HELLO_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0
"""A driver that does not read its answers for this long is closed; it comes back or is found hung."""
MAX_RUN_ID = 64


class DriverConnection:
    """See the module.

    Args:
        reader: bytes of the driver.
        writer: bytes to the driver.
        store: where observations go.
        clocks: UTC by GNSS, taken from the drivers that know it and passed on to all.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        store: RecordStore,
        clocks: ClockReferences | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._clocks = clocks or ClockReferences()
        self._frames = FrameReader()
        self._bodies: list[bytes] = []

    async def greet(self) -> Hello:
        """Wait for the Hello.

        Raises:
            PeerError: what came is not one (reasons ``bad_frame``, ``frame_too_large``, ``version``).
            LinkError: nothing came in time.
        """
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                body = await self._next_body()
        except TimeoutError as exc:
            raise LinkError("greet driver", "socket", f"no Hello in {HELLO_TIMEOUT_S:.0f} s", "", "timeout") from exc
        message = decode_from_driver(body) if body is not None else None
        if not isinstance(message, Hello) or not is_id(message.source) or not 0 < len(message.run_id) <= MAX_RUN_ID:
            raise PeerError("greet driver", "socket", "its first message is no Hello", "", "bad_frame")
        if message.version != PROTOCOL_VERSION:
            cause = f"speaks version {message.version}, this gateway {PROTOCOL_VERSION}"
            raise PeerError("greet driver", message.source, cause, "update both together", "version")
        return message

    async def serve(self, hello: Hello, driver: DriverEvents) -> None:
        """Take over what the driver sends until it closes.

        Raises:
            ExceptionGroup: of ``PeerError`` (it broke the protocol) and ``LinkError`` (disk or socket).
        """
        stored_no = await self._store.stored_no(hello.source, hello.run_id)
        active = self._store.active_alarms(hello.source)
        await self._send(Welcome(stored_no, active_alarms=active, clock=self._clock()))
        driver.said_hello(hello.pid)
        run = IncomingRun(stored_no)
        appends = appends_of(self._store, hello.source, hello.run_id, stored_no)

        async def answer(appended: Appended, items: list[Observation]) -> None:
            driver.stored(len(items), items[-1].observed_at_ns)
            await self._send(Stored(appended.stored_no, self._clock(), is_on_disk=appended.is_on_disk))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(appends.run(answer), name=f"handover-{hello.source}-store")
            while (body := await self._next_body()) is not None:
                message = decode_from_driver(body)
                if isinstance(message, Heartbeat):
                    self._clocks.take(_own(message.clock, hello.source))
                    driver.beat(message)
                elif isinstance(message, Observations):
                    appends.put(run.accept(_checked(message, hello.source)))
                    await _wait_for_room(appends, driver)
                else:
                    raise PeerError("hand over", hello.source, "a second Hello", "", "bad_frame")
            appends.end()

    def abort(self) -> None:
        """Cut the connection: its driver has a newer one, or the gateway ends."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the socket."""
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    def _clock(self) -> ClockReference | None:
        return self._clocks.best(time.monotonic_ns())

    async def _next_body(self) -> bytes | None:
        """Return the next frame, None at the end of the connection."""
        while not self._bodies:
            try:
                data = await self._reader.read(READ_BYTES)
            except OSError:
                return None
            if not data:
                return None
            self._bodies = self._frames.feed(data)[::-1]
        return self._bodies.pop()

    async def _send(self, message: FromGateway) -> None:
        try:
            self._writer.write(encode_frame(message))
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._writer.drain()
        except (OSError, TimeoutError) as exc:
            raise LinkError("answer driver", "socket", str(exc) or "it does not read", "", "lost") from exc


async def _wait_for_room(appends: Appends, driver: DriverEvents) -> None:
    if appends.held < MAX_WAITING:
        return
    driver.held_up(is_held_up=True)
    try:
        while appends.held >= MAX_WAITING:
            await appends.progress()
    finally:
        driver.held_up(is_held_up=False)


def _own(reference: ClockReference | None, source: str) -> ClockReference | None:
    """Return a driver's reference if it is of its own receiver.

    Raises:
        PeerError: of another source (reason ``bad_frame``).
    """
    if reference is not None and reference.source != source:
        raise PeerError("hand over", source, f"clock of {reference.source[:40]!r}", "", "bad_frame")
    return reference


def _checked(frame: Observations, source: str) -> Observations:
    """Refuse observations that are not this driver's to make.

    Raises:
        PeerError: of another source, or a gap (reason ``bad_frame``).
    """
    for item in frame.items:
        if item.source != source or isinstance(item.payload, Gap):
            cause = f"observation of {item.source[:40]!r}, {type(item.payload).__name__}"
            raise PeerError("hand over", source, cause, "", "bad_frame")
    return frame
