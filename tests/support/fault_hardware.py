"""Hardware of a quay in a process of its own, with the faults that hardware has; told by lines on standard input.

Run as ``python -m tests.support.fault_hardware FOLDER UDP_PORT``. It prints one JSON line with its ports, then obeys:
``flood X``, ``unplug X`` and ``mend X``, where X is ``pty``, ``tcp``, ``udp``, ``crane`` or ``berth``, and answers each
with a line. Wind is told ten times a second on every line; PLCs show another load at each request.
"""

import asyncio
import json
import os
import random
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pymodbus.constants import ExcCodes

from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap
from tests.support.plc_server import PlcServer
from tests.support.processes import free_port
from tests.support.ptys import SensorPty
from tests.support.sentences import wind_sentence

PERIOD_S = 0.1
GARBAGE = random.Random(8).randbytes(4096)
FIELDS = {"crane": ("sts-plc-a", "hoist_load_t"), "berth": ("berth-hooks", "hook_tension_kn[0]")}


class RestlessPlc(PlcServer):
    """A PLC whose reading is another at each request, so that every sample is worth a record."""

    def __init__(self, name: str, port: int) -> None:
        registers, self._field = FIELDS[name]
        register_map = read_profile(PROFILES_DIR / "hardware" / "registers" / f"{registers}.yaml", RegisterMap)
        super().__init__(register_map, {}, port)
        self._requests = 0

    async def _answer(
        self, code: int, start: int, address: int, count: int, registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:  # fmt: skip
        self._requests += 1
        self.show({self._field: 1.0 + self._requests % 7 * 5.0})
        return await super()._answer(code, start, address, count, registers, values)


class FloodServer:
    """A TCP server that sends garbage as fast as it is read, whatever it is asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            while True:
                writer.write(GARBAGE)
                await writer.drain()


class WindServer(FloodServer):
    """A terminal server with an anemometer behind it."""

    def tell(self, line: bytes) -> None:
        for writer in self._writers:
            writer.write(line)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await reader.read()
        self._writers.discard(writer)


class Quay:
    """All of it; ``faults`` holds what is wrong with what."""

    def __init__(self, folder: Path, udp_port: int) -> None:
        self._name = folder / "porttrack-wind"
        self._udp_port = udp_port
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setblocking(False)
        self._pty: SensorPty | None = None
        self.ports = {name: free_port() for name in ("tcp", "crane", "berth")}
        self._servers: dict[str, FloodServer | PlcServer] = {}
        self.faults: dict[str, str] = {}

    async def open(self) -> None:
        self._plug()
        for name in self.ports:
            await self._serve(name)

    async def close(self) -> None:
        for server in self._servers.values():
            await server.stop()
        await asyncio.sleep(0.1)  # connections see their end

    async def obey(self, line: str) -> None:
        word, _, name = line.partition(" ")
        self.faults.pop(name, None)
        if word != "mend":
            self.faults[name] = word
        if name == "pty":
            if word == "unplug":
                self._unplug()
            elif self._pty is None:
                self._plug()
        elif name in self.ports:
            await self._servers.pop(name).stop() if name in self._servers else None
            if word != "unplug":
                await self._serve(name)

    async def tell_wind(self) -> None:
        loop, number = asyncio.get_running_loop(), 0
        due_s = loop.time()
        while True:
            due_s += PERIOD_S
            await asyncio.sleep(due_s - loop.time())
            number += 1
            line = wind_sentence(number)
            if self._pty is not None:
                self._write_pty(line)
            server = self._servers.get("tcp")
            if isinstance(server, WindServer):
                server.tell(line)
            if "udp" not in self.faults:
                self._send(line)

    async def flood_lines(self) -> None:
        """Garbage on the pty and as datagrams, as fast as the pty is read and datagrams are taken."""
        while True:
            is_busy = False
            if self.faults.get("pty") == "flood" and self._pty is not None:
                is_busy |= self._write_pty(GARBAGE)
            if self.faults.get("udp") == "flood":
                is_busy |= self._send(GARBAGE[:1400])
            await asyncio.sleep(0 if is_busy else 0.001)

    def _write_pty(self, data: bytes) -> bool:
        with suppress(OSError):
            return os.write(self._pty._master, data) > 0 if self._pty is not None else False
        return False

    def _send(self, data: bytes) -> bool:
        with suppress(OSError):
            return self._udp.sendto(data, ("127.0.0.1", self._udp_port)) > 0
        return False

    def _plug(self) -> None:
        self._pty = SensorPty()
        self._name.symlink_to(self._pty.device)

    def _unplug(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None
            self._name.unlink()

    async def _serve(self, name: str) -> None:
        port = self.ports[name]
        make: Callable[[], FloodServer | PlcServer]
        if self.faults.get(name) == "flood":
            make = lambda: FloodServer(port)  # noqa: E731 - one expression a kind
        elif name == "tcp":
            make = lambda: WindServer(port)  # noqa: E731 - see above
        else:
            make = lambda: RestlessPlc(name, port)  # noqa: E731 - see above
        for _ in range(50):  # connections of the server before it may still hold the port for a moment
            server = make()
            try:
                await server.start()
            except (OSError, RuntimeError):
                await asyncio.sleep(0.05)
                continue
            self._servers[name] = server
            return
        raise AssertionError(f"{name}: port {port} is taken")


async def main(folder: Path, udp_port: int) -> None:
    quay = Quay(folder, udp_port)
    await quay.open()
    sys.stdout.write(json.dumps(quay.ports) + "\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(quay.tell_wind()), group.create_task(quay.flood_lines())]
        while line := await reader.readline():
            await quay.obey(line.decode().strip())
            sys.stdout.write("done\n")
            sys.stdout.flush()
        for task in tasks:
            task.cancel()
    await quay.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
