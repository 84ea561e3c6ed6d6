"""The hand-over socket: accepts drivers and gives each a connection. One connection a source, the newest counts."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from contracts.errors import LinkError, PeerError
from edge_agent.clock_reference import ClockReferences
from edge_agent.handover.socket_path import short_path
from gateway.counters import Counters
from gateway.supervisor.connection import DriverConnection
from gateway.supervisor.ports import DriverEvents, RecordStore

SPARE_CONNECTIONS = 8
"""Connections beyond one a source: drivers that reconnect before their old connection is seen to be dead."""
CLOSE_TIMEOUT_S = 1.0
"""Connections end as soon as their last commit has answered."""

log = structlog.get_logger()


class HandOverServer:
    """See the module.

    Args:
        path: of the socket.
        drivers: those that may connect, by source.
        store: where observations go.
        counters: where refusals are counted.
        clocks: UTC by GNSS, shared by all connections.
    """

    def __init__(
        self,
        path: Path,
        drivers: Mapping[str, DriverEvents],
        store: RecordStore,
        counters: Counters,
        clocks: ClockReferences | None = None,
    ) -> None:
        self._clocks = clocks or ClockReferences()
        self._path = path
        self._drivers = drivers
        self._store = store
        self._counters = counters
        self._server: asyncio.Server | None = None
        self._serving: dict[str, DriverConnection] = {}
        self._all_closed = asyncio.Event()
        self._open = 0
        self._all_closed.set()

    async def start(self) -> None:
        """Take over the path and listen.

        Raises:
            LinkError: the folder cannot be made or the socket not bound.
        """
        try:
            with short_path(self._path) as address:
                self._server = await asyncio.start_unix_server(self._accept, address, backlog=64)
            self._path.chmod(0o600)
        except OSError as exc:
            hint = "check the permissions of data_dir"
            raise LinkError("listen for drivers", str(self._path), str(exc), hint, "socket") from exc

    async def close(self) -> None:
        """Close all connections and stop listening."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._serving.values()):
            connection.abort()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._all_closed.wait()
        except TimeoutError:
            log.warning("drivers_not_closed", connections=self._open)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = DriverConnection(reader, writer, self._store, self._clocks)
        if self._open >= len(self._drivers) + SPARE_CONNECTIONS:
            self._counters.add("handover_crowded_out")
            await connection.close()
            return
        self._open += 1
        self._all_closed.clear()
        try:
            await self._serve(connection)
        finally:
            await connection.close()
            self._open -= 1
            if self._open == 0:
                self._all_closed.set()

    async def _serve(self, connection: DriverConnection) -> None:
        try:
            hello = await connection.greet()
        except (PeerError, LinkError) as exc:
            self._counters.add(f"handover_refused_{exc.reason}")
            return
        driver = self._drivers.get(hello.source)
        if driver is None:
            self._counters.add("handover_refused_unknown_source")
            log.warning("driver_unknown", source=hello.source, pid=hello.pid)
            return
        older = self._serving.get(hello.source)
        if older is not None:
            older.abort()
        self._serving[hello.source] = connection
        try:
            await connection.serve(hello, driver)
        except* PeerError as group:
            for fault in _leaves(group):
                driver.misbehaved(fault.reason, fault.cause)
        except* LinkError:
            # the driver keeps what it holds and connects again; the disk's trouble is told by the outbox
            self._counters.add("handover_interrupted")
        finally:
            if self._serving.get(hello.source) is connection:
                del self._serving[hello.source]


def _leaves(group: BaseExceptionGroup[PeerError]) -> list[PeerError]:
    found: list[PeerError] = []
    for item in group.exceptions:
        if isinstance(item, BaseExceptionGroup):
            found += _leaves(item)
        else:
            found.append(item)
    return found
