"""Parts of a cloud that may be killed or stopped, and a supervisor that starts them again, as systemd would."""

import contextlib
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import psutil

from tests.support.broker import RunningBroker
from tests.support.processes import Process

RESTART_S = 0.2
"""Between the end of a part and its new start; systemd's default is 0.1 s."""
ANSWER_TIMEOUT_S = 1.0


class Part(Protocol):
    """One process of the cloud, or a family of them."""

    name: str

    def pids(self) -> list[int]:
        """Return what is to be killed or stopped, the head of the family first."""

    def is_running(self) -> bool:
        """Tell whether the head lives."""

    def start(self) -> None:
        """Start it again; need not wait until it answers.

        Raises:
            OSError, AssertionError: not yet (a port or a lock of the killed one is taken); it is tried again.
        """

    def is_answering(self) -> bool:
        """Tell whether it does its work."""


class CloudPart:
    """A process of ``python -m cloud_api serve``."""

    def __init__(self, process: Process, ready_url: str) -> None:
        self.name = process.name
        self.process = process
        self._ready_url = ready_url

    def pids(self) -> list[int]:
        return family(self.process.pid)

    def is_running(self) -> bool:
        return self.process.is_running

    def start(self) -> None:
        self.process.start()

    def is_answering(self) -> bool:
        return answers(self._ready_url)


class BrokerPart:
    """nats-server; its own supervisor, `broker serve`, starts it again."""

    def __init__(self, broker: RunningBroker, name: str = "broker") -> None:
        self.name = name
        self._broker = broker

    def pids(self) -> list[int]:
        return [self._broker.server_pid()]

    def is_running(self) -> bool:
        return True

    def start(self) -> None:
        """Do nothing: it has a supervisor of its own."""

    def is_answering(self) -> bool:
        return answers(f"http://127.0.0.1:{self._broker.monitor_port}/healthz")


class Supervisor:
    """Looks after parts in a thread of its own until ``end``."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self.restarts: dict[str, int] = {}

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._ending.wait(RESTART_S):
            for part in self._parts:
                if part.is_running():
                    continue
                try:
                    part.start()
                except (OSError, AssertionError):
                    continue  # it is tried again; a part that never comes fails the wait for its recovery
                self.restarts[part.name] = self.restarts.get(part.name, 0) + 1


def kill(part: Part) -> float:
    """``kill -9`` a part with its family, the head first; returns when, monotonic s."""
    at_s = time.monotonic()
    for pid in part.pids():
        # what works for the head may end with it
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return at_s


def stop_for(part: Part, seconds: float) -> float:
    """SIGSTOP a part with its family for so long; returns when it went on, monotonic s."""
    stopped = part.pids()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    return time.monotonic()


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    head = psutil.Process(pid)
    return [pid, *(child.pid for child in head.children(recursive=True))]


def answers(url: str) -> bool:
    """Tell whether a GET is answered with 2xx now."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
            return bool(200 <= answer.status < 300)
    except OSError:
        return False


@contextmanager
def supervised(parts: Sequence[Part]) -> Iterator[Supervisor]:
    """Supervise parts until the block ends."""
    supervisor = Supervisor(parts)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.end()
