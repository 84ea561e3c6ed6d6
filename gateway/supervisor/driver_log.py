"""Passes the drivers' log files on to the gateway's log, line by line, within caps."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.counters import Counters

POLL_S = 0.5
MAX_FILE_BYTES = 1024 * 1024
"""A file that has been read is emptied at this size; the log is in the gateway's own log by then."""
MAX_READ_BYTES = 64 * 1024
"""Read of one driver a poll; a driver that writes faster loses the beginning, counted in bytes."""
MAX_LINE_BYTES = 2048
MAX_LINES = 50
"""Lines passed on of one driver a poll: a driver gone mad must not fill the gateway's log; the rest is counted."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Tail:
    source: str
    path: Path
    offset: int
    rest: bytes = b""


class DriverLogs:
    """See the module.

    Args:
        files: log file of each source.
        counters: where what is left out is counted.
    """

    def __init__(self, files: dict[str, Path], counters: Counters) -> None:
        self._counters = counters
        self._tails = [_Tail(source, path, _size(path)) for source, path in files.items()]

    async def run(self) -> None:
        """Pass lines on until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            await asyncio.to_thread(self.poll)

    def poll(self) -> None:
        """Pass on what has been written since the last poll."""
        for tail in self._tails:
            try:
                lines = self._read(tail)
            except OSError:
                self._counters.add("driver_log_errors")
                continue
            for line in lines[:MAX_LINES]:
                _pass_on(tail.source, line[:MAX_LINE_BYTES].decode("utf-8", errors="replace"))
            if len(lines) > MAX_LINES:
                self._counters.add("driver_log_lines_dropped", len(lines) - MAX_LINES)

    def _read(self, tail: _Tail) -> list[bytes]:
        size = _size(tail.path)
        if size < tail.offset:
            tail.offset = 0
        if size == tail.offset:
            return []
        if size - tail.offset > MAX_READ_BYTES:
            self._counters.add("driver_log_bytes_dropped", size - tail.offset - MAX_READ_BYTES)
            tail.offset = size - MAX_READ_BYTES
        with tail.path.open("rb") as file:
            file.seek(tail.offset)
            data = tail.rest + file.read(size - tail.offset)
        tail.offset = size
        *lines, tail.rest = data.split(b"\n")
        tail.rest = tail.rest[:MAX_LINE_BYTES]
        if size > MAX_FILE_BYTES:
            os.truncate(tail.path, 0)
            tail.offset = 0
        return [line for line in lines if line]


def _pass_on(source: str, line: str) -> None:
    """Write a line of a driver's own log as it is, anything else (a traceback) as an event of the gateway."""
    if line.startswith("{") and line.endswith("}"):
        sys.stderr.write(f"{line}\n")
    else:
        log.warning("driver_output", source=source, line=line)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
