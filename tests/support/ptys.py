"""A sensor's serial line: the test holds the master, the driver under test opens the slave as a real tty."""

import os
import select
import time
import tty
from collections.abc import Iterable


class SensorPty:
    """A pty that is written as an instrument would write."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)

    def write(self, data: bytes, timeout_s: float = 30.0) -> None:
        """Write all of ``data``, waiting for the reader as a UART's flow control would.

        Raises:
            AssertionError: nobody read for ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._master, view)
            except BlockingIOError:
                written = 0
            if written:
                view = view[written:]
                deadline = time.monotonic() + timeout_s
                continue
            assert time.monotonic() < deadline, f"nobody read {self.device} for {timeout_s:.0f} s"
            select.select([], [self._master], [], 0.05)

    def write_lines(self, lines: Iterable[tuple[float, bytes]]) -> None:
        """Write each line at its time, seconds from now; late lines follow at once."""
        start = time.monotonic()
        for at_s, line in lines:
            delay = start + at_s - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            self.write(line)

    def close(self) -> None:
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
