"""A store worker on either bus: ended in order or killed under load, and with a database that hangs.

Reduced by default; PORTTRACK_WHOLE=1 ends and kills it ten times each under 2,000 records/s of twenty gateways, and
floods it with five times as much. The mutation proofs stay small: what must go wrong does so at any size.
"""

import base64
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from contracts.batch import Batch
from contracts.codec import encode_batch
from contracts.receipt import Outcome, Receipt
from fleet_deploy.ca.service import IssuedFiles
from tests.support.batches import batch, record
from tests.support.buses import ADAPTERS, DOWN, GATEWAY, SITE, Plant, running_plant
from tests.support.cloud import gateway_identity
from tests.support.fleet_control import running_fleet
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.prerequisites import is_left_out
from tests.support.rendered_mosquitto import RenderedMosquitto
from tests.support.store_evidence import Balance, balance, of_sqlite
from tests.support.store_worker import StoreWorker, running_worker

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"


class Load(NamedTuple):
    """So many gateways, records a second of all together, and ends and kills."""

    gateways: int
    records_per_s: float
    rounds: int


REDUCED = Load(4, 400.0, 1)
LOAD = Load(20, 2000.0, 10) if IS_WHOLE else REDUCED
END_TIMEOUT_S = 8.0
REDUCED_FLOOD = 800
FLOOD_BATCHES = 5000 if IS_WHOLE else REDUCED_FLOOD
ROUND = 50
BATCH_RECORDS = 25
RAW_CHARS = 7000
RSS_CAP_MIB = 80.0
"""What is held at most: 256 messages or 32 MiB between broker and handler, 64 batches before their commit."""
AGAIN_S = 2.0
UPLINK: dict[str, Any] = {"reconnect_cap_s": 2.0, "resend_cap_s": 10.0, "live_goal_s": 20.0}
"""As in the fault matrix: with the default goal what a killed worker held rests while live receipts are late, for up to
a quarter of an hour, which is the gateway's pace and not the worker's."""


@pytest.fixture(params=ADAPTERS)
def plant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plant]:
    if request.param == "mqtt" and is_left_out("mosquitto"):
        pytest.skip("Debian package mosquitto is not installed")
    with running_plant(request.param, tmp_path) as running:
        yield running


def identities(plant: Plant, count: int) -> dict[str, IssuedFiles]:
    """Issue the gateways' certificates; Mosquitto takes them in by a restart."""
    names = [f"gw-{number:02}" for number in range(count)]
    if not isinstance(plant.broker, RenderedMosquitto):
        broker = plant.broker
        return {name: gateway_identity(broker, SITE, name) for name in names}
    issued = {name: plant.broker.gateway(SITE, name) for name in names}
    plant.broker.render()
    plant.broker.restart()
    return issued


def end_under_load(plant: Plant, folder: Path, load: Load, program: str = "cloud_api") -> tuple[Balance, list[float]]:
    """End a worker, and kill it, while gateways send; returns the balance, and how long the orderly ends took."""
    members = identities(plant, load.gateways)
    with running_worker(plant, folder / "worker", program) as worker:
        brokers = [(plant.broker.host, plant.broker.mqtt_port)]
        protocol = "5" if plant.adapter == "mqtt" else "3.1.1"
        with running_fleet(
            folder / "fleet", SITE, brokers, members, load.records_per_s, **UPLINK, protocol=protocol
        ) as fleet:
            took_s = []
            for is_orderly in (True, False) * load.rounds:
                time.sleep(1)
                at_s = time.monotonic()
                if is_orderly:
                    took_s.append(worker.stop())
                else:
                    worker.process.kill()
                worker.start()
                fleet.wait_live(at_s, 90)
            drained = fleet.drain(90)
        assert len(worker.events("cloud_stopped")) == load.rounds
        assert worker.events("cloud_step_unfinished") == []
    return balance(drained.streams, of_sqlite(worker.history)), took_s


def test_a_worker_that_is_ended_finishes_what_it_holds_and_nothing_is_lost_or_doubled(
    plant: Plant, tmp_path: Path
) -> None:
    found, took_s = end_under_load(plant, tmp_path, LOAD)
    figures = {"bus": plant.adapter, "ends": LOAD.rounds, "kills": LOAD.rounds, "slowest_end_s": round(max(took_s), 2)}
    sys.stdout.write(json.dumps(figures | asdict(found)) + "\n")
    assert found.is_exact(), found
    assert max(took_s) <= END_TIMEOUT_S


def test_a_worker_that_answers_first_and_waits_for_nothing_would_lose(plant: Plant, tmp_path: Path) -> None:
    """Mutation proof."""
    found, _ = end_under_load(plant, tmp_path, REDUCED, "tests.support.hasty_worker")
    assert found.lost > 0


class Sender:
    """A gateway that sends large batches, and sends again what has no receipt."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        wait_for(lambda: client.is_connected, "the gateway on the bus", 20)
        assert client.subscribe(DOWN.mqtt())

    def committed(self) -> set[int]:
        """First numbers of the batches that have a receipt."""
        receipts = [msgspec.json.decode(data, type=Receipt) for _, data in list(self._client.messages)]
        assert {receipt.outcome for receipt in receipts} <= {Outcome.COMMITTED}
        return {receipt.first_seq for receipt in receipts if receipt.first_seq is not None}

    def send(self, payloads: list[bytes]) -> None:
        """Send, no faster than the broker takes."""
        topic = f"porttrack/v1/{SITE}/{GATEWAY}/up/records"
        for start in range(0, len(payloads), ROUND):
            numbers = {self._client.publish(topic, payload) for payload in payloads[start : start + ROUND]}
            wait_for(lambda numbers=numbers: numbers <= self._client.acknowledged, "taken by the broker", 30)  # type: ignore[misc]


def large_batch(number: int, rng: random.Random) -> Batch:
    """A batch of about 130 kB on the wire: its sentences do not compress well."""
    first = number * BATCH_RECORDS + 1
    records = [
        msgspec.structs.replace(record(seq), raw=base64.b64encode(rng.randbytes(RAW_CHARS * 3 // 4)).decode())
        for seq in range(first, first + BATCH_RECORDS)
    ]
    return batch(first, first + BATCH_RECORDS - 1, records=records)


def flood(plant: Plant, worker: StoreWorker, payloads: list[bytes]) -> tuple[float, int, float]:
    """Flood a worker whose database hangs, then let it go on.

    Returns:
        By how much its memory grew while nothing could be committed, MiB; receipts in that time; and after how long
        all had theirs, s.
    """
    client = plant.gateway()
    try:
        sender = Sender(client)
        sender.send(payloads[:2])
        wait_for(lambda: len(sender.committed()) == 2, "the first receipts", 20)
        before_mib = worker.rss_mib()
        with worker.held_up():
            sender.send(payloads)
            time.sleep(2)
            grown_mib = worker.rss_mib() - before_mib
            early = len(sender.committed()) - 2
        began_s = time.monotonic()
        while len(sender.committed()) < len(payloads):
            assert time.monotonic() - began_s < 300, f"{len(sender.committed())} of {len(payloads)}"
            done = sender.committed()
            # as an uplink does: a few at a time, and the next when those are answered or overdue
            due = {index * BATCH_RECORDS + 1: data for index, data in enumerate(payloads)}
            window = [first for first in due if first not in done][:ROUND]
            sender.send([due[first] for first in window])
            overdue_s = time.monotonic() + AGAIN_S
            while not sender.committed().issuperset(window) and time.monotonic() < overdue_s:
                time.sleep(0.05)
        return grown_mib, early, time.monotonic() - began_s
    finally:
        client.close()


def large_payloads(count: int) -> list[bytes]:
    rng = random.Random(7)
    return [encode_batch(large_batch(number, rng)) for number in range(count)]


def test_a_database_that_hangs_is_felt_as_late_receipts_and_not_in_memory(plant: Plant, tmp_path: Path) -> None:
    payloads = large_payloads(FLOOD_BATCHES)
    with running_worker(plant, tmp_path / "worker") as worker:
        grown_mib, early, late_s = flood(plant, worker, payloads)
        stream = f"{SITE}.{GATEWAY}.abcd1234.track"
        held = of_sqlite(worker.history)
    found = balance({stream: FLOOD_BATCHES * BATCH_RECORDS}, held)
    sent_mib = sum(len(data) for data in payloads) / 2**20
    figures = {"bus": plant.adapter, "sent_mib": round(sent_mib), "rss_grown_mib": round(grown_mib, 1)}
    sys.stdout.write(
        json.dumps(figures | {"receipts_meanwhile": early, "all_receipts_after_s": round(late_s, 1)}) + "\n"
    )
    assert grown_mib < RSS_CAP_MIB
    assert early == 0
    assert found.is_exact(), found


def test_without_its_caps_the_memory_would_grow_with_the_flood(plant: Plant, tmp_path: Path) -> None:
    """Mutation proof."""
    payloads = large_payloads(REDUCED_FLOOD)
    with running_worker(plant, tmp_path / "worker", "tests.support.uncapped_bus") as worker:
        client = plant.gateway()
        try:
            sender = Sender(client)
            sender.send(payloads[:1])
            wait_for(lambda: bool(sender.committed()), "a receipt", 20)
            before_mib = worker.rss_mib()
            with worker.held_up():
                sender.send(payloads)
                time.sleep(2)
                grown_mib = worker.rss_mib() - before_mib
                worker.process.kill()
        finally:
            client.close()
    assert grown_mib > RSS_CAP_MIB
