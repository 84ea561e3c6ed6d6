"""The profile of one host as it is shipped, on real servers: each role a process of its own, seen whole from outside.

Only what a machine decides is set from the environment: addresses, certificates, passwords.
"""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any

import msgspec
import pytest

from contracts.codec import encode_message
from contracts.health import StreamStatus
from contracts.payloads import Ais
from tests.support.batches import GATEWAY, SITE, STREAM, batch, position, record
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import FakeGateway, cloud_identity, gateway_identity
from tests.support.influx_server import InfluxServer
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.postgres_server import PostgresServer
from tests.support.prerequisites import is_left_out
from tests.support.processes import ROOT, Process, ending
from tests.support.statuses import status

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(is_left_out("influxdb"), reason="influxdb is not installed"),
]

CONFIG = ROOT / "config/single_host.toml"
MMSI = 224_000_001
START_TIMEOUT_S = 120.0
URL = re.compile(r'"url": "(http://127\.0\.0\.1:\d+)", "event": "(?:http|probes)_listening"')


class HostProcess:
    """One process of the profile."""

    def __init__(self, name: str, role: str, folder: Path) -> None:
        self.process = Process(name, ["cloud_api", "serve", "--config", str(CONFIG), "--roles", role], folder / name)

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url()}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def url(self) -> str:
        found = URL.findall(self.process.log.read_text()) if self.process.log.exists() else []
        assert found, self.process.tail()
        return str(found[-1])

    def is_ready(self) -> bool:
        assert self.process.is_running, self.process.tail()
        try:
            return bool(self.get("/readyz")["is_ready"])
        except (AssertionError, OSError):
            return False


@contextmanager
def influx(folder: Path) -> Iterator[InfluxServer]:
    server = InfluxServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def set_up(
    patch: pytest.MonkeyPatch, folder: Path, broker: RunningBroker, history: InfluxServer, postgres: PostgresServer
) -> None:
    """Say by environment what differs from machine to machine."""
    identity = cloud_identity(broker)
    (folder / "influx-password").write_text("not-asked-for\n")
    said = {
        "BUS__SERVERS": json.dumps([broker.url]),
        "BUS__CERTIFICATE": identity.certificate,
        "BUS__PRIVATE_KEY": identity.private_key,
        "BUS__TRUST": identity.trust,
        "HISTORY__URL": history.url,
        "HISTORY__PASSWORD_FILE": folder / "influx-password",
        "OPERATIONS__URL": postgres.database(),
        "OPERATIONS__PASSWORD_FILE": postgres.password_file,
        "OPERATIONS__TRUST": postgres.trust,
        "CONTROL_ROOM__DIR": folder,
        "HTTP__PORT": 0,
    }
    for key, value in said.items():
        patch.setenv(f"PORTTRACK__{key}", str(value))


def command(name: str, *arguments: str) -> str:
    line = [sys.executable, "-m", "cloud_api", name, "--config", str(CONFIG), *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def send_ship(gateway: FakeGateway) -> None:
    now_ns = time_ns()
    name = Ais(msg_type=5, mmsi=MMSI, name="ALBA", callsign="EA123", to_bow_m=100)
    gateway.send(batch(1, 2, records=[record(1, position(MMSI), now_ns), record(2, name, now_ns)]))
    gateway.wait_receipts(1)
    stream = StreamStatus(stream_id=STREAM, next_seq=3, buffered_ranges=[])
    report = msgspec.structs.replace(status(at_ns=time_ns()), streams=[stream])
    gateway.send_bytes(encode_message(report), "status")


def names(api: HostProcess) -> list[str]:
    return [vessel["name"] for vessel in api.get("/api/v1/vessels")["items"]]


def test_one_host_serves_from_its_servers_and_remembers(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_broker(tmp_path) as broker, influx(tmp_path / "influx") as history:
        set_up(monkeypatch, tmp_path, broker, history, postgres)
        assert "influxdb: http://127.0.0.1" in command("check-config")
        command("migrate")
        roles = {"store-1": "store", "store-2": "store", "track": "track", "api": "api"}
        host = {name: HostProcess(name, role, tmp_path) for name, role in roles.items()}
        client = MqttClient(gateway_identity(broker, SITE, GATEWAY), broker.host, broker.mqtt_port, client_id="gw")
        with ending([one.process for one in host.values()]):
            for one in host.values():
                one.process.start()
            wait_for(lambda: all(one.is_ready() for one in host.values()), "every process ready", START_TIMEOUT_S)
            send_ship(FakeGateway(client, SITE, GATEWAY))
            wait_for(lambda: names(host["api"]) == ["ALBA"], "the ship in the live picture", 20)
            check_from_outside(host)
            host["api"].process.kill()
            host["api"].process.start()
            wait_for(host["api"].is_ready, "the API again", START_TIMEOUT_S)
            assert names(host["api"]) == ["ALBA"], "warmed from the history"
        client.close()


def check_from_outside(host: dict[str, HostProcess]) -> None:
    track = host["api"].get(f"/api/v1/vessels/{MMSI}/track")
    assert len(track["properties"]["times"]) == 1
    wait_for(lambda: account(host["api"]) == ("whole", 2), "the balance of the gateway", 20)
    committed = [line for name in ("store-1", "store-2") for line in host[name].text("/metrics").splitlines()]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in committed if line.startswith("ingest_records_total")) == 2
    judges = [name for name, one in host.items() if f'track_lease_held{{site="{SITE}"}} 1.0' in one.text("/metrics")]
    assert judges == ["track"]
    assert all(one.get("/healthz")["status"] == "ok" for one in host.values())
    with pytest.raises(urllib.error.HTTPError, match="404"):
        host["track"].text("/api/v1/vessels")


def account(api: HostProcess) -> tuple[str, int] | None:
    items = api.get("/api/v1/accounting")["items"]
    return (items[0]["verdict"], items[0]["received"]) if items else None
