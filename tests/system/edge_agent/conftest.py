"""A gateway's end of the socket, driver processes that are gone when the test is, and sentences to send."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.driver_process import DriverProcess, write_profiles
from tests.support.handover_gateway import HandOverGateway
from tests.support.ptys import SensorPty

StartDriver = Callable[..., Any]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[HandOverGateway]:
    one = HandOverGateway(tmp_path / "handover.sock")
    await one.start()
    yield one
    await one.stop()
    assert not one.violations


@pytest.fixture
async def start_driver(tmp_path: Path) -> AsyncIterator[StartDriver]:
    """Starts a driver of one source on the gateway's socket; the device profile is written at the first call."""
    started: list[DriverProcess] = []

    async def start(source: dict[str, Any], *more: str) -> DriverProcess:
        device = tmp_path / "device.yaml"
        if not device.exists():
            write_profiles(tmp_path, [source])
        process = DriverProcess(device, source["source"], tmp_path / "handover.sock", *more)
        started.append(process)
        await process.start()
        return process

    yield start
    for process in started:
        await process.end()


@pytest.fixture
def pty() -> Iterator[SensorPty]:
    one = SensorPty()
    yield one
    one.close()
