"""The cloud of many hosts on one machine: brokers, three store workers, the API, PostgreSQL and InfluxDB.

The brokers are a cluster of NATS, or one Mosquitto.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fleet_deploy.ca.service import IssuedFiles
from tests.support.broker_cluster import Node, RunningCluster, running_cluster
from tests.support.fault_parts import CloudPart, Part, family, supervised
from tests.support.influx_server import HistoryServer, InfluxServer, running_influx
from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.processes import ROOT, ending, wait_until
from tests.support.rendered_mosquitto import RenderedMosquitto, running_mosquitto
from tests.support.store_evidence import Held
from tests.support.store_plant import SITE, Plant, cloud_part

DATABASE = "porttrack"
OPERATIONS = "operations"
WORKERS = 3
START_TIMEOUT_S = 60.0
MIGRATE_TIMEOUT_S = 60.0


class NodePart:
    """A whole node of the cluster: its supervisor, its front and its core."""

    def __init__(self, cluster: RunningCluster, node: Node) -> None:
        self.name = f"broker-{node.name}"
        self._cluster = cluster
        self._node = node

    def pids(self) -> list[int]:
        assert self._node.process is not None
        return family(self._node.process.pid)

    def is_running(self) -> bool:
        return self._node.process is not None and self._node.process.is_running

    def start(self) -> None:
        self._node.start(self._cluster.members, is_awaited=False)

    def is_answering(self) -> bool:
        try:
            return self._node._is_ready()
        except AssertionError:
            return False


class MosquittoPart:
    """Mosquitto, which has no supervisor of its own."""

    name = "mosquitto"

    def __init__(self, broker: RenderedMosquitto) -> None:
        self._broker = broker

    def pids(self) -> list[int]:
        return [self._broker.pid]

    def is_running(self) -> bool:
        return self._broker.is_running

    def start(self) -> None:
        self._broker.start()

    def is_answering(self) -> bool:
        return self._broker.is_serving()


class PostgresPart:
    """PostgreSQL with its helpers."""

    name = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def pids(self) -> list[int]:
        return family(self._server.pid)

    def is_running(self) -> bool:
        process = self._server._process
        return process is not None and process.poll() is None

    def start(self) -> None:
        self._server.start()

    def is_answering(self) -> bool:
        try:
            return self._server.psql("SELECT 1").strip() == "1"
        except (AssertionError, subprocess.TimeoutExpired):
            return False


class HistoryPart:
    """The history server."""

    def __init__(self, server: HistoryServer) -> None:
        self.name = server.name
        self._server = server

    def pids(self) -> list[int]:
        return [self._server.pid]

    def is_running(self) -> bool:
        child = self._server._child
        return child is not None and child.poll() is None

    def start(self) -> None:
        self._server.start()

    def is_answering(self) -> bool:
        try:
            return self._server.answers()
        except AssertionError:
            return False


@contextmanager
def server_plant(folder: Path) -> Iterator[Plant]:
    """Run it until the block ends."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        influx = stack.enter_context(running_influx(folder / "influx"))
        cluster = stack.enter_context(running_cluster(folder))
        clouds = _clouds(folder / "cloud", cluster.cloud(), cluster.urls(), _stores(postgres, influx))
        _start(clouds, folder / "cloud", stack)
        nodes = [NodePart(cluster, node) for node in cluster.nodes]
        parts: list[Part] = [nodes[0], clouds[0], PostgresPart(postgres), HistoryPart(influx), clouds[-1]]
        everything: list[Part] = [*nodes, *clouds, *parts[2:4]]
        supervisor = stack.enter_context(supervised(everything))
        brokers = [(node.host, node.mqtt_port) for node in cluster.nodes]
        name = f"{influx.version()}, PostgreSQL {postgres.version}, NATS cluster of {len(nodes)}"
        yield Plant(name, cluster, brokers, parts, lambda: held_by_servers(influx, postgres), supervisor)


@contextmanager
def mosquitto_plant(folder: Path, gateways: int) -> Iterator[Plant]:
    """Run the same with one Mosquitto in the place of the cluster: a bus and gateways of MQTT 5.

    Args:
        folder: for all files.
        gateways: how many it knows, from the start.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        influx = stack.enter_context(running_influx(folder / "influx"))
        known = [(SITE, f"gw-{number:02}") for number in range(gateways)]
        broker = stack.enter_context(running_mosquitto(folder, known))
        clouds = _clouds(folder / "cloud", broker.cloud(), [broker.url], _stores(postgres, influx), "mqtt")
        _start(clouds, folder / "cloud", stack)
        parts: list[Part] = [MosquittoPart(broker), clouds[0]]
        supervisor = stack.enter_context(supervised([*parts, *clouds[1:]]))
        name = f"{influx.version()}, PostgreSQL {postgres.version}, Mosquitto"
        brokers = [(broker.host, broker.mqtt_port)]
        yield Plant(
            name, broker, brokers, parts, lambda: held_by_servers(influx, postgres), supervisor, protocol="5"
        )  # fmt: skip


def _stores(postgres: PostgresServer, influx: InfluxServer) -> str:
    history = f'[history]\nkind = "influxdb"\nversion = "1"\nurl = "{influx.url}"\ndatabase = "{DATABASE}"'
    url = postgres.database(OPERATIONS)
    secrets = f'password_file = "{postgres.password_file}"\ntrust = "{postgres.trust}"'
    return f'{history}\n[operations]\nurl = "{url}"\n{secrets}'


def _clouds(folder: Path, identity: IssuedFiles, servers: list[str], stores: str, bus: str = "nats") -> list[CloudPart]:
    folder.mkdir(parents=True)
    roles = {f"worker-{number}": "store" for number in range(1, WORKERS + 1)} | {"api": "api,track"}
    return [cloud_part(name, folder, servers, identity, role, stores, bus=bus) for name, role in roles.items()]


def _start(clouds: list[CloudPart], folder: Path, stack: ExitStack) -> None:
    _migrate(folder / f"{clouds[0].name}.toml")
    for cloud in clouds:
        # each by itself: one that does not end in time must not leave the others
        stack.enter_context(ending([cloud.process]))
        cloud.start()
    for cloud in clouds:
        wait_until(cloud.is_answering, START_TIMEOUT_S, f"{cloud.name} is ready\n{cloud.process.tail()}")


def _migrate(config: Path) -> None:
    command = [sys.executable, "-m", "cloud_api", "migrate", "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MIGRATE_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def held_by_servers(influx: InfluxServer, postgres: PostgresServer) -> dict[str, Held]:
    """Read points and ledger with the servers' own tools."""
    held: dict[str, Held] = {}
    ledger = "SELECT stream_id, first_seq, last_seq FROM ledger_covered JOIN ledger_streams USING (stream_ref)"
    for stream_id, first, last in _rows(postgres, ledger):
        held.setdefault(stream_id, Held()).ledger.append((int(first), int(last)))
    for stream_id, received in _rows(postgres, "SELECT stream_id, received FROM ledger_streams"):
        held.setdefault(stream_id, Held()).counted = int(received)
    policies = [row[0] for row in influx.query(f'SHOW RETENTION POLICIES ON "{DATABASE}"')[0]["values"]]
    for policy in policies:
        for gateway in _gateways(influx):
            where = f"WHERE gateway = '{gateway}' GROUP BY stream"
            for series in influx.query(f'SELECT seq FROM "{DATABASE}"."{policy}"./.*/ {where}', DATABASE):  # noqa: S608 - our names
                stream_id = f"{SITE}.{gateway}.{series['tags']['stream']}"
                held.setdefault(stream_id, Held()).history.update(int(row[1]) for row in series["values"])
    return held


def _gateways(influx: InfluxServer) -> list[str]:
    found = influx.query('SHOW TAG VALUES WITH KEY = "gateway"', DATABASE)
    return sorted({row[1] for series in found for row in series["values"]})


def _rows(postgres: PostgresServer, query: str) -> list[list[str]]:
    return [line.split("|") for line in postgres.psql(query, OPERATIONS).splitlines()]
