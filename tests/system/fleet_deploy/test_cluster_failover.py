"""A node of a three-node cluster dies mid-stream: nothing lost, nothing doubled, gateways at another within seconds.

Real nodes (`broker serve`), three real store workers on one history, gateways with a real outbox and a real uplink over
mutual TLS, all in processes of their own.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bench.figures import percentile
from tests.support.broker_cluster import Node, RunningCluster, running_cluster
from tests.support.fault_parts import CloudPart
from tests.support.fleet_control import RunningFleet, running_fleet
from tests.support.processes import ending, wait_until
from tests.support.store_evidence import balance, of_sqlite
from tests.support.store_plant import SITE, cloud_part
from tests.support.watched_fleet import Links

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
ROUNDS, GATEWAYS, RECORDS_PER_S = (10, 20, 800.0) if IS_WHOLE else (1, 8, 300.0)
WORKERS = 3
AIM_S = 3.0
SETTLE_S = 20.0
DRAIN_S = 60.0
START_TIMEOUT_S = 60.0
STORES = '[history]\npath = "history.sqlite"\n[operations]\nurl = "sqlite+aiosqlite:///operations.sqlite"'


@dataclass
class Deaths:
    """What deaths of one kind cost: gateways' time without a connection, and without a receipt, s."""

    disconnected_s: list[float] = field(default_factory=list)
    silent_s: list[float] = field(default_factory=list)

    def figures(self, kind: str) -> dict[str, float | str]:
        """Return them for a person."""
        found: dict[str, float | str] = {"kind": kind, "gateways_hit": len(self.silent_s)}
        for name, values in (("failover", self.disconnected_s), ("without_receipt", self.silent_s)):
            if values:
                found |= {f"{name}_p50_s": round(percentile(values, 0.5), 3)}
                found |= {f"{name}_p95_s": round(percentile(values, 0.95), 3), f"{name}_max_s": round(max(values), 3)}
        return found


def test_a_node_dies_mid_stream(tmp_path: Path) -> None:
    """Whole nodes by `kill -9`, then cores alone: 0 lost, 0 doubled; no node is special, for nothing is elected."""
    with running_cluster(tmp_path) as cluster, storing(tmp_path / "cloud", cluster) as workers:
        identities = {name: cluster.gateway(SITE, name) for name in (f"gw-{n:02}" for n in range(GATEWAYS))}
        brokers = [(node.host, node.mqtt_port) for node in cluster.nodes]
        home = tmp_path / "fleet"
        fleet_arguments = (home, SITE, brokers, identities, RECORDS_PER_S, "tests.support.watched_fleet")
        with running_fleet(*fleet_arguments) as fleet:
            links = Links(home)
            nodes, cores = Deaths(), Deaths()
            for _ in range(ROUNDS):
                node_dies(cluster, fleet, links, nodes)
            for _ in range(ROUNDS):
                core_dies(cluster, fleet, links, cores)
            assert not any("leader" in str(node.get("jsz")) for node in cluster.nodes)
            end = fleet.drain(DRAIN_S)
        assert all(worker.is_running() for worker in workers)
        found = balance(end.streams, of_sqlite(tmp_path / "cloud" / "history.sqlite"))
    figures = {
        "deaths": [nodes.figures("node"), cores.figures("core")],
        "rounds": 2 * ROUNDS,
        "gateways": GATEWAYS,
        "workers": WORKERS,
        "records": found.records,
        "lost": found.lost + found.unwritten,
        "doubled": found.doubled + found.written_twice,
        "resent": end.counters.get("batches_resent", 0),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    assert found.is_exact(), found
    assert nodes.disconnected_s
    assert percentile(nodes.disconnected_s, 0.95) <= AIM_S
    assert not cores.disconnected_s


def node_dies(cluster: RunningCluster, fleet: RunningFleet, links: Links, deaths: Deaths) -> None:
    """Kill the node with the most gateways, supervisor and all, and start it again when they are elsewhere."""
    victim = most_used(cluster, links)
    hit = at(victim, links)
    died_s = victim.kill()
    wait_until(lambda: all(links.up_again_s(name, died_s) for name in hit), SETTLE_S, "gateways elsewhere", 0.05)
    live_s = fleet.wait_live(died_s, SETTLE_S)
    for name in hit:
        deaths.disconnected_s.append((links.up_again_s(name, died_s) or died_s) - died_s)
        deaths.silent_s.append(links.silence_s(name, died_s, live_s))
    assert not at(victim, links)
    cluster.restart(victim)


def core_dies(cluster: RunningCluster, fleet: RunningFleet, links: Links, deaths: Deaths) -> None:
    """Kill the core below the most used front: its gateways keep their connections, the front hangs on another."""
    victim = most_used(cluster, links)
    hit = at(victim, links)
    died_s = victim.kill("core")
    time.sleep(1)
    live_s = fleet.wait_live(died_s, SETTLE_S)
    for name in hit:
        if (back_s := links.up_again_s(name, died_s)) is not None:
            deaths.disconnected_s.append(back_s - died_s)
        deaths.silent_s.append(links.silence_s(name, died_s, live_s))
    victim.wait_until_ready()


def most_used(cluster: RunningCluster, links: Links) -> Node:
    """Return the node with the most gateways."""
    return max(cluster.nodes, key=lambda node: len(at(node, links)))


def at(node: Node, links: Links) -> list[str]:
    """Return the gateways that are connected to a node."""
    broker = f"{node.host}:{node.mqtt_port}"
    return [name for name, link in links.last().items() if link.is_up and link.broker == broker]


@contextmanager
def storing(folder: Path, cluster: RunningCluster) -> Iterator[list[CloudPart]]:
    """Run store workers on one history; the first alone until it is ready, for it makes the databases."""
    folder.mkdir()
    identity = cluster.cloud()
    workers = [
        cloud_part(f"store-{number}", folder, cluster.urls(), identity, "store", STORES) for number in range(WORKERS)
    ]
    with ending([worker.process for worker in workers]):
        for group in (workers[:1], workers[1:]):
            for worker in group:
                worker.start()
            for worker in group:
                wait_until(worker.is_answering, START_TIMEOUT_S, f"a worker is ready\n{worker.process.tail()}")
        yield workers
