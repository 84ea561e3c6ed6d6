"""A gateway's end of the hand-over socket: the real protocol over a real Unix socket, a dict in place of the disk."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from contracts.errors import PeerError
from contracts.records import Observation
from edge_agent.handover.incoming import IncomingRun
from edge_agent.handover.protocol import (
    FrameReader,
    Heartbeat,
    Hello,
    Observations,
    Stored,
    Welcome,
    decode_from_driver,
    encode_frame,
)


class HandOverGateway:
    """Listens as a gateway does; ``stored`` is its disk and survives ``stop`` and ``start``.

    Attributes:
        stored: observations by (source, run id), in order.
        hellos: every greeting.
        heartbeats: every heartbeat.
        violations: frames that broke the protocol.
        is_storing: False holds every commit back, as a stalled disk would; ``resume`` lets it go on.
        cut_after: a frame that brings a run to this many observations is committed, its answer never sent, and the
            connection cut.
        cut_before: likewise, but the frame is lost as well; ``dropped`` counts what was in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stored: dict[tuple[str, str], list[Observation]] = {}
        self.hellos: list[Hello] = []
        self.heartbeats: list[Heartbeat] = []
        self.violations: list[PeerError] = []
        self.dropped = 0
        self.is_storing = True
        self.is_greeting = True
        self.cut_after: list[int] = []
        self.cut_before: list[int] = []
        self._held: list[Callable[[], bool]] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def stop(self) -> None:
        """End as a killed gateway does: nothing more is read or answered."""
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        self.path.unlink(missing_ok=True)

    def cut(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.transport.abort()

    def all(self) -> list[Observation]:
        return [observation for run in self.stored.values() for observation in run]

    def resume(self) -> None:
        """Commit what was held back, in order."""
        self.is_storing = True
        for store in self._held:
            store()
        self._held.clear()

    def forget(self) -> None:
        """Lose the disk."""
        self.stored.clear()

    async def until(self, condition: Callable[[], object], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():  # noqa: ASYNC110 - conditions are over another process
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"after {timeout_s:g} s still not: {what}") from None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except PeerError as exc:
            self.violations.append(exc)
        except OSError:
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        run: list[Observation] = []
        incoming = IncomingRun(0)
        while data := await reader.read(65536):
            for body in frames.feed(data):
                message = decode_from_driver(body)
                if isinstance(message, Hello):
                    self.hellos.append(message)
                    run = self.stored.setdefault((message.source, message.run_id), [])
                    incoming = IncomingRun(len(run))
                    if self.is_greeting:
                        writer.write(encode_frame(Welcome(stored_no=len(run))))
                elif isinstance(message, Heartbeat):
                    self.heartbeats.append(message)
                else:
                    store = partial(self._store, message, run, incoming, writer)
                    if not self.is_storing:
                        self._held.append(store)
                    elif not store():
                        return

    def _store(
        self, message: Observations, run: list[Observation], incoming: IncomingRun, writer: asyncio.StreamWriter
    ) -> bool:
        if self.cut_before and message.first_no + len(message.items) > self.cut_before[0]:
            del self.cut_before[0]
            self.dropped += len(message.items)
            writer.transport.abort()
            return False
        run.extend(incoming.accept(message))
        if self.cut_after and len(run) >= self.cut_after[0]:
            del self.cut_after[0]
            writer.transport.abort()
            return False
        writer.write(encode_frame(Stored(stored_no=len(run))))
        return True
