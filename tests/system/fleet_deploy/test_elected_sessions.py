"""What the cluster would be with its MQTT sessions in a clustered JetStream: the measured reason for ADR 0145.

Three nats-servers with routes and JetStream in one cluster, three replicas of each stream, warm: every node has served
MQTT. Then a node dies, and a fresh, clean client id, receipts at QoS 0, knocks at the two that are left.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet_deploy.broker.configuration import nats_server_path
from fleet_deploy.broker.permissions import users_of
from fleet_deploy.broker.render import render
from fleet_deploy.broker.servers import BrokerOptions, settings_for
from fleet_deploy.ca import requests
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue
from fleet_deploy.processes.ports import free_ports
from tests.support.mqtt_client import MqttClient
from tests.support.processes import wait_until

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
ROUNDS = 5 if IS_WHOLE else 1
SESSIONS = "$MQTT_sess"
KNOCK_S = 5.0
LIMIT_S = 30.0
START_TIMEOUT_S = 20.0
AIM_S = 3.0


class Elected:
    """One server of such a cluster."""

    def __init__(self, folder: Path, authority: Path, ports: list[int], others: list[int]) -> None:
        self.name = folder.name
        mqtt_port, client_port, monitor_port, route_port = ports
        options = BrokerOptions(authority, folder, "127.0.0.1", mqtt_port, client_port, monitor_port, ["broker"])
        issue(authority, requests.plan_server(["broker"]), folder / "server", datetime.now(UTC))
        settings = settings_for(options).model_copy(update={"server_name": self.name})
        self.mqtt_port, self.monitor_port = mqtt_port, monitor_port
        self._config = folder / "nats.conf"
        text = render(settings, users_of(read_registry(authority)))
        text = text.replace("max_ack_pending: 128", "max_ack_pending: 128\n  stream_replicas: 3")
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in others)
        text += f'cluster {{ name: elected, host: "127.0.0.1", port: {route_port}, routes: [{routes}] }}\n'
        self._config.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([str(nats_server_path()), "-c", str(self._config)], stderr=subprocess.DEVNULL)

    def kill(self) -> float:
        assert self.process is not None
        at_s = time.monotonic()
        self.process.kill()
        self.process.wait()
        return at_s

    def get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_port}/{path}", timeout=2) as answer:
            content: dict[str, Any] = json.load(answer)
        return content

    def is_healthy(self) -> bool:
        try:
            return bool(self.get("healthz")["status"] == "ok")
        except OSError:
            return False

    def leaders(self) -> dict[str, str]:
        """Return who leads: ``meta``, and each stream."""
        state = self.get("jsz?streams=1")
        found = {"meta": str(state["meta_cluster"].get("leader"))}
        for account in state.get("account_details") or []:
            for stream in account["stream_detail"]:
                found[stream["name"].split("_KwEmus3X")[0]] = str(stream.get("cluster", {}).get("leader"))
        return found


def test_with_elected_sessions_the_death_of_their_leader_shuts_every_node_for_seconds(tmp_path: Path) -> None:
    """Mutation proof of ``test_cluster_failover``, and the figures of the cluster that is not built."""
    took: dict[str, list[float]] = {"sessions": [], "meta": []}
    with elected(tmp_path) as (servers, files):
        for number in range(ROUNDS):
            for role, name in (("sessions", SESSIONS), ("meta", "meta")):
                if role == "meta" and not IS_WHOLE:
                    continue
                wait_until(lambda name=name: name in leaders(servers), START_TIMEOUT_S, f"a leader of {name}")  # type: ignore[misc]
                victim = next(server for server in servers if server.name == leaders(servers)[name])
                died_s = victim.kill()
                left = [server for server in servers if server is not victim]
                took[role].append(max(lets_in(server, files, f"{role}{number}") for server in left) - died_s)
                victim.start()
                wait_until(lambda: all(server.is_healthy() for server in servers), LIMIT_S, "the cluster is whole")
    figures = {role: [round(value, 2) for value in values] for role, values in took.items() if values}
    sys.stdout.write(json.dumps({"elected_sessions_fresh_client_id_connects_after_s": figures}) + "\n")
    assert min(took["sessions"]) > AIM_S


def leaders(servers: list[Elected]) -> dict[str, str]:
    """Return the leaders that some server knows of and that are known."""
    found: dict[str, str] = {}
    for server in servers:
        if server.is_healthy():
            found |= {name: leader for name, leader in server.leaders().items() if leader not in ("", "None")}
    return found


def lets_in(server: Elected, files: IssuedFiles, name: str) -> float:
    """Knock with fresh client ids until one is let in; returns when, monotonic s."""
    deadline_s = time.monotonic() + LIMIT_S
    attempt = 0
    while time.monotonic() < deadline_s:
        attempt += 1
        client = MqttClient(files, "127.0.0.1", server.mqtt_port, f"{name}-{server.name}-{attempt}")
        try:
            wait_until(lambda client=client: client.is_connected, KNOCK_S, "let in", 0.01)  # type: ignore[misc]
            return time.monotonic()
        except AssertionError:
            continue
        finally:
            client.close()
    raise AssertionError(f"{server.name} lets nobody in for {LIMIT_S} s")


@contextmanager
def elected(folder: Path) -> Iterator[tuple[list[Elected], IssuedFiles]]:
    """Run such a cluster, warm."""
    authority = folder / "ca"
    init_authority(authority, datetime.now(UTC))
    files = issue(authority, requests.plan_gateway("puerto-demo", "gw-1"), folder / "gw-1", datetime.now(UTC))
    ports = free_ports(12)
    groups = [ports[start : start + 4] for start in range(0, 12, 4)]
    servers = [
        Elected(folder / name, authority, group, [other[3] for other in groups if other is not group])
        for name, group in zip(("x", "y", "z"), groups, strict=True)
    ]
    try:
        for server in servers:
            server.start()
        healthy: Callable[[], bool] = lambda: all(server.is_healthy() for server in servers)  # noqa: E731 - a type for it
        wait_until(healthy, START_TIMEOUT_S, "the cluster is whole")
        for server in servers:
            lets_in(server, files, "warm")
        yield servers, files
    finally:
        for server in servers:
            if server.process is not None and server.process.poll() is None:
                server.kill()
