"""A receiver on TCP with a numbered AIS feed: each line is written once, at a steady rate, to whoever is connected."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from tests.support.ais_feed import FIRST_MMSI, numbered_message

SLICE_S = 0.05
"""Lines of one slice are written together; a receiver's own buffer does no less."""


def numbered_lines(count: int) -> Iterator[bytes]:
    """Yield the sentences of ``numbered_message(0..count-1)``, made fast.

    *Source:* ITU-R M.1371-5 table 48: the MMSI is bits 8 to 37 of the message; NMEA 0183 gives six bits a character,
    ``code + 48``, and 8 more from 40 on.
    """
    body = numbered_message(0).rstrip()[1:-3]
    fields = body.split(b",")
    payload = fields[5]
    tail_bits = _six(payload[6]) & 0b1111
    head_bits = _six(payload[1]) >> 4
    for number in range(count):
        bits = head_bits << 34 | (FIRST_MMSI + number) << 4 | tail_bits
        coded = bytes(_armour(bits >> shift & 0b111111) for shift in range(30, -6, -6))
        fields[5] = payload[:1] + coded + payload[7:]
        sentence = b",".join(fields)
        checksum = 0
        for byte in sentence:
            checksum ^= byte
        yield b"!%s*%02X\r\n" % (sentence, checksum)


def _six(character: int) -> int:
    code = character - 48
    return code - 8 if code > 40 else code


def _armour(code: int) -> int:
    return code + 48 if code < 40 else code + 56


class LineFeed:
    """See the module.

    Args:
        count: lines.
        rate_hz: lines a second.

    Attributes:
        port: where it listens, after ``start``.
        written: lines written so far.
    """

    def __init__(self, count: int, rate_hz: float) -> None:
        self._lines = numbered_lines(count)
        self._count = count
        self._rate_hz = rate_hz
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._go = asyncio.Event()
        self._turn = asyncio.Lock()
        self.port = 0
        self.written = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def go(self) -> None:
        """Let the lines flow."""
        self._go.set()

    async def close(self) -> None:
        """Hang up."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                async with self._turn:
                    await self._write(writer)
                while await reader.read(1024):
                    pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        await self._go.wait()
        loop = asyncio.get_running_loop()
        began_at, before = loop.time(), self.written
        while self.written < self._count:
            wanted = before + int((loop.time() - began_at) * self._rate_hz)
            size = min(wanted, self._count) - self.written
            writer.write(b"".join(next(self._lines) for _ in range(size)))
            await writer.drain()
            self.written += size
            await asyncio.sleep(SLICE_S)
