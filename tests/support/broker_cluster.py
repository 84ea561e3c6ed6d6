"""A real broker cluster for system tests: one authority, and a `broker serve` for each of its nodes.

with running_cluster(tmp_path) as cluster:
    identity = cluster.gateway("puerto-demo", "gw-1")
    cluster.nodes[0].mqtt_port, cluster.urls()
    cluster.nodes[0].kill()     # power cut: supervisor, front and core at once
    cluster.nodes[0].start()
"""

import contextlib
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet_deploy.broker.permissions import pins_of
from fleet_deploy.ca import requests
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue, revoke
from fleet_deploy.processes.ports import free_ports
from tests.support.processes import Process, wait_until

READY_S = 20.0
RELOAD_S = 5.0
PORTS_A_NODE = 6


class Node:
    """One node, in a folder of its own; its ports stay the same through restarts."""

    host = "127.0.0.1"

    def __init__(self, name: str, folder: Path, authority: Path, ports: list[int]) -> None:
        self.name, self.folder, self._authority = name, folder, authority
        self.mqtt_port, self.client_port, self.monitor_port, self.front_monitor_port = ports[:4]
        self.route_port, self.leaf_port = ports[4:]
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"tls://{self.host}:{self.client_port}"

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    def start(self, members: str, *, is_awaited: bool = True) -> None:
        """Start it; it is ready when its core has a route and its front hangs on a core, if there is another node."""
        ports = ["--mqtt-port", self.mqtt_port, "--client-port", self.client_port, "--monitor-port", self.monitor_port]
        ports += ["--front-monitor-port", self.front_monitor_port]
        command = ["fleet_deploy", "broker", "serve", "--ca", self._authority, "--dir", self.folder / "run", *ports]
        command += ["--cluster", members, "--node", self.name]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = Process(f"broker {self.name}", [str(word) for word in command], self.log)
        self.process.start()
        if is_awaited:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        wait_until(self._is_ready, READY_S, f"node {self.name}: {self.log}", 0.05)

    def pid_of(self, server: str) -> int:
        """Return the pid of ``core`` or ``front``."""
        return int((self.folder / "run" / f"{server}.pid").read_text())

    def kill(self, *servers: str) -> float:
        """``kill -9`` the whole node, or only some of its servers; returns when (monotonic, s)."""
        pids = [self.pid_of(server) for server in servers or ("core", "front")]
        if not servers:
            assert self.process is not None
            pids.insert(0, self.process.pid)
        at = time.monotonic()
        for pid in pids:
            # what works for the supervisor may end with it
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not servers and self.process is not None:
            self.process.kill()
        return at

    def get(self, path: str, server: str = "core") -> dict[str, Any]:
        """Return what a server's monitoring says."""
        port = self.monitor_port if server == "core" else self.front_monitor_port
        with urllib.request.urlopen(f"http://{self.host}:{port}/{path}", timeout=2) as answer:
            content: dict[str, Any] = json.load(answer)
        return content

    def configuration(self, server: str) -> str:
        return (self.folder / "run" / f"{server}.conf").read_text()

    def loaded_at(self, server: str) -> str:
        return str(self.get("varz", server)["config_load_time"])

    def has_loaded(self, pins: list[str]) -> bool:
        """Tell whether its core runs by a file that names all these keys, and is ready."""
        file = self.folder / "run" / "core.conf"
        text, written_at = file.read_text(), file.stat().st_mtime
        try:
            loaded_at = datetime.fromisoformat(self.loaded_at("core")).timestamp()
        except OSError:
            return False
        return all(pin in text for pin in pins) and loaded_at >= written_at and self._is_ready()

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.is_running, self.process.tail()
        try:
            has_routes = int(self.get("routez")["num_routes"]) > 0
            return has_routes and len(self.get("leafz", "front").get("leafs") or []) == 1
        except (OSError, ValueError):
            return False


class RunningCluster:
    """Nodes under one authority. Certificates may be issued while it runs; the methods wait until all nodes know."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        self.folder = folder
        self.authority = folder / "ca"
        ports = free_ports(PORTS_A_NODE * count)
        names = [chr(ord("a") + index) for index in range(count)]
        self.nodes = [
            Node(name, folder / name, self.authority, ports[index * PORTS_A_NODE : (index + 1) * PORTS_A_NODE])
            for index, name in enumerate(names)
        ]
        self.members = ",".join(f"{node.name}={node.host}:{node.route_port}:{node.leaf_port}" for node in self.nodes)
        self._issued = 0

    def start(self) -> None:
        for node in self.nodes:
            node.start(self.members, is_awaited=False)
        for node in self.nodes:
            node.wait_until_ready()
        # each node's certificate is a pin that the others take in by a restart of their cores
        wait_until(self._is_settled, READY_S, "all nodes know each other's keys", 0.05)

    def restart(self, node: Node) -> None:
        node.start(self.members)

    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def gateway(self, site: str, gateway: str) -> IssuedFiles:
        return self._issue(requests.plan_gateway(site, gateway), gateway)

    def cloud(self) -> IssuedFiles:
        return self._issue(requests.plan_cloud(), "cloud")

    def revoke(self, files: IssuedFiles) -> None:
        revoke(self.authority, files.entry.serial, datetime.now(UTC))

    def running(self) -> list[Node]:
        return [node for node in self.nodes if node.process is not None and node.process.is_running]

    def stop(self) -> None:
        for node in self.running():
            assert node.process is not None
            node.process.stop()

    def _is_settled(self) -> bool:
        pins = pins_of(read_registry(self.authority))
        return all(node.has_loaded(pins) for node in self.nodes)

    def _issue(self, plan: requests.LeafPlan, name: str) -> IssuedFiles:
        self._issued += 1
        out = self.folder / "issued" / f"{self._issued}-{name}"
        servers = [(node, server) for node in self.running() for server in ("core", "front")]
        before = [node.loaded_at(server) for node, server in servers]
        files = issue(self.authority, plan, out, datetime.now(UTC))
        for (node, server), loaded_at in zip(servers, before, strict=True):
            _wait_until_known(node, server, files.entry.names[0], loaded_at)
        return files


def _wait_until_known(node: Node, server: str, name: str, loaded_at: str) -> None:
    def is_known() -> bool:
        return name in node.configuration(server) and node.loaded_at(server) != loaded_at

    wait_until(is_known, RELOAD_S, f"{node.name}'s {server} knows {name}", 0.02)


@contextmanager
def running_cluster(folder: Path, count: int = 3) -> Iterator[RunningCluster]:
    """Make an authority and run a cluster below ``folder`` until the block ends."""
    cluster = RunningCluster(folder / "cluster", count)
    cluster.folder.mkdir(parents=True)
    init_authority(cluster.authority, datetime.now(UTC))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
