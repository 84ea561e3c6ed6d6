"""A real cloud process and gateways that speak to it over the real broker, for system tests.

with running_cloud(tmp_path, broker, roles="store") as cloud:
    gateway = cloud.gateway("puerto-demo", "gw-1")
    gateway.send(batch)
    receipt = gateway.wait_receipt(batch)
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from contracts.batch import Batch
from contracts.codec import encode_batch
from contracts.receipt import Receipt
from fleet_deploy.ca import requests
from fleet_deploy.ca.service import IssuedFiles, issue
from tests.support.broker import RunningBroker
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.processes import ROOT, Process, ending

START_TIMEOUT_S = 20.0


class Authority(Protocol):
    """Who issues certificates: a broker or a cluster of the test's."""

    @property
    def folder(self) -> Path: ...

    @property
    def authority(self) -> Path: ...


def cloud_identity(broker: Authority) -> IssuedFiles:
    """Issue a certificate of the cloud; whoever uses it tries until the broker has taken it in."""
    return _issue(broker, requests.plan_cloud())


def gateway_identity(broker: Authority, site: str, gateway: str) -> IssuedFiles:
    """Issue a gateway's certificate; whoever uses it tries until the broker has taken it in."""
    return _issue(broker, requests.plan_gateway(site, gateway))


def _issue(broker: Authority, plan: requests.LeafPlan) -> IssuedFiles:
    out = Path(tempfile.mkdtemp(prefix="identity-", dir=broker.folder)) / "files"
    return issue(broker.authority, plan, out, datetime.now(UTC))


class FakeGateway:
    """An MQTT client with a gateway's certificate that keeps the receipts it gets."""

    def __init__(self, client: MqttClient, site: str, gateway: str) -> None:
        self.client = client
        self.base = f"porttrack/v1/{site}/{gateway}"
        wait_for(lambda: client.is_connected, f"{gateway} on the bus", START_TIMEOUT_S)
        assert client.subscribe(f"{self.base}/down/receipt")

    def send(self, batch: Batch) -> None:
        self.send_bytes(encode_batch(batch))

    def send_bytes(self, data: bytes, channel: str = "records") -> None:
        self.client.publish(f"{self.base}/up/{channel}", data)

    def receipts(self) -> list[Receipt]:
        return [msgspec.json.decode(data, type=Receipt) for _, data in list(self.client.messages)]

    def wait_receipts(self, count: int, timeout_s: float = 10.0) -> list[Receipt]:
        wait_for(lambda: len(self.client.messages) >= count, f"{count} receipts", timeout_s)
        return self.receipts()


class RunningCloud:
    """``python -m cloud_api serve`` with its own folder of data."""

    def __init__(self, folder: Path, broker: RunningBroker, roles: str, extra: str = "") -> None:
        self.folder = folder
        self.broker = broker
        self.roles = roles
        self.config = folder / "cloud.toml"
        self.log = folder / "cloud.log"
        folder.mkdir(parents=True, exist_ok=True)
        files = cloud_identity(broker)
        chart = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"
        lines = [
            '[http]\nhost = "127.0.0.1"\nport = 0',
            f'[bus]\nservers = ["{broker.url}"]\ncertificate = "{files.certificate}"',
            f'private_key = "{files.private_key}"\ntrust = "{files.trust}"',
            '[history]\npath = "history.sqlite"',
            '[operations]\nurl = "sqlite+aiosqlite:///operations.sqlite"',
            f'[site]\nchart = "{chart}"',
            extra,
        ]
        self.config.write_text("\n".join(lines) + "\n")
        arguments = ["cloud_api", "serve", "--config", str(self.config), "--roles", roles]
        self.process = Process("cloud", arguments, self.log)
        self._clients: list[MqttClient] = []

    def start(self) -> None:
        seen = len(self.events("bus_connected"))
        self.process.start()
        wait_for(lambda: self._has_connected(seen), "the cloud on the bus", START_TIMEOUT_S)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of one event."""
        if not self.log.exists():
            return []
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def get(self, path: str) -> Any:
        """Return the JSON of a GET request to the API role."""
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        """Return the text of a GET request to the API role."""
        url = self.events("http_listening")[-1]["url"]
        with urllib.request.urlopen(f"{url}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def gateway(self, site: str, gateway: str) -> FakeGateway:
        files = gateway_identity(self.broker, site, gateway)
        client = MqttClient(files, self.broker.host, self.broker.mqtt_port, client_id=f"{site}-{gateway}")
        self._clients.append(client)
        return FakeGateway(client, site, gateway)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``python -m cloud_api`` with this cloud's settings."""
        command = [sys.executable, "-m", "cloud_api", *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def accounting(self) -> list[dict[str, Any]]:
        done = self.command("accounting", "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _has_connected(self, seen: int) -> bool:
        assert self.process.is_running, self.process.tail()
        return len(self.events("bus_connected")) > seen


@contextmanager
def running_cloud(folder: Path, broker: RunningBroker, roles: str = "store", extra: str = "") -> Iterator[RunningCloud]:
    """Run a cloud below ``folder`` until the block ends."""
    cloud = RunningCloud(folder / "cloud", broker, roles, extra)
    with ending([cloud.process]):
        cloud.start()
        try:
            yield cloud
        finally:
            cloud.close()
