"""One child process in a session of its own: start, wait, signal, stop. A shell: decides nothing.

A session of its own keeps Ctrl-C of the terminal away from it: its supervisor stops it, in its order.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from contracts.errors import LinkError
from fleet_deploy.processes import launch

STOP_GRACE_S = 5.0
"""From SIGTERM to SIGKILL where the caller names no other time."""
KILL_WAIT_S = 5.0
"""For the kernel to end a killed process; only one stuck in a device driver takes longer."""


class Child:
    """A started process. Make it with ``start``."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process

    @property
    def pid(self) -> int:
        """Process id, and id of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative signal number, or None while it runs."""
        return self._process.returncode

    @classmethod
    async def start(
        cls,
        name: str,
        command: list[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> "Child":
        """Start ``command`` so that it ends with this process.

        Args:
            name: for messages.
            command: program and arguments.
            folder: working folder.
            environment: its whole environment; default is ours.
            log: file that its output is appended to; default is where ours goes. A file and not a pipe: what outlives
                us, or a child of it that outlives it, never blocks on a pipe that nobody reads.

        Raises:
            LinkError: the kernel refuses (out of processes, memory or files), or the log cannot be opened.
        """
        try:
            with ExitStack() as stack:
                output = stack.enter_context(log.open("ab")) if log is not None else None
                process = await asyncio.create_subprocess_exec(
                    *launch_command(command),
                    cwd=folder,
                    env=environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as exc:
            raise LinkError("start process", name, exc.strerror or str(exc)) from exc
        return cls(name, process)

    async def wait(self) -> int:
        """Wait for its end; returns the exit code or negative signal number. Runs as long as the process does."""
        return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self, grace_s: float = STOP_GRACE_S) -> int | None:
        """SIGTERM to the process, SIGKILL to its whole group when ``grace_s`` have passed.

        Returns:
            the exit code, or None when even SIGKILL did not end it within ``KILL_WAIT_S``.
        """
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        try:
            async with asyncio.timeout(KILL_WAIT_S):
                return await self._process.wait()
        except TimeoutError:
            return None

    def kill(self) -> None:
        """SIGKILL to the whole process group."""
        kill_group(self.pid)


def launch_command(command: list[str]) -> list[str]:
    """Return ``command`` wrapped so that the process ends with this one."""
    # by path, isolated and without site: 10 ms, and it works from any working folder
    return [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command]


def kill_group(group: int) -> None:
    """SIGKILL to a process group; nothing where it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone, or the number already belongs to someone else
        return
