"""A real broker for system tests: authority, certificates and `broker serve` in a temporary folder.

    with running_broker(tmp_path) as broker:
        identity = broker.gateway("puerto-demo", "gw-1")   # paths: certificate, private_key, trust
        client.tls_set(str(identity.trust), str(identity.certificate), str(identity.private_key))
        client.connect(broker.host, broker.mqtt_port)
        cloud = broker.cloud()                             # NATS: tls://host:client_port

Certificates may be issued while it runs: the broker knows them within a second (the methods wait until it does).
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fleet_deploy.ca import requests
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue, revoke

REPOSITORY = Path(__file__).parent.parent.parent
READY_S = 20.0
RELOAD_S = 5.0


@dataclass
class RunningBroker:
    """A broker that answers. ``ports`` stay the same through restarts."""

    folder: Path
    host: str = "127.0.0.1"
    mqtt_port: int = 0
    client_port: int = 0
    monitor_port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _issued: list[Path] = field(default_factory=list)

    @property
    def authority(self) -> Path:
        return self.folder / "ca"

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    @property
    def url(self) -> str:
        return f"tls://{self.host}:{self.client_port}"

    def gateway(self, site: str, gateway: str) -> IssuedFiles:
        """Issue a gateway certificate and wait until the broker knows it."""
        return self._issue(requests.plan_gateway(site, gateway), gateway)

    def cloud(self) -> IssuedFiles:
        """Issue a cloud certificate and wait until the broker knows it."""
        return self._issue(requests.plan_cloud(), "cloud")

    def server(self, name: str) -> IssuedFiles:
        """Issue a server certificate: no user of the broker."""
        out = self.folder / "issued" / f"{len(self._issued)}-{name}"
        self._issued.append(out)
        return issue(self.authority, requests.plan_server([name]), out, datetime.now(UTC))

    def revoke(self, files: IssuedFiles) -> None:
        revoke(self.authority, files.entry.serial, datetime.now(UTC))

    def server_pid(self) -> int:
        """Return the pid of nats-server itself."""
        return int((self.folder / "run" / "nats-server.pid").read_text())

    def varz(self) -> dict[str, object]:
        return self._get("varz")

    def jsz(self) -> dict[str, object]:
        return self._get("jsz?streams=1")

    def kill_server(self) -> int:
        """``kill -9`` nats-server; returns the pid it had. `broker serve` starts it again."""
        pid = self.server_pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_ready(self, timeout_s: float = READY_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                self._read_ports()
                self._get("healthz")
            except (OSError, ValueError):
                time.sleep(0.05)
                continue
            return
        msg = f"broker not ready: {self.log.read_text()[-2000:]}"
        raise AssertionError(msg)

    def start(self) -> None:
        """Start `broker serve`; a second start uses the same ports."""
        (self.folder / "run" / "broker.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "fleet_deploy", "broker", "serve"]
        command += ["--ca", str(self.authority), "--dir", str(self.folder / "run")]
        command += ["--mqtt-port", str(self.mqtt_port), "--client-port", str(self.client_port)]
        command += ["--monitor-port", str(self.monitor_port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
        self.wait_until_ready()

    def stop(self) -> int:
        """SIGTERM to `broker serve`; returns its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(timeout=5)

    def _issue(self, plan: requests.LeafPlan, name: str) -> IssuedFiles:
        out = self.folder / "issued" / f"{len(self._issued)}-{name}"
        self._issued.append(out)
        # asked before the certificate is registered: the broker may reload before its files are written
        loaded_before = str(self.varz()["config_load_time"]) if self.process is not None else ""
        files = issue(self.authority, plan, out, datetime.now(UTC))
        if self.process is not None:
            self._wait_for_reload(files, loaded_before)
        return files

    def _wait_for_reload(self, files: IssuedFiles, loaded_before: str) -> None:
        conf = self.folder / "run" / "nats.conf"
        deadline_s = time.monotonic() + RELOAD_S
        while time.monotonic() < deadline_s:
            is_written = files.entry.names[0] in conf.read_text()
            if is_written and str(self.varz()["config_load_time"]) != loaded_before:
                return
            time.sleep(0.02)
        msg = f"the broker did not take {files.entry.names[0]} in: {self.log.read_text()[-2000:]}"
        raise AssertionError(msg)

    def _read_ports(self) -> None:
        endpoints = json.loads((self.folder / "run" / "broker.json").read_text())
        self.mqtt_port = endpoints["mqtt_port"]
        self.client_port = endpoints["client_port"]
        self.monitor_port = endpoints["monitor_port"]

    def _get(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_port}/{path}", timeout=2) as answer:
            content = json.load(answer)
        assert isinstance(content, dict)
        return content


@contextmanager
def running_broker(folder: Path) -> Iterator[RunningBroker]:
    """Make an authority and run a broker below ``folder`` until the block ends."""
    broker = RunningBroker(folder / "broker")
    broker.folder.mkdir(parents=True)
    init_authority(broker.authority, datetime.now(UTC))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
