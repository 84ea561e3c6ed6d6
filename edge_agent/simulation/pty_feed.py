"""A serial instrument as a pseudo-terminal: sentences written to the master side, a real tty for the driver.

A reader that is absent or slow never blocks the simulation and never makes it grow: without a reader nothing is kept
(an unplugged line keeps nothing either), a slow one loses the oldest sentences. Both are counted.

*Source:* pty(7), tty_ioctl(4). Linux reports POLLHUP on the master while no process has the slave open.
"""

import os
import select
import termios
import tty
from collections import Counter, deque
from collections.abc import Sequence

from contracts.errors import LinkError

MAX_PENDING_BYTES = 64 * 1024
"""Sentences kept for a reader that does not read: 17 s of a 38,400 baud line. The oldest go."""
_CHUNK = 4096

_SPEEDS = {
    1200: termios.B1200,
    2400: termios.B2400,
    4800: termios.B4800,
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}


class PtyFeed:
    """One simulated serial line.

    Args:
        baud: speed that the line is set to; one of the rates of ``firmware_configs.links.SerialLink``.

    Raises:
        LinkError: the system gives no pseudo-terminal.
        KeyError: no such rate.
    """

    def __init__(self, baud: int) -> None:
        self._baud = baud
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._dropped: Counter[str] = Counter()
        self._is_attached = False
        speed = _SPEEDS[baud]
        try:
            self._master: int | None
            self._master, slave = os.openpty()
            self.device = os.ttyname(slave)
            tty.setraw(slave)
            attributes = termios.tcgetattr(slave)
            attributes[4] = attributes[5] = speed
            termios.tcsetattr(slave, termios.TCSANOW, attributes)
            os.set_blocking(self._master, False)
            # from here on the master tells by POLLHUP whether anybody has the line open
            os.close(slave)
        except (OSError, termios.error) as exc:
            raise LinkError("open pseudo-terminal", "/dev/ptmx", str(exc), "are there free ptys?", "no_pty") from exc

    @property
    def dropped(self) -> dict[str, int]:
        """Sentences dropped since the start: ``no_reader``, ``overflow``."""
        return dict(self._dropped)

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the reader."""
        return self._pending_bytes

    def link(self) -> dict[str, object]:
        """Return the link settings of the line."""
        return {"kind": "serial", "device": self.device, "baud": self._baud}

    def send(self, lines: Sequence[str]) -> bool:
        """Send sentences; returns whether a reader has attached since the last call."""
        if self._master is None:
            return False
        was_attached, self._is_attached = self._is_attached, self._has_reader(self._master)
        if not self._is_attached:
            if was_attached:
                self._forget()
            self._dropped["no_reader"] += len(lines)
            return False
        for line in lines:
            data = line.encode("ascii")
            self._pending.append(data)
            self._pending_bytes += len(data)
        self._flush(self._master)
        self._drop_oldest()
        return not was_attached

    async def close(self) -> None:
        """Close the line; the tty disappears. May be called more than once."""
        if self._master is not None:
            os.close(self._master)
            self._master = None

    @staticmethod
    def _has_reader(master: int) -> bool:
        poll = select.poll()
        poll.register(master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def _forget(self) -> None:
        """Drop what waited for a reader that went away, also in the kernel: the next one must not read old news."""
        self._dropped["no_reader"] += len(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        try:
            slave = os.open(self.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            # the tty went away between two calls: then its buffer is gone too
            return
        try:
            termios.tcflush(slave, termios.TCIFLUSH)
        finally:
            os.close(slave)

    def _flush(self, master: int) -> None:
        while self._pending:
            data = b"".join(self._pending)[:_CHUNK]
            try:
                written = os.write(master, data)
            except (BlockingIOError, OSError):
                # full, or the reader went away this instant: the next call sees which
                return
            self._consume(written)

    def _consume(self, written: int) -> None:
        self._pending_bytes -= written
        while written:
            first = self._pending[0]
            if written < len(first):
                self._pending[0] = first[written:]
                return
            written -= len(first)
            self._pending.popleft()

    def _drop_oldest(self) -> None:
        # the first one may be half written: it stays, so that no sentence is cut
        while self._pending_bytes > MAX_PENDING_BYTES and len(self._pending) > 1:
            head = self._pending.popleft()
            self._pending_bytes -= len(self._pending.popleft())
            self._pending.appendleft(head)
            self._dropped["overflow"] += 1
