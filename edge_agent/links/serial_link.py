"""A serial port, or a pseudo-terminal: pyserial opens and configures it, the event loop reads it.

pyserial's own ``read`` is not used: it needs a thread, and answers an unplugged adapter with a timeout on some kernels.

*Source:* IEC 61162-1:2016 clause 5 (4,800 baud, 8 data bits, no parity, 1 stop bit); tty_ioctl(4) for ``TIOCGICOUNT``.
"""

import errno
import fcntl
import os
import struct
import termios
from collections import Counter

import serial

from contracts.errors import LinkError
from edge_agent.links.descriptor import ReadableDescriptor, read_ready
from firmware_configs.links import SerialLink as SerialLinkConfig

MAX_READ_BYTES = 64 * 1024
"""The port's contract; a tty gives 4 KiB at most."""

_CONTROL_CHARACTERS = 6
_TIOCGICOUNT = 0x545D
_ICOUNT = struct.Struct("20i")
_ICOUNT_FIELDS = {6: "framing_errors", 7: "overruns", 8: "parity_errors", 10: "buffer_overruns"}
_HINTS = {
    errno.ENOENT: "is the adapter plugged in? /dev/serial/by-id lists those that are",
    errno.EACCES: "the service user must be in the group that owns the port (dialout)",
    errno.EPERM: "the service user must be in the group that owns the port (dialout)",
    errno.EBUSY: "another process has the port open",
    errno.EAGAIN: "another process holds the lock of the port",
    errno.ENOTTY: "this file is not a serial port",
}


class _InputKeepingSerial(serial.Serial):  # type: ignore[misc] # pyserial has no types
    """A port that is opened without throwing away what has already arrived.

    pyserial flushes the input on opening. A restarted driver would lose what the instrument wrote meanwhile, uncounted.
    A UART that nobody had open has nothing old to give: its receiver was off.
    """

    def _reset_input_buffer(self) -> None:
        """Keep it."""


class SerialLink:
    """``Link`` over a tty, opened for this process alone."""

    def __init__(self, config: SerialLinkConfig) -> None:
        self._config = config
        self._port: serial.Serial | None = None
        self._descriptor: ReadableDescriptor | None = None
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> dict[str, int]:
        """Totals: ``bytes``, and from the UART's driver, where it counts, ``overruns``, ``framing_errors``, …."""
        self._count_uart_errors()
        return dict(self._counters)

    async def open(self) -> None:
        """Open and lock the port.

        Raises:
            LinkError: reason ``open_failed``.
        """
        await self.close()
        try:
            port = _open_port(self._config)
        except (serial.SerialException, OSError, ValueError, termios.error) as exc:
            raise self._open_error(exc) from exc
        self._port = port
        self._descriptor = ReadableDescriptor(port.fileno())

    async def read(self) -> bytes:
        """Wait for bytes.

        Raises:
            LinkError: reason ``closed`` (not open) or ``lost`` (unplugged, hung up).
        """
        if self._port is None or self._descriptor is None:
            raise LinkError("read serial port", self._config.device, "not open", "", "closed")
        data = await read_ready(self._descriptor, self._read_now)
        self._counters["bytes"] += len(data)
        return data

    async def close(self) -> None:
        """Release the port and its lock."""
        port, self._port = self._port, None
        descriptor, self._descriptor = self._descriptor, None
        if port is None:
            return
        if descriptor is not None:
            descriptor.release()
        try:
            port.close()
        except (OSError, termios.error):
            # an unplugged adapter cannot be restored to its former settings; its descriptor is gone either way
            self._counters["close_errors"] += 1

    def _read_now(self) -> bytes | None:
        device = self._config.device
        if self._port is None:
            raise LinkError("read serial port", device, "closed while reading", "", "closed")
        try:
            data = os.read(self._port.fileno(), MAX_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as exc:
            raise LinkError("read serial port", device, exc.strerror or str(exc), "check the cable", "lost") from exc
        if not data:
            raise LinkError("read serial port", device, "hung up", "check the cable", "lost")
        return data

    def _count_uart_errors(self) -> None:
        if self._port is None:
            return
        try:
            answer = fcntl.ioctl(self._port.fileno(), _TIOCGICOUNT, bytes(_ICOUNT.size))
        except OSError:
            return  # a pseudo-terminal or an adapter that does not count
        totals = _ICOUNT.unpack(answer)
        for index, name in _ICOUNT_FIELDS.items():
            if totals[index]:
                self._counters[name] = totals[index]

    def _open_error(self, exc: Exception) -> LinkError:
        number = getattr(exc, "errno", None)
        if number is None and isinstance(exc.__context__, OSError | termios.error):
            number = exc.__context__.args[0] if exc.__context__.args else None
        cause = os.strerror(number) if isinstance(number, int) else str(exc)
        hint = _HINTS.get(number, "") if isinstance(number, int) else ""
        return LinkError("open serial port", self._config.device, cause, hint, "open_failed")


def _open_port(config: SerialLinkConfig) -> serial.Serial:
    port = _InputKeepingSerial(
        port=config.device,
        baudrate=config.baud,
        parity=config.parity,
        stopbits=config.stop_bits,
        timeout=0,
        exclusive=True,
    )
    try:
        # as pyserial leaves the port (VMIN 0) a read without data is empty, like one after a hang-up; with VMIN 1 it
        # fails with EAGAIN
        attributes = termios.tcgetattr(port.fileno())
        attributes[_CONTROL_CHARACTERS][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
    except termios.error:
        port.close()
        raise
    return port
