"""One process of the store role on a broker of either kind, with an embedded history of its own."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.buses import Plant
from tests.support.processes import ROOT, Process, ending, wait_until

CHART = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"
START_TIMEOUT_S = 60.0


class StoreWorker:
    """``python -m cloud_api serve --roles store``.

    Args:
        plant: the broker.
        folder: for its files.
        program: module that takes the cloud's arguments.
    """

    def __init__(self, plant: Plant, folder: Path, program: str = "cloud_api") -> None:
        folder.mkdir(parents=True)
        self.history = folder / "history.sqlite"
        self._log = folder / "worker.log"
        files = plant.identity()
        config = folder / "worker.toml"
        config.write_text(
            f'[bus]\nkind = "{plant.adapter}"\nservers = ["{plant.broker.url}"]\n'
            f'certificate = "{files.certificate}"\nprivate_key = "{files.private_key}"\ntrust = "{files.trust}"\n'
            f'[history]\npath = "{self.history}"\n'
            f'[operations]\nurl = "sqlite+aiosqlite:///{folder}/operations.sqlite"\n[site]\nchart = "{CHART}"\n'
        )
        self.process = Process("worker", [program, "serve", "--config", str(config), "--roles", "store"], self._log)

    def start(self) -> None:
        """Start it and wait until it is on the bus."""
        seen = len(self.events("bus_connected"))
        self.process.start()
        wait_until(lambda: self._has_connected(seen), START_TIMEOUT_S, "the worker on the bus", 0.05)

    def stop(self) -> float:
        """SIGTERM; returns how long it took, s."""
        began_s = time.monotonic()
        assert self.process.stop() == 0, self.process.tail()
        return time.monotonic() - began_s

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of one event."""
        if not self._log.exists():
            return []
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def rss_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Hold the history's write lock: to the worker, a database that does not get on."""
        connection = sqlite3.connect(self.history, isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    def _has_connected(self, seen: int) -> bool:
        assert self.process.is_running, self.process.tail()
        return len(self.events("bus_connected")) > seen


@contextmanager
def running_worker(plant: Plant, folder: Path, program: str = "cloud_api") -> Iterator[StoreWorker]:
    """Run a worker until the block ends."""
    worker = StoreWorker(plant, folder, program)
    with ending([worker.process]):
        worker.start()
        yield worker
