"""Real processes for system tests: started, watched, killed, with their output in a file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
STOP_TIMEOUT_S = 12
LOG_TAIL_BYTES = 6000


class Process:
    """One command of the product, run from the checkout."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.command = [sys.executable, "-m", *arguments]
        self.log = log
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )

    def kill(self) -> None:
        """``kill -9``; children are left to themselves, as a crash leaves them."""
        assert self._child is not None
        self._child.send_signal(signal.SIGKILL)
        self._child.wait(timeout=STOP_TIMEOUT_S)

    def stop(self) -> int:
        """SIGTERM, and the exit code; a process that does not end in time fails the test."""
        assert self._child is not None
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            msg = f"{self.name} did not stop in {STOP_TIMEOUT_S} s\n{self.tail()}"
            raise AssertionError(msg) from None

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself, and return its exit code."""
        assert self._child is not None
        return self._child.wait(timeout=timeout_s)

    def children(self, containing: str = "") -> list[psutil.Process]:
        """Running descendants whose command line holds ``containing``."""
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            try:
                if containing in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def tail(self) -> str:
        """End of its output."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""


def free_port() -> int:
    """Return a TCP port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], timeout_s: float, what: str, interval_s: float = 0.1) -> None:
    """Wait until ``condition()`` is true.

    Raises:
        AssertionError: it did not become true in ``timeout_s``; says ``what`` was awaited.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s:.0f} s still not: {what}"
        time.sleep(interval_s)


@contextmanager
def ending(processes: list[Process]) -> Iterator[None]:
    """End what still runs of ``processes`` and of their descendants, latest first."""
    try:
        yield
    finally:
        for process in reversed(processes):
            if not process.is_running:
                continue
            family = [*psutil.Process(process.pid).children(recursive=True)]
            try:
                process.stop()
            finally:
                _kill_left(family)


def _kill_left(family: list[psutil.Process]) -> None:
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
