"""An RS-485 bus as a pseudo-terminal: several simulated PLCs behind one tty, answered by pymodbus's RTU server.

Two pseudo-terminals are joined back to back, as a cable joins two ports: the driver opens one, the server the other.
What passes is looked at only to let a unit be dead: requests to it end in the cable, as on a real bus.

*Source:* MODBUS over Serial Line V1.02, clause 2.2 (master and slaves), 2.5.1 (RTU framing); pty(7).
"""

import asyncio
import os
import termios
import tty
from collections import Counter
from collections.abc import Sequence

from pymodbus.server import ModbusSerialServer

from contracts.errors import LinkError
from edge_agent.simulation.modbus_plc import ModbusPlc

_CHUNK = 4096


class RtuBus:
    """One bus. ``open`` it before use.

    Args:
        plcs: the PLCs, each with its unit id.
        baud: speed that is told to the driver; a pseudo-terminal has none of its own.

    Attributes:
        dead: unit ids that do not answer.
        requests: requests seen, by unit id.
    """

    def __init__(self, plcs: Sequence[ModbusPlc], baud: int) -> None:
        self._plcs = plcs
        self._unit_ids = {plc.unit_id for plc in plcs}
        self._baud = baud
        self._descriptors: list[int] = []
        self._server: ModbusSerialServer | None = None
        self.device = ""
        self.dead: set[int] = set()
        self.requests: Counter[int] = Counter()

    async def open(self) -> None:
        """Make the cable and let the PLCs listen.

        Raises:
            LinkError: the system gives no pseudo-terminals.
        """
        try:
            near, near_slave = _open_pty()
            self._descriptors += [near, near_slave]
            far, far_slave = _open_pty()
            self._descriptors += [far, far_slave]
        except (OSError, termios.error) as exc:
            await self.close()
            raise LinkError("open pseudo-terminal", "/dev/ptmx", str(exc), "are there free ptys?", "no_pty") from exc
        # the slaves stay open here: a tty without a reader would hang up, and a cable does not
        self.device = os.ttyname(near_slave)
        devices = [plc.device() for plc in self._plcs]
        self._server = ModbusSerialServer(devices, port=os.ttyname(far_slave), ignore_missing_devices=True)
        await self._server.serve_forever(background=True)
        loop = asyncio.get_running_loop()
        loop.add_reader(near, self._pass_request, near, far)
        loop.add_reader(far, self._pass, far, near)

    def link(self) -> dict[str, object]:
        """Return the link settings of the bus; Linux refuses parity on a pseudo-terminal."""
        return {"kind": "serial", "device": self.device, "baud": self._baud, "parity": "N"}

    async def close(self) -> None:
        """Take the cable away; the tty disappears. Any number of times."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus has no types there
        descriptors, self._descriptors = self._descriptors, []
        for descriptor in descriptors:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _pass_request(self, source: int, target: int) -> None:
        data = _read(source)
        if not data:
            return
        self.requests[data[0]] += 1
        if data[0] in self._unit_ids and data[0] not in self.dead:
            _write(target, data)

    def _pass(self, source: int, target: int) -> None:
        _write(target, _read(source))


def _open_pty() -> tuple[int, int]:
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        # nothing there after all, or the other end went away this instant: then nothing comes any more
        return b""


def _write(descriptor: int, data: bytes) -> None:
    try:
        os.write(descriptor, data)
    except OSError:
        # a cable that is full or cut loses what is sent: the master's timeout tells
        return
