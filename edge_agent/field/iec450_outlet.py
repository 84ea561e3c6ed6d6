"""A recording as a sender of IEC 61162-450: sentences in datagrams with header, source and counter."""

from edge_agent.field.outlets import UdpOutlet
from edge_agent.parsers.iec450 import Iec450Encoder

MAX_TAIL_BYTES = 4096
"""Longest line kept until its end comes; a longer one is sent as it is, for the receiver to reject."""


class Iec450Outlet:
    """``Outlet`` over datagrams of sentences; lines that come in pieces are sent once they are whole.

    Args:
        outlet: carries the datagrams.
        source: system function id of the sender: two letters and four digits.

    Raises:
        ConfigError: the source has another form.
    """

    def __init__(self, outlet: UdpOutlet, source: str) -> None:
        self._outlet = outlet
        self._encoder = Iec450Encoder(source)
        self._tail = b""

    async def open(self) -> str:
        """See the port."""
        return await self._outlet.open()

    async def ready(self) -> None:
        """See the port."""
        await self._outlet.ready()

    async def send(self, data: bytes) -> None:
        """See the port: the whole lines of ``data``, several a datagram.

        Raises:
            LinkError: as ``UdpOutlet``.
        """
        *lines, tail = (self._tail + data).split(b"\n")
        if len(tail) > MAX_TAIL_BYTES:
            lines.append(tail)
            tail = b""
        self._tail = tail
        for datagram in self._encoder.encode(lines):
            await self._outlet.send_datagram(datagram)

    async def close(self) -> None:
        """See the port; a last line without line end is sent."""
        if self._tail:
            await self.send(b"\n")
        await self._outlet.close()
