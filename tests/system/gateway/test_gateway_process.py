"""The gateway as a process: what it offers, what it is told, and that it starts whatever it finds."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.batch import Batch
from contracts.codec import digest
from contracts.commands import Command, CommandKind
from contracts.payloads import Gap
from contracts.receipt import Outcome, Receipt
from tests.support.certs import TestAuthority
from tests.support.cloud_end import CloudEnd, committed
from tests.support.gateway_process import GATEWAY, ROOT, SITE, replay_source
from tests.support.mqtt_broker import TestBroker, free_port
from tests.system.gateway.conftest import Maker

pytestmark = pytest.mark.system

FEED = (
    "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
    "!AIVDM,1,1,,B,15MqdBP000G@qoLEi69PVGaN0D0=,0*3A\r\n"
)  # fmt: skip


@pytest.fixture
def feed(folder: Path) -> Path:
    path = folder / "feed.nmea"
    path.write_text(FEED, encoding="ascii")
    return path


async def test_status_metrics_and_commands(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, feed: Path
) -> None:
    port = free_port()
    gateway = make_gateway([replay_source("ais", feed, repeat=True, speed=0.2)], [broker.mqtt_port], local_port=port)
    gateway.start()
    await cloud.until(lambda: len(cloud.records("track")) > 5, 30)
    await cloud.until(lambda: bool(cloud.statuses) and cloud.statuses[-1].sources[0].records > 5)
    status = cloud.statuses[-1]
    assert (status.site, status.gateway, status.sources[0].state) == (SITE, GATEWAY, "running")
    assert (await asyncio.to_thread(gateway.get, "/healthz")) == b"ok\n"
    metrics = (await asyncio.to_thread(gateway.get, "/metrics")).decode()
    assert 'gateway_uplink_up{link="mqtt"} 1.0' in metrics
    assert 'gateway_messages_total{source="ais"}' in metrics
    shown = await asyncio.to_thread(_status, "--url", f"http://127.0.0.1:{port}", "--json")
    assert json.loads(shown)["uplink"]["is_up"] is True
    assert "conectado / up" in await asyncio.to_thread(_status, "--url", f"http://127.0.0.1:{port}")
    before = gateway.driver_pids()["ais"]
    restart = Command(command_id="c1", kind=CommandKind.RESTART_DRIVER, expires_at_ns=2**62, source="ais")
    for _ in range(2):
        await cloud.command(SITE, GATEWAY, restart)
    await cloud.until(lambda: gateway.driver_pids().get("ais", before) != before, 20)
    await cloud.until(lambda: bool(cloud.results))
    assert [(result.command_id, result.is_done) for result in cloud.results] == [("c1", True)]


async def test_the_second_broker_is_found_when_the_first_is_not_there(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, feed: Path
) -> None:
    gateway = make_gateway([replay_source("ais", feed)], [free_port(), broker.mqtt_port])
    gateway.start()
    await cloud.until(lambda: len(cloud.records("track")) == 2, 30)


async def test_a_poison_batch_is_set_aside_and_never_blocks_the_rest(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, feed: Path
) -> None:
    refused: list[Batch] = []

    def refuse_first(batch: Batch, data: bytes) -> Receipt:
        is_declared = isinstance(batch.records[0].payload, Gap)
        if batch.first_seq == 1 and batch.stream_id.endswith(".track") and not is_declared:
            refused.append(batch)
            return Receipt(outcome=Outcome.REFUSED, digest=digest(data), reason="not_a_batch")
        return committed(batch, data)

    cloud.judge = refuse_first
    gateway = make_gateway([replay_source("ais", feed, repeat=True)], [broker.mqtt_port])
    gateway.start()
    await cloud.until(lambda: len(cloud.records("track")) > 100, 30)
    await cloud.until(lambda: bool(cloud.statuses) and cloud.statuses[-1].quarantined_batches == 1)
    assert len(refused) == 1
    stream_id = refused[0].stream_id
    await cloud.until(lambda: (stream_id, 1, refused[0].last_seq) in cloud.ledger)
    declared = cloud.ledger[stream_id, 1, refused[0].last_seq].records[0].payload
    assert declared == Gap(first_seq=1, last_seq=refused[0].last_seq, reason="refused")
    assert cloud.unexplained() == {}


async def test_a_wrong_certificate_is_shown_and_stops_nothing_else(
    broker: TestBroker, make_gateway: Maker, feed: Path, folder: Path
) -> None:
    port = free_port()
    stranger = TestAuthority(folder / "other").issue(GATEWAY)
    gateway = make_gateway([replay_source("ais", feed)], [broker.mqtt_port], identity=stranger, local_port=port)
    gateway.start()
    shown = await _until_shown(port, "certificate")
    assert "CAÍDO / DOWN" in shown
    await _until_shown(port, "2 registros / records")


async def test_it_starts_with_a_damaged_database_a_taken_port_and_no_broker(make_gateway: Maker, feed: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = make_gateway([replay_source("ais", feed)], [free_port()], local_port=taken.getsockname()[1])
        data = gateway.folder / "data"
        data.mkdir()
        (data / "outbox.db").write_bytes(b"\0garbage" * 4096)
        gateway.start()
        await _until_logged(gateway.log_path, "driver_running")
    events = {event["event"] for event in gateway.log()}
    assert {"outbox_set_aside", "local_page_unavailable", "gateway_started"} <= events
    assert len(list(data.glob("outbox.db.damaged-*[0-9]"))) == 1
    code, took_s = await asyncio.to_thread(gateway.stop)
    assert code == 0
    assert took_s < 8


async def test_a_second_gateway_on_the_same_folder_is_refused(make_gateway: Maker, feed: Path) -> None:
    gateway = make_gateway([replay_source("ais", feed)], [free_port()])
    gateway.start()
    await _until_logged(gateway.log_path, "gateway_started")
    answer = await asyncio.to_thread(_run, "run", "--config", gateway.config, "--profiles", gateway._profiles)
    assert answer.returncode == 75
    assert "another gateway uses it" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_bad_profile_is_one_line_and_exit_code_2(folder: Path) -> None:
    path = folder / "device.yaml"
    path.write_text("schema: 1\nhost: nobody\n", encoding="utf-8")
    answer = _run("check-config", path)
    assert answer.returncode == 2
    assert str(path) in answer.stderr
    assert "allowed: " in answer.stderr
    assert "Traceback" not in answer.stderr


def _status(*arguments: str) -> str:
    return _run("status", *arguments).stdout


def _run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", *(str(item) for item in arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


async def _until_shown(port: int, text: str) -> str:
    async with asyncio.timeout(30):
        while True:
            shown = await asyncio.to_thread(_status, "--url", f"http://127.0.0.1:{port}")
            if text in shown:
                return shown
            await asyncio.sleep(0.3)


async def _until_logged(path: Path, event: str) -> None:
    async with asyncio.timeout(30):
        while f'"event": "{event}"' not in path.read_text(encoding="utf-8"):  # noqa: ASYNC110, ASYNC240 - another process writes it
            await asyncio.sleep(0.1)
