"""Headroom as it is told from a real gateway, offline and while it drains: status command, page, metrics, cloud."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_end import CloudEnd
from tests.support.gateway_process import ROOT, replay_source
from tests.support.mqtt_broker import TestBroker, free_port
from tests.system.gateway.conftest import Maker
from tests.system.gateway.test_gateway_process import FEED

pytestmark = pytest.mark.system


def status_of(port: int, *options: str) -> str:
    arguments = [sys.executable, "-m", "gateway", "status", "--url", f"http://127.0.0.1:{port}", *options]
    return subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True, timeout=20).stdout


async def told(port: int, name: str, timeout_s: float = 40.0) -> dict[str, Any]:
    """Wait until a figure of the status is known."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                status: dict[str, Any] = json.loads(await asyncio.to_thread(status_of, port, "--json"))["status"]
            except subprocess.CalledProcessError:
                status = {}
            if status.get(name) is not None:
                return status
            await asyncio.sleep(0.5)


async def test_a_gateway_says_how_long_it_lasts_and_how_long_it_takes_to_drain(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, folder: Path
) -> None:
    """Offline for half a minute; then the broker is back."""
    feed = folder / "feed.nmea"
    feed.write_text(FEED * 20, encoding="ascii")
    port = free_port()
    broker.kill()
    card = {"written_tb": 20}
    source = replay_source("ais", feed, repeat=True, speed=0.5)
    gateway = make_gateway([source], [broker.mqtt_port], local_port=port, flash=card)
    gateway.start()
    status = await told(port, "headroom_s")
    (track,) = [each for each in status["classes"] if each["record_class"] == "track"]
    assert track["buffered_records"] > 0
    assert 0 < track["oldest_age_s"] < 60
    assert track["headroom_s"] == pytest.approx(
        (track["capacity_bytes"] - track["buffered_bytes"]) / track["bytes_per_s"], rel=0.01
    )
    assert 3600 < status["headroom_s"] <= track["headroom_s"]
    assert "drain_s" not in status, "nothing goes up"
    assert "card_life_days" not in status, "ten minutes have not been seen: no figure"
    lines = await asyncio.to_thread(status_of, port)
    assert "Sin enlace cabe / room without uplink: " in lines
    assert "trazas / tracks: " in lines
    assert "sin datos / unknown al día / a day" in lines
    metrics = (await asyncio.to_thread(gateway.get, "/metrics")).decode()
    assert 'gateway_buffer_class_headroom_seconds{class="track"}' in metrics
    assert "gateway_buffer_headroom_seconds " in metrics
    assert "cabe / room without uplink" in (await asyncio.to_thread(gateway.get, "/")).decode()
    broker.start()
    await cloud.until(lambda: bool(cloud.statuses) and cloud.statuses[-1].drain_s == 0.0, 30)
    newest = cloud.statuses[-1]
    assert newest.headroom_s is not None
    assert (newest.replay_records_per_s or 0) > 0
    assert not newest.is_volatile
