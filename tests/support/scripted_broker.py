"""A broker of MQTT 5 that says what a test tells it to, over mutual TLS: answers that no real one can be made to give.

It reads whole packets, answers CONNECT, SUBSCRIBE, PUBLISH and PINGREQ with the given reason codes, and ends a
connection with a DISCONNECT when it is told to. *Source:* MQTT 5.0 clauses 2.1, 3.2, 3.4, 3.9, 3.14.
"""

import asyncio
import ssl
from dataclasses import dataclass, field

from tests.support.certs import TestAuthority

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 1, 3, 8, 12


@dataclass
class ScriptedBroker:
    """Attributes: codes of its answers, ``properties`` of its CONNACK; ``held`` packet ids without a PUBACK."""

    connack: int = 0
    properties: bytes = b""
    suback: int = 0
    puback: int | None = 0
    held: list[int] = field(default_factory=list)
    published: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _writer: asyncio.StreamWriter | None = None

    async def start(self, authority: TestAuthority) -> None:
        pair = authority.issue("scripted.test", is_server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        context.load_verify_locations(authority.trust)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        if self._writer is not None:
            self._writer.close()
        self._server.close()

    def end(self, code: int) -> None:
        """End the connection with a DISCONNECT."""
        assert self._writer is not None
        self._writer.write(bytes((0xE0, 2, code, 0)))
        self._writer.close()

    def acknowledge(self) -> None:
        """Acknowledge the oldest message that is held."""
        assert self._writer is not None
        self._writer.write(bytes((0x40, 2)) + self.held.pop(0).to_bytes(2, "big"))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while True:
                kind, flags, body = await _packet(reader)
                answer = self._answer(kind, flags, body)
                if answer:
                    writer.write(answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, kind: int, flags: int, body: bytes) -> bytes:
        if kind == CONNECT:
            return bytes((0x20, 3 + len(self.properties), 0, self.connack, len(self.properties))) + self.properties
        if kind == SUBSCRIBE:
            topics = 2
            return bytes((0x90, 3 + topics)) + body[:2] + bytes((0, *[self.suback] * topics))
        if kind == PINGREQ:
            return bytes((0xD0, 0))
        if kind == PUBLISH and flags & 0x06:
            self.published += 1
            length = int.from_bytes(body[:2], "big")
            number = body[2 + length : 4 + length]
            if self.puback is None:
                self.held.append(int.from_bytes(number, "big"))
                return b""
            return bytes((0x40, 4)) + number + bytes((self.puback, 0))
        return b""


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    size, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return first >> 4, first & 0x0F, await reader.readexactly(size)
