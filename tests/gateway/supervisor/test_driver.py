"""One driver's supervision with simulated processes."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.errors import LinkError
from edge_agent.handover.protocol import Heartbeat
from edge_agent.handover.source_lock import SourceLock
from firmware_configs.device import Supervision
from firmware_configs.hardware_profile import NmeaSource
from gateway.supervisor import driver as module
from gateway.supervisor.driver import Driver
from gateway.supervisor.memory import MIB
from gateway.supervisor.process import DriverProcess

SOURCE = NmeaSource.model_validate(
    {"source": "ais", "driver": "nmea", "place": "mast", "link": {"kind": "tcp", "host": "h", "port": 1}}
)
SETTINGS = Supervision(backoff_base_s=0.001, backoff_cap_s=0.001)


class SimulatedProcess:
    def __init__(self, pid: int, *, is_obedient: bool = True) -> None:
        self.pid = pid
        self.signals: list[int] = []
        self.code: int | None = None
        self._is_obedient = is_obedient
        self._ended = asyncio.Event()
        self.resident: int | None = None

    def end(self, code: int) -> None:
        self.code = code
        self._ended.set()

    async def wait(self) -> int | None:
        await self._ended.wait()
        return self.code

    def resident_bytes(self) -> int | None:
        return self.resident

    def send(self, signal_number: int) -> None:
        self.signals.append(signal_number)
        if signal_number == signal.SIGKILL or self._is_obedient:
            self.end(0 if signal_number == signal.SIGTERM else -9)


class SimulatedLauncher:
    def __init__(self) -> None:
        self.started: list[SimulatedProcess] = []
        self.failures = 0

    async def start(self, source: str, log_path: Path) -> DriverProcess:
        assert (source, log_path.name) == ("ais", "ais.log")
        if self.failures:
            self.failures -= 1
            raise LinkError("start driver", source, "no memory", "", "start")
        self.started.append(SimulatedProcess(100 + len(self.started)))
        return self.started[-1]


@pytest.fixture(autouse=True)
def _fast_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_INTERVAL_S", 0.001)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a test waits for what another task does
            await asyncio.sleep(0.001)


async def test_a_driver_that_ends_is_started_again(tmp_path: Path) -> None:
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, SETTINGS, launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) == 1)
    launcher.started[0].end(1)
    await until(lambda: len(launcher.started) == 2)
    assert (driver.status().restarts, driver.status().last_error) == (1, "exit code 1")
    driver.said_hello(101)
    driver.beat(Heartbeat(is_link_up=True, rejected={"checksum": 3}))
    driver.stored(5, 77)
    status = driver.status()
    assert (status.state, status.records, status.last_record_at_ns, status.rejected) == (
        "running", 5, 77, {"checksum": 3},
    )  # fmt: skip
    assert driver.is_link_up
    await driver.stop()
    await task
    assert launcher.started[1].signals == [signal.SIGTERM]
    assert driver.status().state == "stopped"


async def test_a_hung_driver_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.supervisor.lifecycle.HELLO_TIMEOUT_S", 0.0)
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, SETTINGS, launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) >= 2)
    assert launcher.started[0].signals == [signal.SIGKILL]
    assert driver.status().last_error == "no hello, killed"
    await driver.stop()
    await task


async def test_a_driver_that_leaks_is_killed_and_started_anew_with_the_reason(tmp_path: Path) -> None:
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, SETTINGS, launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) == 1)
    launcher.started[0].resident = SETTINGS.driver_memory_mib * MIB
    await asyncio.sleep(0.02)
    assert launcher.started[0].signals == []
    launcher.started[0].resident += 1
    await until(lambda: len(launcher.started) == 2)
    assert launcher.started[0].signals == [signal.SIGKILL]
    assert driver.status().last_error == "memory 192 MiB over 192 MiB, killed"
    assert driver.status().ends == {"memory": 1}
    await driver.stop()
    await task


async def test_a_restart_that_is_asked_for_does_not_wait(tmp_path: Path) -> None:
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, Supervision(backoff_base_s=10), launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) == 1)
    driver.request_restart()
    await until(lambda: len(launcher.started) == 2)
    assert launcher.started[0].signals == [signal.SIGTERM]
    await driver.stop()
    await task


async def test_a_process_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    launcher = SimulatedLauncher()
    launcher.failures = 3
    driver = Driver(SOURCE, tmp_path, SETTINGS, launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) == 1)
    assert driver.status().restarts == 3
    await driver.stop()
    await task


async def test_a_driver_of_an_earlier_gateway_is_adopted_and_no_second_started(tmp_path: Path) -> None:
    lock = SourceLock(tmp_path / "ais.lock")
    assert lock.try_acquire(4711)
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, SETTINGS, launcher)
    driver.said_hello(4711)
    task = asyncio.create_task(driver.run())
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert launcher.started == []
    assert driver.is_running
    lock.release()
    await until(lambda: len(launcher.started) == 1)
    await driver.stop()
    await task


async def test_stopping_while_backing_off_starts_nothing(tmp_path: Path) -> None:
    launcher = SimulatedLauncher()
    driver = Driver(SOURCE, tmp_path, Supervision(backoff_base_s=10), launcher)
    task = asyncio.create_task(driver.run())
    await until(lambda: len(launcher.started) == 1)
    launcher.started[0].end(2)
    await until(lambda: driver.status().state == "backoff")
    assert "config error" in driver.status().last_error
    await driver.stop()
    await task
    assert len(launcher.started) == 1


def test_faults_of_the_protocol_are_counted_beside_what_the_parser_rejects(tmp_path: Path) -> None:
    driver = Driver(SOURCE, tmp_path, SETTINGS, SimulatedLauncher())
    driver.misbehaved("bad_frame", "a hole")
    driver.misbehaved("bad_frame", "a hole")
    status = driver.status()
    assert (status.rejected, status.last_error) == ({"handover_bad_frame": 2}, "a hole")
