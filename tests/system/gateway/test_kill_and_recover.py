"""Records that a gateway accepted survive the death of anything: itself, its drivers, the broker."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from contracts.payloads import Ais
from tests.support.cloud_end import CloudEnd
from tests.support.gateway_process import GatewayProcess, replay_source
from tests.support.mqtt_broker import TestBroker
from tests.system.gateway.conftest import Maker

pytestmark = pytest.mark.system

ROUNDS = 3


@pytest.fixture
def recording(recordings: Path, folder: Path) -> Path:
    """The first 1,500 sentences of a national feed: half a minute at 50 a second."""
    lines = (recordings / "ais" / "denmark_national.nmea").read_bytes().splitlines(keepends=True)[:1500]
    path = folder / "feed.nmea"
    path.write_bytes(b"".join(lines))
    return path


def raw_of(cloud: CloudEnd) -> list[str]:
    return [record.raw or "" for record in cloud.records("track")]


async def expected(recording: Path) -> list[str]:
    """Return the sentences that the decoder accepts, by the product's own decode command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent", "decode", "--json", str(recording),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return [json.loads(line).get("raw", "") for line in out.splitlines()]


async def run_to_the_end(gateway: GatewayProcess, cloud: CloudEnd, count: int) -> None:
    await cloud.until(lambda: len(cloud.records("track")) >= count, 60)
    code, took_s = await asyncio.to_thread(gateway.stop)
    assert code == 0
    assert took_s < 8


async def test_a_recording_arrives_whole_and_once(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, recording: Path
) -> None:
    wanted = await expected(recording)
    gateway = make_gateway([replay_source("ais", recording, speed=20.0)], [broker.mqtt_port])
    gateway.start()
    await run_to_the_end(gateway, cloud, len(wanted))
    assert len(wanted) > 500
    assert Counter(raw_of(cloud)) == Counter(wanted)
    assert cloud.unexplained() == {}
    assert all(isinstance(record.payload, Ais) for record in cloud.records("track"))


async def test_the_gateway_killed_mid_append_loses_and_repeats_nothing(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, recording: Path
) -> None:
    """The driver lives on, is adopted by the next gateway, and sends again what it has no answer for."""
    wanted = await expected(recording)
    gateway = make_gateway([replay_source("ais", recording, speed=2.0)], [broker.mqtt_port])
    gateway.start()
    for number in range(ROUNDS):
        seen = len(cloud.records("track")) + 100
        await cloud.until(lambda seen=seen: len(cloud.records("track")) >= seen, 30)  # type: ignore[misc] # bound early
        drivers = gateway.driver_pids()
        gateway.kill()
        await asyncio.sleep(0.2 * number)
        gateway.start()
    await cloud.until(lambda: sum(event["event"] == "gateway_started" for event in gateway.log()) == ROUNDS + 1, 30)
    await run_to_the_end(gateway, cloud, len(wanted))
    assert len(drivers) == 1
    assert [event for event in gateway.log() if event["event"] == "driver_adopted"]
    assert sum(event["event"] == "driver_started" for event in gateway.log()) <= 1
    assert Counter(raw_of(cloud)) == Counter(wanted)
    assert cloud.unexplained() == {}


async def test_the_broker_killed_and_started_again_loses_and_repeats_nothing(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, recording: Path
) -> None:
    wanted = await expected(recording)
    gateway = make_gateway([replay_source("ais", recording, speed=2.0)], [broker.mqtt_port])
    gateway.start()
    for _ in range(ROUNDS):
        seen = len(cloud.records("track")) + 100
        await cloud.until(lambda seen=seen: len(cloud.records("track")) >= seen, 30)  # type: ignore[misc] # bound early
        broker.kill()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(broker.start)
    await run_to_the_end(gateway, cloud, len(wanted))
    assert Counter(raw_of(cloud)) == Counter(wanted)
    assert cloud.unexplained() == {}


async def test_a_killed_driver_is_started_again_and_disturbs_no_other(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, recording: Path
) -> None:
    sources = [replay_source(name, recording, speed=0.5, repeat=True) for name in ("ais-1", "ais-2")]
    gateway = make_gateway(sources, [broker.mqtt_port])
    gateway.start()
    await cloud.until(lambda: {record.source for record in cloud.records("track")} == {"ais-1", "ais-2"}, 30)
    before = gateway.driver_pids()
    os.kill(before["ais-1"], signal.SIGKILL)
    await cloud.until(lambda: gateway.driver_pids().get("ais-1", before["ais-1"]) != before["ais-1"], 15)
    await cloud.until(lambda: bool(cloud.statuses) and cloud.statuses[-1].sources[0].restarts == 1, 15)
    assert gateway.driver_pids()["ais-2"] == before["ais-2"]
    assert cloud.statuses[-1].sources[1].restarts == 0
    assert cloud.unexplained() == {}
    health = [record.payload for record in cloud.records("log")]
    assert any("driver/ais-1" in str(payload) for payload in health)


async def test_a_hung_driver_is_killed_and_started_again(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, recording: Path
) -> None:
    sources = [replay_source("ais", recording, speed=0.5, repeat=True)]
    gateway = make_gateway(sources, [broker.mqtt_port], supervision={"hang_timeout_s": 3.0, "backoff_base_s": 0.1})
    gateway.start()
    await cloud.until(lambda: bool(cloud.records("track")), 30)
    hung = gateway.driver_pids()["ais"]
    os.kill(hung, signal.SIGSTOP)
    seen = len(cloud.records("track"))
    await cloud.until(lambda: gateway.driver_pids().get("ais", hung) != hung, 15)
    await cloud.until(lambda: len(cloud.records("track")) > seen + 50, 30)
    assert any("no heartbeat" in event.get("cause", "") for event in gateway.log())
