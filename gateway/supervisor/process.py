"""Processes of drivers: our own children, and those that an earlier gateway left behind."""

import asyncio
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from contracts.errors import LinkError
from edge_agent.handover.source_lock import read_holder
from gateway.supervisor.memory import limit_data, resident_bytes

POLL_S = 0.25
"""A process that is not our child cannot be waited for; its lock is looked at this often."""


class DriverProcess(Protocol):
    """A running driver."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    async def wait(self) -> int | None:
        """Wait for its end; returns the exit code (negative: signal), None where it cannot be known."""
        ...

    def send(self, signal_number: int) -> None:
        """Send a signal; nothing happens if it is gone."""
        ...

    def resident_bytes(self) -> int | None:
        """Return its memory in use, bytes; None where it cannot be known."""
        ...


class OwnProcess:
    """A child of this gateway."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """See the port."""
        return self._process.pid

    async def wait(self) -> int | None:
        """See the port."""
        return await self._process.wait()

    def send(self, signal_number: int) -> None:
        """See the port."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal_number)

    def resident_bytes(self) -> int | None:
        """See the port."""
        return resident_bytes(self._process.pid)


class AdoptedProcess:
    """A driver of an earlier gateway. It lives as long as it holds the lock of its source.

    Args:
        pid: from the lock file.
        lock: the lock file.
    """

    def __init__(self, pid: int, lock: Path) -> None:
        self._pid = pid
        self._lock = lock

    @property
    def pid(self) -> int:
        """See the port."""
        return self._pid

    async def wait(self) -> int | None:
        """See the port."""
        while True:
            if lock_holder(self._lock) != self._pid:
                return None
            await asyncio.sleep(POLL_S)

    def send(self, signal_number: int) -> None:
        """Signal it only while it holds the lock: a pid alone may be somebody else's by now."""
        if lock_holder(self._lock) == self._pid:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._pid, signal_number)

    def resident_bytes(self) -> int | None:
        """See the port."""
        return resident_bytes(self._pid)


def lock_holder(path: Path) -> int | None:
    """Return the pid of the process that holds the lock of a source, None if it is free.

    Args:
        path: the lock file.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return read_holder(path)
    finally:
        os.close(file)
    return None


class Launcher:
    """Starts drivers.

    Args:
        config: device profile.
        profiles: folder of the other profiles.
        socket_path: hand-over socket.
        memory_mib: cap of a driver's resident memory, MiB.
    """

    def __init__(self, config: Path, profiles: Path, socket_path: Path, memory_mib: int) -> None:
        self._memory_mib = memory_mib
        self._config = config
        self._profiles = profiles
        self._socket_path = socket_path

    async def start(self, source: str, log_path: Path) -> DriverProcess:
        """Start the driver of a source, in a session of its own: Ctrl-C at a terminal is for the gateway.

        Its stderr goes to a file and not to a pipe: after a crash of the gateway nobody would read the pipe, and the
        driver, which must live on for the next gateway, would die of its first log line.

        Raises:
            LinkError: the system cannot start it now.
        """
        arguments = [
            sys.executable, "-m", "edge_agent", "run", "--config", str(self._config), "--source", source,
            "--socket", str(self._socket_path), "--profiles", str(self._profiles),
        ]  # fmt: skip
        try:
            log_file = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                process = await asyncio.create_subprocess_exec(
                    *arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=log_file,
                    start_new_session=True,
                )
            finally:
                os.close(log_file)
        except OSError as exc:
            raise LinkError("start driver", source, str(exc), "is the device out of memory or disk?", "start") from exc
        limit_data(process.pid, self._memory_mib)
        return OwnProcess(process)


async def end(process: DriverProcess, grace_s: float) -> int | None:
    """Ask a driver to end, and make it end after ``grace_s``; returns its exit code."""
    process.send(signal.SIGTERM)
    try:
        async with asyncio.timeout(grace_s):
            return await process.wait()
    except TimeoutError:
        process.send(signal.SIGKILL)
        return await process.wait()
