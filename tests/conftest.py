"""Rules for every test: no internet sockets outside tests/system, no leaked threads or tasks."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
SYSTEM = Path(__file__).parent / "system"
RECORDINGS = ROOT.parent / "shared" / "data"

# how long an example takes says more about what else the machine does than about the code
settings.register_profile("porttrack", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("porttrack")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands below tests/system, so that no module can forget it."""
    for item in items:
        if item.path.is_relative_to(SYSTEM):
            item.add_marker(pytest.mark.system)


class _NoSocket(socket.socket):
    def connect(self, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            msg = f"a unit test connects to {address}: move it to tests/system"
            raise AssertionError(msg)
        super().connect(address)

    def bind(self, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            msg = f"a unit test binds {address}: move it to tests/system"
            raise AssertionError(msg)
        super().bind(address)


@pytest.fixture(autouse=True)
def _no_internet_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("system") is None:
        monkeypatch.setattr(socket, "socket", _NoSocket)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo what a command under test configured: its stderr is gone when the test is over."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    leaked = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in leaked:
        thread.join(timeout=5)
    names = [thread.name for thread in leaked if thread.is_alive() and not thread.name.startswith("asyncio_")]
    assert not names, f"threads left running: {names}"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of the real recordings; tests that read them are skipped where it is absent."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings: {RECORDINGS} is not there")
    return RECORDINGS
