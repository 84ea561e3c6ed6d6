"""A real Mosquitto: MQTT 3.1.1 and 5 by mutual TLS for gateways, and a plain listener for the cloud's end."""

import getpass
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.certs import TestAuthority
from tests.support.processes import free_port, wait_until

BINARY = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
START_TIMEOUT_S = 10.0


class Mosquitto:
    """A broker with ``mqtt_port`` (mutual TLS) and ``port`` (plain, on the loopback).

    It queues without bound for a subscriber that is slow, so that what is missing at the end was lost before it.

    Args:
        folder: for its files.
        authority: issues its certificate, and those of its clients.
        options: further lines of its configuration.
    """

    def __init__(self, folder: Path, authority: TestAuthority, options: Sequence[str] = ()) -> None:
        assert BINARY is not None, "Debian package mosquitto is not installed"
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.mqtt_port = free_port(), free_port()
        self._folder = folder
        server = authority.issue("mosquitto.test", is_server=True)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"""
per_listener_settings false
allow_anonymous true
persistence false
user {getpass.getuser()}
max_queued_messages 0
max_inflight_messages 0
listener {self.port} 127.0.0.1
listener {self.mqtt_port} 127.0.0.1
certfile {server.certificate}
keyfile {server.key}
cafile {authority.trust}
require_certificate true
"""
            + "".join(f"{option}\n" for option in options),
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until both ports answer."""
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([str(BINARY), "-c", str(self._config)], stdout=log, stderr=log)
        what = f"mosquitto listens: {self._folder / 'mosquitto.log'}"
        wait_until(lambda: _answers(self.port) and _answers(self.mqtt_port), START_TIMEOUT_S, what)

    def stop(self) -> None:
        """End it as its operator would: by SIGTERM."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=START_TIMEOUT_S)
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
