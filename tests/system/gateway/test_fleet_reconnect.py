"""A fleet that lost its broker together comes back: below the limit of arrivals, all drained, none starved.

Real uplinks over real connections with mutual TLS, in a few processes; the broker with a certificate and rights of its
own for each gateway; a cloud's end that answers every batch. What arrives is counted at the broker.
"""

import asyncio
import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.aio.msg import Msg

from contracts.codec import encode_message
from contracts.topics import Channel, all_gateways, parse_topic, topic
from fleet_deploy.ca.service import init_authority
from gateway.uplink.brokers_policy import spread_s
from tests.support.broker import RunningBroker
from tests.support.fleet_worker import Member, Spec
from tests.support.gateway_records import SITE
from tests.support.nats_client import tls_context
from tests.support.processes import Process, ending, wait_until
from tests.support.uplink_doubles import commit

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
FLEET, LIMIT_PER_S, PROCESSES, AWAY_S, BATCHES = (500, 200.0, 4, 20.0, 60) if IS_WHOLE else (60, 60.0, 2, 2.0, 60)
SIZE_BYTES = 4000
CONNZ_LIMIT = 10_000
STARVED_S = 30.0
"""Three resends (5, 10, 20 s) of a gateway that came back before the cloud's end did; a fair share takes 10 s."""


@dataclass(frozen=True)
class Return:
    """What a fleet's return looked like.

    Attributes:
        arrivals: times of connections at the broker, s since it was back.
        drained_in: from a gateway's connection to its last receipt, s, by gateway.
        drained_at: last receipt of all, s since the broker was back.
    """

    arrivals: list[float]
    drained_in: dict[str, float]
    drained_at: float

    def peak_per_s(self) -> int:
        """Most arrivals in any second."""
        return max(sum(first <= other < first + 1 for other in self.arrivals) for first in self.arrivals)


async def test_a_fleet_comes_back_below_the_limit_all_drained_none_starved(tmp_path: Path) -> None:
    """Lost together, away for a while, back: each draws its moment; each backlog begins with one batch."""
    step_s = spread_s(FLEET, LIMIT_PER_S)
    settings = {"fleet_size": FLEET, "arrivals_per_s": LIMIT_PER_S, "reconnect_cap_s": 1.0}
    back = await comes_back(tmp_path, FLEET, settings)
    fastest, slowest = min(back.drained_in.values()), max(back.drained_in.values())
    figures = {
        "gateways": FLEET,
        "limit_per_s": LIMIT_PER_S,
        "peak_per_s": back.peak_per_s(),
        "last_arrival_s": round(max(back.arrivals), 2),
        "step_s": round(step_s, 2),
        "all_drained_s": round(back.drained_at, 2),
        "drained": len(back.drained_in),
        "batches_each": BATCHES,
        "fastest_drain_s": round(fastest, 3),
        "slowest_drain_s": round(slowest, 3),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    assert len(back.arrivals) == len(back.drained_in) == FLEET
    assert back.peak_per_s() <= LIMIT_PER_S
    assert max(back.arrivals) <= step_s + 2
    assert slowest <= STARVED_S


async def test_without_the_spread_the_same_fleet_storms(tmp_path: Path) -> None:
    """Mutation proof: 100 gateways that are told that each of them is alone."""
    back = await comes_back(tmp_path, 100, {"reconnect_base_s": 0.5, "reconnect_cap_s": 0.5}, away_s=1.0)
    assert back.peak_per_s() > 60


async def comes_back(folder: Path, fleet: int, settings: dict[str, Any], away_s: float = AWAY_S) -> Return:
    """Let a fleet connect, end the broker, start it again after ``away_s``, wait until all are drained."""
    names = [f"gw-{number}" for number in range(fleet)]
    broker = RunningBroker(folder / "broker")
    broker.folder.mkdir(parents=True)
    init_authority(broker.authority, datetime.now(UTC))
    files = [broker.gateway(SITE, name) for name in names]
    cloud_files = broker.cloud()
    members = [
        Member(name, str(item.certificate), str(item.private_key), str(item.trust))
        for name, item in zip(names, files, strict=True)
    ]
    broker.start()
    try:
        async with answering(broker, tls_context(cloud_files)) as heard:
            with ending(workers := start_workers(folder, broker.mqtt_port, members, settings)):
                await asyncio.to_thread(
                    wait_until, lambda: count(folder, "up") >= fleet, 60, f"all up\n{workers[0].tail()}"
                )
                await asyncio.to_thread(broker.stop)
                await asyncio.sleep(away_s)
                assert count(folder, "down") == fleet
                await asyncio.to_thread(broker.start)
                began = moment(str(broker.varz()["start"]))
                await asyncio.to_thread(wait_until, lambda: count(folder, "drained") >= fleet, 120, "all drained")
                arrivals = connections(broker, began)
                assert {name for name, _ in heard} == set(names)
    finally:
        if broker.process is not None and broker.process.poll() is None:
            broker.stop()
    return measured(folder, arrivals, began)


def start_workers(folder: Path, port: int, members: list[Member], settings: dict[str, Any]) -> list[Process]:
    workers = []
    for number in range(PROCESSES):
        spec = Spec(port, members[number::PROCESSES], BATCHES, SIZE_BYTES, settings)
        path = folder / f"spec{number}.json"
        path.write_bytes(msgspec.json.encode(spec))
        arguments = ["tests.support.fleet_worker", str(path), str(folder / f"events{number}.jsonl")]
        workers.append(Process(f"fleet{number}", arguments, folder / f"fleet{number}.log"))
        workers[-1].start()
    return workers


@contextlib.asynccontextmanager
async def answering(broker: RunningBroker, context: Any) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Answer every batch as the store role does; gives what was heard."""
    heard: list[tuple[str, bytes]] = []

    async def quiet(_error: Exception) -> None:
        """The broker's end is what the test is about."""

    client = await nats.connect(
        broker.url, tls=context, max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=quiet
    )

    async def answer(message: Msg) -> None:
        place = parse_topic(message.subject)
        heard.append((place.gateway, message.data[:16]))
        for receipt in commit(message.data):
            await client.publish(topic(place.site, place.gateway, Channel.RECEIPT).subject(), encode_message(receipt))

    await client.subscribe(all_gateways(Channel.RECORDS), cb=answer)
    await client.flush()
    yield heard
    await client.close()


def events(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.glob("events*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):
                yield json.loads(line)


def count(folder: Path, event: str) -> int:
    return len({item["gateway"] for item in events(folder) if item["event"] == event})


def connections(broker: RunningBroker, began: float) -> list[float]:
    """Ask the broker when MQTT clients have connected, s since ``began``."""
    url = f"http://127.0.0.1:{broker.monitor_port}/connz?state=any&limit={CONNZ_LIMIT}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = json.load(answer)["connections"]
    return sorted(moment(item["start"]) - began for item in found if item.get("mqtt_client"))


def moment(text: str) -> float:
    """Read a time of the broker's, to the microsecond."""
    return datetime.fromisoformat(text[:26].rstrip("Z") + "Z").timestamp()


def measured(folder: Path, arrivals: list[float], began: float) -> Return:
    up: dict[str, float] = {}
    drained: dict[str, float] = {}
    for item in sorted(events(folder), key=lambda item: float(item["at"])):
        if item["event"] == "up" and item["at"] >= began:
            up.setdefault(item["gateway"], item["at"])
        elif item["event"] == "drained":
            drained[item["gateway"]] = item["at"]
    return Return(arrivals, {name: drained[name] - up[name] for name in drained}, max(drained.values()) - began)
