"""One connection to the gateway's socket: frames in, frames out, every wait with its limit."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from contracts.errors import LinkError
from edge_agent.handover.protocol import (
    FrameReader,
    FromDriver,
    FromGateway,
    decode_from_gateway,
    encode_frame,
)
from edge_agent.handover.socket_path import short_path

CONNECT_TIMEOUT_S = 2.0
WELCOME_TIMEOUT_S = 30.0
"""The gateway looks one number up on its disk. A stalled disk is not a gateway that is gone: to give up here would lose
what the driver holds."""

DRAIN_TIMEOUT_S = 30.0
"""Longest wait for the gateway to read; it stops reading while its disk stalls."""

MAX_UNSENT_BYTES = 4 * 1024 * 1024
"""Bytes that wait in this process: four frames. Past it a gateway that does not read is taken as lost."""

_READ_BYTES = 64 * 1024


class Connection:
    """An open connection."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._subject = str(path)
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._early: Sequence[FromGateway] = []

    @classmethod
    async def open(cls, path: Path) -> "Connection":
        """Connect.

        Args:
            path: the gateway's socket.

        Raises:
            LinkError: nobody listens there (reason ``refused``) or not in time (``timeout``).
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                with short_path(path) as address:
                    reader, writer = await asyncio.open_unix_connection(address)
        except TimeoutError as exc:
            raise LinkError("connect to gateway", str(path), "timed out", "", "timeout") from exc
        except OSError as exc:
            raise LinkError("connect to gateway", str(path), exc.strerror or str(exc), "", "refused") from exc
        return cls(path, reader, writer)

    def write(self, message: FromDriver) -> None:
        """Send one message without waiting.

        Raises:
            LinkError: the gateway has not read for ``MAX_UNSENT_BYTES`` (reason ``timeout``).
        """
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            raise LinkError("send to gateway", self._subject, "it does not read", "", "timeout")
        self._writer.write(encode_frame(message))

    async def drain(self) -> None:
        """Wait until the gateway has read enough.

        Raises:
            LinkError: it has not in time (reason ``timeout``), or it is gone (``lost``).
        """
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self._writer.drain()
        except TimeoutError as exc:
            raise LinkError("send to gateway", self._subject, "it does not read", "", "timeout") from exc
        except OSError as exc:
            raise LinkError("send to gateway", self._subject, exc.strerror or str(exc), "", "lost") from exc

    async def first(self) -> FromGateway:
        """Return the gateway's first message; what came with it is the next ``read``.

        Raises:
            LinkError: as ``read``, or none in time (reason ``timeout``).
            PeerError: as ``read``.
        """
        messages: Sequence[FromGateway] = []
        try:
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                while not messages:
                    messages = await self.read()
        except TimeoutError as exc:
            raise LinkError("greet gateway", self._subject, "no Welcome", "", "timeout") from exc
        self._early = messages[1:]
        return messages[0]

    async def read(self) -> Sequence[FromGateway]:
        """Return the messages completed by the next bytes, perhaps none.

        Raises:
            LinkError: the gateway has closed (reason ``lost``).
            PeerError: what came is not a message (reasons ``bad_frame``, ``frame_too_large``).
        """
        if self._early:
            early, self._early = self._early, []
            return early
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as exc:
            raise LinkError("read gateway", self._subject, exc.strerror or str(exc), "", "lost") from exc
        if not data:
            raise LinkError("read gateway", self._subject, "it has closed the connection", "", "lost")
        return [decode_from_gateway(body) for body in self._frames.feed(data)]

    async def close(self) -> None:
        """Close; bytes not read by the gateway are lost, their observations are not."""
        self._writer.close()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()
