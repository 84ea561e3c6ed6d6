"""All drivers of the gateway. They live and die apart: nothing here waits for one on behalf of another."""

import asyncio
from pathlib import Path

from contracts.health import SourceStatus
from firmware_configs.device import Supervision
from firmware_configs.hardware_profile import Source
from gateway.supervisor.driver import Driver
from gateway.supervisor.ports import ProcessLauncher


class Supervisor:
    """See the module.

    Args:
        sources: sources of the device.
        folder: folder of the hand-over socket, the locks and the logs.
        settings: hang timeout and backoff.
        launcher: starts processes.
    """

    def __init__(self, sources: list[Source], folder: Path, settings: Supervision, launcher: ProcessLauncher) -> None:
        self.drivers = {source.source: Driver(source, folder, settings, launcher) for source in sources}

    async def run(self) -> None:
        """Keep all drivers running until ``stop``."""
        async with asyncio.TaskGroup() as tasks:
            for driver in self.drivers.values():
                tasks.create_task(driver.run(), name=f"driver-{driver.source}")

    async def stop(self) -> None:
        """End all drivers at once, each within its grace."""
        async with asyncio.TaskGroup() as tasks:
            for driver in self.drivers.values():
                tasks.create_task(driver.stop(), name=f"driver-{driver.source}-stop")

    def restart(self, source: str) -> bool:
        """Restart one driver; False if there is no such source."""
        driver = self.drivers.get(source)
        if driver is None:
            return False
        driver.request_restart()
        return True

    def status(self) -> list[SourceStatus]:
        """Return the state of each driver."""
        return [driver.status() for driver in self.drivers.values()]
