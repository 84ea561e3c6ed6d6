"""A real gateway process in a folder of its own, with a device profile that replays a recording."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.certs import Pair, TestAuthority

ROOT = Path(__file__).parents[2]
SITE = "puerto-test"
GATEWAY = "gw-1"

_SITE_PROFILE = {
    "schema": 1,
    "site": SITE,
    "name": {"es": "Puerto de prueba", "en": "Test port"},
    "un_locode": "ESTST",
    "time_zone": "Europe/Madrid",
    "bounds": {"west_deg": -1.0, "south_deg": 39.0, "east_deg": 0.0, "north_deg": 40.0},
    "geometry": "chart.geojson",
    "quays": [],
    "berths": [],
    "cranes": [],
    "instruments": [],
}


def write_profiles(folder: Path, sources: list[dict[str, Any]]) -> Path:
    """Write a site and a hardware profile; returns the profiles folder."""
    site = folder / "sites" / SITE
    site.mkdir(parents=True)
    (site / "site.yaml").write_text(yaml.safe_dump(_SITE_PROFILE), encoding="utf-8")
    hardware = {"schema": 1, "profile": "test", "title": {"es": "Prueba", "en": "Test"}, "sources": sources}
    (folder / "hardware").mkdir()
    (folder / "hardware" / "test.yaml").write_text(yaml.safe_dump(hardware), encoding="utf-8")
    return folder


def replay_source(source: str, path: Path, **settings: Any) -> dict[str, Any]:
    """Return a source that replays a recording."""
    link = {"kind": "replay", "path": str(path), **settings}
    return {"source": source, "driver": "nmea", "link": link}


class GatewayProcess:
    """The process, its profile and its folder."""

    def __init__(
        self,
        folder: Path,
        profiles: Path,
        authority: TestAuthority,
        mqtt_ports: list[int],
        identity: Pair | None = None,
        local_port: int = 1,
        program: str = "gateway",
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        identity = identity or authority.issue(GATEWAY)
        device = {
            "schema": 1,
            "device": GATEWAY,
            "site": SITE,
            "hardware": "test",
            "identity": {
                "certificate": str(identity.certificate),
                "private_key": str(identity.key),
                "trust": str(authority.trust),
            },
            "brokers": [{"host": "127.0.0.1", "port": port, "server_name": "broker.test"} for port in mqtt_ports],
            "data_dir": "data",
            "local": {"port": local_port, "status_interval_s": 0.5},
            "uplink": {"receipt_timeout_s": 1.0, "reconnect_base_s": 0.2, "reconnect_cap_s": 1.0},
            **settings,
        }
        self.folder = folder
        self.local_port = local_port
        self.run_dir = folder / device.get("run_dir", "data/run")
        self.config = folder / "device.yaml"
        self.config.write_text(yaml.safe_dump(device), encoding="utf-8")
        self._profiles = profiles
        self._program = program
        self._environment = os.environ | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.log_path = folder / "gateway.log"

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        arguments = [sys.executable, "-m", self._program, "run", "--config"]
        arguments += [str(self.config), "--profiles", str(self._profiles)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(arguments, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a power cut would; its drivers live on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> tuple[int, float]:
        """End it by SIGTERM; returns its exit code and how long it took, s."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        code = self._process.wait(timeout=15)
        return code, time.monotonic() - began

    def clean_up(self) -> None:
        """End it and every driver of its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pid in self.driver_pids().values():
            os.kill(pid, signal.SIGKILL)

    def driver_pids(self) -> dict[str, int]:
        """Return the live drivers of this gateway by source."""
        found = {}
        for lock in self.run_dir.glob("[a-z0-9]*.lock"):
            try:
                pid = int(lock.read_text(encoding="ascii"))
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if b"edge_agent" in arguments and bytes(self.folder) in arguments:
                found[lock.stem] = pid
        return found

    def log(self) -> list[dict[str, Any]]:
        """Return the events of its log."""
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def get(self, path: str) -> bytes:
        """Read from its local page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.local_port}{path}", timeout=5) as answer:
            return bytes(answer.read())
