"""A real Mosquitto with the configuration that the product renders, started and ended as its operator would.

Certificates are subjects to it: one more for the cloud, or for a gateway that had one at the last rendering, is good
without a restart. ``render`` and ``restart`` take in new subjects and revocations.
"""

import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from fleet_deploy.__main__ import main
from fleet_deploy.ca import requests
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue, revoke
from tests.support.processes import free_port, wait_until

BINARY = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
START_TIMEOUT_S = 10.0


class RenderedMosquitto:
    """A Mosquitto below ``folder``; ``mqtt_port`` stays the same through restarts."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        assert BINARY is not None, "Debian package mosquitto is not installed"
        self.folder = folder
        folder.mkdir(parents=True)
        self.authority = folder / "ca"
        self.mqtt_port = free_port()
        self.log = folder / "mosquitto.log"
        self.configuration = folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        init_authority(self.authority, datetime.now(UTC))
        self.cloud()

    @property
    def url(self) -> str:
        return f"mqtts://{self.host}:{self.mqtt_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def cloud(self) -> IssuedFiles:
        return self._issue(requests.plan_cloud())

    def gateway(self, site: str, gateway: str) -> IssuedFiles:
        return self._issue(requests.plan_gateway(site, gateway))

    def server(self, name: str) -> IssuedFiles:
        return self._issue(requests.plan_server([name]))

    def revoke(self, files: IssuedFiles) -> None:
        revoke(self.authority, files.entry.serial, datetime.now(UTC))

    def render(self) -> None:
        """Write its files from the register, by the operator's command."""
        arguments = ["broker", "render", "--kind", "mosquitto", "--ca", str(self.authority)]
        arguments += ["--out", str(self.configuration), "--data", str(self.folder / "data")]
        arguments += ["--mqtt-port", str(self.mqtt_port), "--run-as", getpass.getuser()]
        assert main(arguments) == 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([str(BINARY), "-c", str(self.configuration)], stdout=log, stderr=log)
        wait_until(self._answers, START_TIMEOUT_S, f"mosquitto listens: {self.log}", 0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def reload(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def _issue(self, plan: requests.LeafPlan) -> IssuedFiles:
        out = Path(tempfile.mkdtemp(prefix="identity-", dir=self.folder)) / "files"
        return issue(self.authority, plan, out, datetime.now(UTC))

    def is_serving(self) -> bool:
        """Tell whether it greets with TLS: a process that stands still takes connections all the same."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection((self.host, self.mqtt_port), 1) as plain, context.wrap_socket(plain):
                return True
        except OSError:
            return False

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            socket.create_connection((self.host, self.mqtt_port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def running_mosquitto(folder: Path, gateways: list[tuple[str, str]]) -> Iterator[RenderedMosquitto]:
    """Run a Mosquitto below ``folder`` that knows ``gateways`` (site, gateway) and the cloud, until the block ends."""
    broker = RenderedMosquitto(folder / "mosquitto")
    for site, gateway in gateways:
        broker.gateway(site, gateway)
    broker.render()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
