"""One driver's connection to the hand-over socket: frames in, ``Stored`` out after the commit.

At most ``MAX_FRAMES`` wait for the disk; then the gateway stops reading and the driver feels it in its socket. Frames
are committed in the order they came, and the store refuses what would leave a hole, so a failed commit can never be
passed over by a later one.
"""

import asyncio

from contracts.errors import LinkError, PeerError
from contracts.ids import is_id
from contracts.payloads import Gap
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
from gateway.supervisor.ports import DriverEvents, RecordStore

MAX_FRAMES = 4
"""Frames of one driver that wait for the disk: 512 observations each 100 ms, thirty times the busiest AIS feed."""
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
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, store: RecordStore) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
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
        await self._send(Welcome(stored_no))
        driver.said_hello(hello.pid)
        run = IncomingRun(stored_no)
        answers: asyncio.Queue[tuple[asyncio.Task[int], Observations] | None] = asyncio.Queue(MAX_FRAMES)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer(answers, driver), name=f"handover-{hello.source}-answer")
            while (body := await self._next_body()) is not None:
                message = decode_from_driver(body)
                if isinstance(message, Heartbeat):
                    driver.beat(message)
                elif isinstance(message, Observations):
                    items = run.accept(_checked(message, hello.source))
                    append = self._store.append(hello.source, hello.run_id, run.last_no, items)
                    task = tasks.create_task(append, name=f"handover-{hello.source}-append")
                    await self._hold(answers, (task, Observations(run.last_no, items)), driver)
                else:
                    raise PeerError("hand over", hello.source, "a second Hello", "", "bad_frame")
            await answers.put(None)

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

    async def _hold(
        self,
        answers: "asyncio.Queue[tuple[asyncio.Task[int], Observations] | None]",
        item: tuple[asyncio.Task[int], Observations],
        driver: DriverEvents,
    ) -> None:
        if not answers.full():
            answers.put_nowait(item)
            return
        driver.held_up(is_held_up=True)
        try:
            await answers.put(item)
        finally:
            driver.held_up(is_held_up=False)

    async def _answer(
        self, answers: "asyncio.Queue[tuple[asyncio.Task[int], Observations] | None]", driver: DriverEvents
    ) -> None:
        while (item := await answers.get()) is not None:
            append, frame = item
            stored_no = await append
            if frame.items:
                driver.stored(len(frame.items), frame.items[-1].observed_at_ns)
            await self._send(Stored(stored_no))

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
