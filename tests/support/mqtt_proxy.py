"""A proxy between MQTT clients and a real broker that can swallow what is on its way, packet by packet.

It ends the TLS of both sides, so that it can read the packets. Connections, pings and subscriptions always pass: to the
client the link looks healthy, which is what makes swallowed acknowledgements treacherous.

*Source:* MQTT 3.1.1 §2.2 and MQTT 5.0 §2.1 (fixed header); the topic of a PUBLISH comes first in both (§3.3.2).
"""

import asyncio
import enum
import ssl
from collections import Counter
from contextlib import suppress

PUBLISH, PUBACK = 3, 4
CHUNK_BYTES = 65536
CONNECT_TIMEOUT_S = 10.0


class Swallow(enum.Enum):
    """What does not get through.

    NOTHING: all passes.
    ANSWERS: PUBACKs and receipts to the client; its records reach the broker.
    ANSWERS_AND_RECORDS: its records are taken off the wire as well and reach nobody.
    """

    NOTHING = "nothing"
    ANSWERS = "answers"
    ANSWERS_AND_RECORDS = "answers and records"


class PacketReader:
    """Cuts a byte stream into MQTT packets, whatever the chunks."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the packets that are complete now."""
        self._data += data
        packets = []
        while (size := self._size()) is not None and size <= len(self._data):
            packets.append(bytes(self._data[:size]))
            del self._data[:size]
        return packets

    def _size(self) -> int | None:
        value, shift = 0, 0
        for place, byte in enumerate(self._data[1:5], start=1):
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return 1 + place + value
            shift += 7
        assert len(self._data) < 5, "no MQTT: a remaining length of more than four bytes"
        return None


def topic_of(packet: bytes) -> str:
    """Return the topic of a PUBLISH."""
    start = next(place for place in range(1, 5) if packet[place] < 0x80) + 1
    size = int.from_bytes(packet[start : start + 2])
    return packet[start + 2 : start + 2 + size].decode()


class SwallowingProxy:
    """See the module.

    Args:
        server: TLS towards the clients.
        client: TLS towards the broker.
        broker_port: where the broker listens on the loopback.
        answers: end of the topics of answers to records.
        records: ends of the topics of records.

    Attributes:
        port: where it listens, after ``start``.
        swallow: what does not get through now.
        swallowed: packets that did not, by kind.
    """

    def __init__(
        self,
        server: ssl.SSLContext,
        client: ssl.SSLContext,
        broker_port: int,
        answers: str = "/down/receipt",
        records: tuple[str, ...] = ("/up/records", "/gateway/telemetry"),
    ) -> None:
        self._contexts = (server, client)
        self._broker_port = broker_port
        self._answers = answers
        self._records = records
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.swallow = Swallow.NOTHING
        self.swallowed: Counter[str] = Counter()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._contexts[0])
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and listen no more."""
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
            await self._join(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the end of a connection is what these tests are about
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._broker_port, ssl=self._contexts[1])
        pumps = [
            asyncio.ensure_future(self._pump(reader, up_writer, is_up=True)),
            asyncio.ensure_future(self._pump(up_reader, writer, is_up=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up_writer.transport.abort()
            for pump in pumps:
                pump.cancel()
                with suppress(OSError, asyncio.CancelledError):
                    await pump

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool) -> None:
        packets = PacketReader()
        while data := await reader.read(CHUNK_BYTES):
            for packet in packets.feed(data):
                kind = self._swallows(packet, is_up=is_up)
                if kind:
                    self.swallowed[kind] += 1
                else:
                    writer.write(packet)
            await writer.drain()

    def _swallows(self, packet: bytes, *, is_up: bool) -> str:
        """Return the kind of a packet that must not pass now, empty if it may."""
        kind = packet[0] >> 4
        if self.swallow is Swallow.NOTHING:
            return ""
        if not is_up and kind == PUBACK:
            return "puback"
        if not is_up and kind == PUBLISH and topic_of(packet).endswith(self._answers):
            return "receipt"
        if is_up and kind == PUBLISH and self.swallow is Swallow.ANSWERS_AND_RECORDS:
            return "records" if topic_of(packet).endswith(self._records) else ""
        return ""
