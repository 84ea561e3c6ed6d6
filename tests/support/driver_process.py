"""One ``python -m edge_agent run`` process with a device profile of its own."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
PROFILES = ROOT / "firmware_configs"


def write_profiles(folder: Path, sources: list[dict[str, Any]]) -> Path:
    """Write a device with these sources below ``folder``; returns its file. Sites and register maps are real."""
    hardware = folder / "profiles" / "hardware"
    hardware.mkdir(parents=True)
    (folder / "profiles" / "sites").symlink_to(PROFILES / "sites")
    (hardware / "registers").symlink_to(PROFILES / "hardware" / "registers")
    profile = {"schema": 1, "profile": "bench", "title": {"es": "Banco", "en": "Bench"}, "sources": sources}
    (hardware / "bench.yaml").write_text(yaml.safe_dump(profile))
    device = folder / "device.yaml"
    identity = {"certificate": "gateway.pem", "private_key": "gateway.key", "trust": "trust.pem"}
    device.write_text(
        yaml.safe_dump(
            {"schema": 1, "device": "gw-bench", "site": "puerto-demo", "hardware": "bench", "identity": identity,
             "brokers": [{"host": "127.0.0.1"}], "data_dir": "data"}
        )
    )  # fmt: skip
    return device


class DriverProcess:
    """The process, and its log."""

    def __init__(self, device: Path, source: str, socket: Path, *more: str) -> None:
        self._arguments = [
            "run", "--config", str(device), "--profiles", str(device.parent / "profiles"),
            "--source", source, "--socket", str(socket), *more,
        ]  # fmt: skip
        self._log = device.parent / f"{source}.{os.urandom(3).hex()}.log"
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def start(self) -> None:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        with self._log.open("wb") as log:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "edge_agent", *self._arguments, cwd=ROOT, stderr=log, stdout=log, env=environment
            )

    async def wait(self, timeout_s: float) -> int:
        """Wait for its end; returns the exit code."""
        assert self._child is not None
        async with asyncio.timeout(timeout_s):
            return await self._child.wait()

    def signal(self, number: int) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    async def stop(self, timeout_s: float = 10.0) -> int:
        """SIGTERM; returns the exit code."""
        assert self._child is not None
        if self._child.returncode is None:
            self._child.send_signal(signal.SIGCONT)
            self._child.terminate()
        return await self.wait(timeout_s)

    async def end(self) -> None:
        """Make sure that it is gone."""
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()

    def text(self) -> str:
        return self._log.read_text()

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Log events, all or of one name; every line is JSON."""
        lines = self.text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if not name or event["event"] == name]
