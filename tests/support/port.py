"""A whole port for system tests: real broker, cloud and gateways as processes in one folder.

The test holds the hardware's end (ptys, TCP servers); everything between it and the HTTP API is the product.
"""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from firmware_configs.loading import PROFILES_DIR
from tests.support.broker import RunningBroker, running_broker
from tests.support.processes import ROOT, Process, ending, free_port, wait_until

SITE = "puerto-demo"
READY_TIMEOUT_S = 30
COMMAND_TIMEOUT_S = 120


@dataclass
class Port:
    """Processes and folders of one port; see ``running_port``."""

    folder: Path
    broker: RunningBroker
    http_port: int
    processes: list[Process] = field(default_factory=list)

    @property
    def profiles(self) -> Path:
        return self.folder / "profiles"

    @property
    def cloud_config(self) -> Path:
        return self.folder / "cloud.toml"

    @property
    def history_file(self) -> Path:
        return self.folder / "cloud" / "history.sqlite"

    def outbox_file(self, gateway: str) -> Path:
        """The outbox database of a gateway."""
        found = list((self.folder / "gateways" / gateway / "data").glob("outbox.db"))
        assert len(found) == 1, found
        return found[0]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http_port}{path}"

    def get(self, path: str) -> Any:
        """Return the JSON of a GET request."""
        with urllib.request.urlopen(self.url(path), timeout=5) as answer:
            return json.load(answer)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url("/readyz"), timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def process(self, name: str) -> Process:
        return next(process for process in self.processes if process.name == name)

    def start_cloud(self) -> Process:
        """Write the cloud's settings and start it with all roles; returns when it is ready."""
        identity = self.broker.cloud()
        (self.folder / "cloud").mkdir(exist_ok=True)
        self.cloud_config.write_text(
            f'[http]\nport = {self.http_port}\n\n[bus]\nservers = ["{self.broker.url}"]\n'
            f'certificate = "{identity.certificate}"\nprivate_key = "{identity.private_key}"\n'
            f'trust = "{identity.trust}"\n\n[history]\npath = "{self.history_file}"\n\n'
            f'[operations]\nurl = "sqlite+aiosqlite:///{self.folder}/cloud/operations.sqlite"\n\n'
            f'[site]\nchart = "{PROFILES_DIR}/sites/{SITE}/chart.geojson"\n\n'
            f'[control_room]\ndir = "{ROOT}/dashboards/control_room/dist"\n'
        )
        arguments = ["cloud_api", "serve", "--config", str(self.cloud_config), "--roles", "api,store,track"]
        cloud = self._start("cloud", arguments)
        wait_until(self.is_ready, READY_TIMEOUT_S, f"cloud ready\n{cloud.tail()}")
        return cloud

    def start_gateway(self, gateway: str, sources: list[dict[str, Any]], **settings: Any) -> Process:
        """Write a gateway's profiles and start it.

        Args:
            gateway: id.
            sources: sources of its hardware profile, as YAML would hold them.
            settings: further keys of the device profile (outbox, uplink, …).
        """
        self._write_hardware(gateway, sources)
        home = self.folder / "gateways" / gateway
        home.mkdir(parents=True, exist_ok=True)
        identity = self.broker.gateway(SITE, gateway)
        names = ("certificate", "private_key", "trust")
        device = {
            "schema": 1,
            "device": gateway,
            "site": SITE,
            "hardware": gateway,
            "identity": {name: str(getattr(identity, name)) for name in names},
            "brokers": [{"host": self.broker.host, "port": self.broker.mqtt_port}],
            "data_dir": "data",
            "local": {"port": free_port()},
            "uplink": {"reconnect_cap_s": 2.0},
        } | settings
        config = home / "device.yaml"
        config.write_text(yaml.safe_dump(device))
        return self._start(gateway, ["gateway", "run", "--config", str(config), "--profiles", str(self.profiles)])

    def command(self, *arguments: str, is_failure_allowed: bool = False) -> str:
        """Run one command of the product; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert is_failure_allowed or done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def history(self, kind: str = "ais") -> list[dict[str, Any]]:
        """Everything of one kind that the cloud has stored, in order of stream and number."""
        text = self.command("cloud_api", "history", "--config", str(self.cloud_config), "--kind", kind, "--json")
        return [json.loads(line) for line in text.splitlines()]

    def accounts(self) -> list[dict[str, Any]]:
        """The cloud's ledger check, one element a stream."""
        text = self.command(
            "cloud_api", "accounting", "--config", str(self.cloud_config), "--json", is_failure_allowed=True
        )
        return [json.loads(line) for line in text.splitlines()]

    def gateway_view(self, gateway: str) -> dict[str, Any] | None:
        """What the API says of a gateway; None while it was never heard."""
        found = [item for item in self.get("/api/v1/gateways")["items"] if item["gateway"] == gateway]
        return found[0] if found else None

    def _write_hardware(self, gateway: str, sources: list[dict[str, Any]]) -> None:
        profile = {
            "schema": 1,
            "profile": gateway,
            "title": {"es": gateway, "en": gateway},
            "sources": sources,
        }
        (self.profiles / "hardware" / f"{gateway}.yaml").write_text(yaml.safe_dump(profile))

    def _start(self, name: str, arguments: list[str]) -> Process:
        process = Process(name, arguments, self.folder / f"{name}.log")
        self.processes.append(process)
        process.start()
        return process


@contextmanager
def running_port(folder: Path) -> Iterator[Port]:
    """Run a broker and what the test starts on it, below ``folder``, until the block ends."""
    with running_broker(folder) as broker:
        port = Port(folder, broker, free_port())
        shutil.copytree(PROFILES_DIR / "sites", port.profiles / "sites")
        shutil.copytree(PROFILES_DIR / "hardware", port.profiles / "hardware")
        with ending(port.processes):
            yield port


def nmea_source(source: str, device: str, **settings: Any) -> dict[str, Any]:
    """A source of NMEA sentences on a tty."""
    link = {"kind": "serial", "device": device, "baud": 38400}
    return {"source": source, "driver": "nmea", "link": link} | settings
