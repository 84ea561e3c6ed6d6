"""A real nats-server with an MQTT listener that asks for a client certificate, started and ended by its process."""

import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.support.certs import Pair, TestAuthority

START_TIMEOUT_S = 10.0
BINARY = Path(sys.executable).parent / "nats-server"


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestBroker:
    """A broker with ``port`` (NATS, for the cloud's end) and ``mqtt_port`` (mutual TLS, for gateways)."""

    __test__ = False

    def __init__(self, folder: Path, authority: TestAuthority, server: Pair | None = None) -> None:
        self.port = free_port()
        self.mqtt_port = free_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        server = server or authority.issue("broker.test", is_server=True)
        self._config = folder / "nats.conf"
        self._config.write_text(
            f"""
server_name: test
host: 127.0.0.1
port: {self.port}
jetstream {{ store_dir: "{folder / "jetstream"}" }}
mqtt {{
  host: 127.0.0.1
  port: {self.mqtt_port}
  tls {{
    cert_file: "{server.certificate}"
    key_file: "{server.key}"
    ca_file: "{authority.trust}"
    verify: true
  }}
}}
""",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until both ports answer."""
        with (self._folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([BINARY, "-c", self._config], stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        for port in (self.port, self.mqtt_port):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline or self._process.poll() is not None:
                        raise
                    time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
