"""Where a replayed recording goes: a pseudo-terminal, a TCP client, datagrams. Each fails with ``LinkError``.

A replay stands in for hardware and so does not begin before somebody listens, where that can be known.

*Source:* pty(7), tty_ioctl(4): POLLHUP on the master while no process has the slave open; ip(7) for multicast.
"""

import asyncio
import os
import re
import select
import socket
import tty
from contextlib import suppress
from typing import Protocol

from contracts.errors import LinkError

LINGER_S = 2.0
"""Time that a reader has to take the last bytes before its line is closed under it."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_LOOK_S = 0.02
_STALL_TIMEOUT_S = 60.0
"""A reader that takes nothing for this long is not reading any more."""


class Outlet(Protocol):
    """One way out. ``open`` says where; ``ready`` returns once somebody listens; ``close`` lets the last bytes go."""

    async def open(self) -> str:
        """Make the endpoint; return its name."""
        ...

    async def ready(self) -> None:
        """Wait for a listener."""
        ...

    async def send(self, data: bytes) -> None:
        """Send bytes, in order, all of them."""
        ...

    async def close(self) -> None:
        """End the endpoint; any number of times."""
        ...


class PtyOutlet:
    """A pseudo-terminal: the reader opens its device as it would a serial port, at any rate."""

    def __init__(self) -> None:
        self._master: int | None = None

    async def open(self) -> str:
        """See the port.

        Raises:
            LinkError: there is no pseudo-terminal to be had (reason ``no_pty``).
        """
        try:
            self._master, slave = os.openpty()
            device = os.ttyname(slave)
            tty.setraw(slave)
            os.set_blocking(self._master, False)
            os.close(slave)
        except OSError as exc:
            raise LinkError("open pseudo-terminal", "/dev/ptmx", str(exc), "are there free ptys?", "no_pty") from exc
        return device

    async def ready(self) -> None:
        """See the port."""
        while not self._has_reader():  # noqa: ASYNC110 - the kernel tells of a reader only when it is asked
            await asyncio.sleep(_LOOK_S)

    async def send(self, data: bytes) -> None:
        """See the port.

        Raises:
            LinkError: the reader has closed the device (reason ``lost``) or does not read (``timeout``).
        """
        view = memoryview(data)
        stall_s = 0.0
        while view:
            if self._master is None or not self._has_reader():
                raise LinkError("replay", "pseudo-terminal", "its reader has gone", "", "lost")
            try:
                written = os.write(self._master, view)
            except BlockingIOError:
                written = 0
            if written:
                view = view[written:]
                stall_s = 0.0
                continue
            stall_s += _LOOK_S
            if stall_s >= _STALL_TIMEOUT_S:
                cause = f"its reader took nothing for {_STALL_TIMEOUT_S:g} s"
                raise LinkError("replay", "pseudo-terminal", cause, "", "timeout")
            await asyncio.sleep(_LOOK_S)

    async def close(self) -> None:
        """See the port; waits until the reader has gone, at most ``LINGER_S``."""
        if self._master is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while self._has_reader():  # noqa: ASYNC110 - see ``ready``
                    await asyncio.sleep(_LOOK_S)
        os.close(self._master)
        self._master = None

    def _has_reader(self) -> bool:
        if self._master is None:
            return False
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))


class TcpOutlet:
    """A TCP server for one client, the first that comes.

    Args:
        host: address to listen on.
        port: port, 0 for a free one.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._client: asyncio.Future[asyncio.StreamWriter] | None = None

    async def open(self) -> str:
        """See the port.

        Raises:
            LinkError: the address cannot be had (reason ``refused``).
        """
        self._client = asyncio.get_running_loop().create_future()
        try:
            self._server = await asyncio.start_server(self._accept, self._host, self._port)
        except OSError as exc:
            where = f"{self._host}:{self._port}"
            raise LinkError("listen", where, exc.strerror or str(exc), "is the port free?", "refused") from exc
        return f"{self._host}:{self._server.sockets[0].getsockname()[1]}"

    async def ready(self) -> None:
        """See the port."""
        if self._client is not None:
            await self._client

    async def send(self, data: bytes) -> None:
        """See the port.

        Raises:
            LinkError: the client has gone (reason ``lost``) or does not read (``timeout``).
        """
        if self._client is None or not self._client.done():
            raise LinkError("replay", self._host, "no client", "", "closed")
        writer = self._client.result()
        try:
            writer.write(data)
            async with asyncio.timeout(_STALL_TIMEOUT_S):
                await writer.drain()
        except TimeoutError as exc:
            raise LinkError("replay", self._host, "the client does not read", "", "timeout") from exc
        except OSError as exc:
            raise LinkError("replay", self._host, exc.strerror or str(exc), "", "lost") from exc

    async def close(self) -> None:
        """See the port."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._client is not None and self._client.done() and not self._client.cancelled():
            writer = self._client.result()
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await writer.wait_closed()

    async def _accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._client is None or self._client.done():
            writer.close()
        else:
            self._client.set_result(writer)


class UdpOutlet:
    """One datagram a line, to one address or, with ``interface``, to a multicast group on that interface.

    Args:
        host: address or group.
        port: port.
        interface: address of the interface to send to a group on; None: not a group.
    """

    def __init__(self, host: str, port: int, interface: str | None) -> None:
        self._address = (host, port)
        self._interface = interface
        self._socket: socket.socket | None = None

    async def open(self) -> str:
        """See the port.

        Raises:
            LinkError: no such address or interface (reason ``refused``).
        """
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            endpoint.setblocking(False)
            if self._interface is not None:
                endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._interface))
            endpoint.connect(self._address)
        except OSError as exc:
            endpoint.close()
            where = f"{self._address[0]}:{self._address[1]}"
            hint = "check the address; a group needs --group"
            raise LinkError("send datagrams", where, exc.strerror or str(exc), hint, "refused") from exc
        self._socket = endpoint
        return f"udp {self._address[0]}:{self._address[1]}"

    async def ready(self) -> None:
        """See the port: nobody can tell whether datagrams are heard."""

    async def send(self, data: bytes) -> None:
        """See the port: each line of ``data`` is a datagram.

        Raises:
            LinkError: the system does not take it (reason ``lost``).
        """
        if self._socket is None:
            raise LinkError("replay", "udp", "not open", "", "closed")
        for datagram in _LINES.findall(data):
            await self.send_datagram(datagram)

    async def send_datagram(self, datagram: bytes) -> None:
        """Send one datagram as it is; nothing once closed.

        Raises:
            LinkError: the system does not take it (reason ``lost``).
        """
        if self._socket is None:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._socket, datagram)
        except ConnectionRefusedError:
            # the answer to an earlier datagram: nobody had the port open. This one was not sent yet
            with suppress(ConnectionRefusedError):
                await loop.sock_sendall(self._socket, datagram)
        except OSError as exc:
            raise LinkError("send datagrams", self._address[0], exc.strerror or str(exc), "", "lost") from exc

    async def close(self) -> None:
        """See the port."""
        endpoint, self._socket = self._socket, None
        if endpoint is not None:
            endpoint.close()
