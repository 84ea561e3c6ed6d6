r"""Datagrams of sentences, unicast or multicast.

One datagram may hold several sentences and need not end with a line end: one is added, so that the last sentence of a
datagram never waits for the next, nor joins with it. The header of IEC 61162-450 is taken off; its datagrams
that hold no sentences (binary images) are counted as ``foreign``.

What the kernel had to drop because nobody read in time is asked of the kernel with each datagram (``SO_RXQ_OVFL``).

*Source:* IEC 61162-450:2018 clause 7.2 (``UdPbC\\0``); socket(7), ip(7).
"""

import socket
import struct
from collections import Counter

from contracts.errors import LinkError
from edge_agent.links.descriptor import ReadableDescriptor, read_ready
from edge_agent.parsers.iec450 import split_datagram
from firmware_configs.links import UdpLink as UdpLinkConfig

MAX_DATAGRAM_BYTES = 64 * 1024
"""Longest datagram that UDP can carry."""

RECEIVE_BUFFER_BYTES = 1024 * 1024
"""Asked of the kernel: a second of 8 Mbit/s. It may give less (``net.core.rmem_max``)."""

_SO_RXQ_OVFL = 40
_DROPS = struct.Struct("=I")


class UdpLink:
    """``Link`` over a UDP socket."""

    def __init__(self, config: UdpLinkConfig) -> None:
        self._config = config
        self._socket: socket.socket | None = None
        self._descriptor: ReadableDescriptor | None = None
        self._counters: Counter[str] = Counter()
        self._drops_seen = 0

    @property
    def counters(self) -> dict[str, int]:
        """Totals: ``bytes``, ``datagrams``, ``truncated``, ``foreign``, ``overruns`` (dropped by the kernel)."""
        return dict(self._counters)

    @property
    def port(self) -> int:
        """Port that the open socket is bound to."""
        return self._config.port if self._socket is None else int(self._socket.getsockname()[1])

    @property
    def _subject(self) -> str:
        return f"udp {self._config.group or self._config.bind}:{self._config.port}"

    async def open(self) -> None:
        """Bind, and join the group on its interface.

        Raises:
            LinkError: reason ``open_failed``.
        """
        await self.close()
        config = self._config
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            endpoint.setblocking(False)
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            endpoint.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            if config.group is None:
                endpoint.bind((config.bind, config.port))
            else:
                # several receivers of a group may share its port; bound to the group, other groups stay out
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                endpoint.bind((config.group, config.port))
                member = socket.inet_aton(config.group) + socket.inet_aton(config.interface)
                endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError as exc:
            endpoint.close()
            hint = "check port, group and the address of the interface"
            raise LinkError("open", self._subject, exc.strerror or str(exc), hint, "open_failed") from exc
        self._socket = endpoint
        self._descriptor = ReadableDescriptor(endpoint.fileno())
        self._drops_seen = 0

    async def read(self) -> bytes:
        """Wait for a datagram and return it, ended by a line feed.

        Raises:
            LinkError: reason ``closed`` (not open) or ``lost`` (the interface is gone).
        """
        if self._descriptor is None:
            raise LinkError("read", self._subject, "not open", "", "closed")
        return await read_ready(self._descriptor, self._read_now)

    async def close(self) -> None:
        """Leave the group and release the port."""
        endpoint, self._socket = self._socket, None
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            descriptor.release()
        if endpoint is not None:
            endpoint.close()

    def _read_now(self) -> bytes | None:
        if self._socket is None:
            raise LinkError("read", self._subject, "closed while reading", "", "closed")
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(MAX_DATAGRAM_BYTES - 1, socket.CMSG_SPACE(_DROPS.size))
        except BlockingIOError:
            return None
        except OSError as exc:
            raise LinkError("read", self._subject, exc.strerror or str(exc), "", "lost") from exc
        self._count(len(data), flags, ancillary)
        sentences = split_datagram(data)
        if sentences is None:
            self._counters["foreign"] += 1
        return sentences

    def _count(self, size_bytes: int, flags: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        self._counters["datagrams"] += 1
        self._counters["bytes"] += size_bytes
        if flags & socket.MSG_TRUNC:
            self._counters["truncated"] += 1
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL and len(value) == _DROPS.size:
                (drops,) = _DROPS.unpack(value)
                self._counters["overruns"] += (drops - self._drops_seen) % 2**32
                self._drops_seen = drops
