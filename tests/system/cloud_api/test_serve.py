"""All roles in one process: what a gateway sends is seen over HTTP, survives a restart, and the end is orderly."""

import asyncio
import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import time_ns
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType

from contracts.codec import encode_message
from contracts.payloads import Ais, Wind
from tests.support.batches import GATEWAY, SITE, batch, position, record
from tests.support.broker import running_broker
from tests.support.cloud import RunningCloud, running_cloud
from tests.support.mqtt_client import wait_for
from tests.support.statuses import status

pytestmark = pytest.mark.system
MMSI = 224_000_001


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    with running_broker(tmp_path) as broker, running_cloud(tmp_path, broker, "api,store,track") as running:
        yield running


def get(cloud: RunningCloud, path: str) -> Any:
    url = cloud.events("http_listening")[-1]["url"]
    with urllib.request.urlopen(f"{url}{path}", timeout=5) as answer:
        return json.load(answer)


def send_ship_and_wind(cloud: RunningCloud) -> None:
    now_ns = time_ns()
    gateway = cloud.gateway(SITE, GATEWAY)
    gateway.send_bytes(encode_message(status(at_ns=now_ns)), "status")
    name = Ais(msg_type=5, mmsi=MMSI, name="ALBA", callsign="EA123", to_bow_m=100)
    records = [record(1, position(MMSI), now_ns), record(2, name, now_ns)]
    gateway.send(batch(1, 2, records=records))
    wind = record(1, Wind(speed_mps=7.0, direction_deg=200.0), now_ns)
    gateway.send(batch(1, 1, f"{SITE}.{GATEWAY}.abcd1234.telemetry", [wind]))
    gateway.wait_receipts(2)


def test_what_a_gateway_sends_is_seen_and_survives_a_kill(cloud: RunningCloud) -> None:
    assert get(cloud, "/readyz")["is_ready"]
    send_ship_and_wind(cloud)
    wait_for(lambda: get(cloud, "/api/v1/gateways")["items"] != [], "the gateway")
    for is_restarted in (False, True):
        if is_restarted:
            # the register of gateways is written each second
            wait_for(lambda: GATEWAY in gateways_stored(cloud), "the registry on disk")
            cloud.process.kill()
            cloud.start()
        wait_for(lambda: get(cloud, "/healthz")["picture"] == "warm", "the picture is filled")
        (vessel,) = get(cloud, "/api/v1/vessels")["items"]
        assert (vessel["mmsi"], vessel["name"], vessel["sog_kn"]) == (MMSI, "ALBA", 7.5)
        (sensor,) = get(cloud, "/api/v1/sensors")["items"]
        assert sensor["values"]["speed_mps"] == 7.0
        assert [item["gateway"] for item in get(cloud, "/api/v1/gateways")["items"]] == [GATEWAY]
        track = get(cloud, f"/api/v1/vessels/{MMSI}/track")
        assert len(track["properties"]["times"]) == 1
        (fix,) = get(cloud, f"/api/v1/history/vessels/{MMSI}/track?max_points=500")["items"]
        assert fix["sog_kn"] == 7.5
        (series,) = get(cloud, "/api/v1/history/series")["items"]
        (stored,) = get(cloud, f"/api/v1/history/series/{series['id']}")["items"]
        assert (series["id"], stored["values"]["speed_mps"]) == (sensor["id"], 7.0)


def test_sigterm_closes_live_clients_with_1012_and_ends_in_time(cloud: RunningCloud) -> None:
    send_ship_and_wind(cloud)

    async def watch() -> int | None:
        url = cloud.events("http_listening")[-1]["url"]
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws/live") as socket:
            await socket.receive_bytes(timeout=5)
            loop = asyncio.get_running_loop()
            stopping = loop.run_in_executor(None, cloud.process.stop)
            message = await socket.receive(timeout=5)
            while message.type is WSMsgType.BINARY:
                message = await socket.receive(timeout=5)
            assert await stopping == 0
        return socket.close_code

    assert asyncio.run(watch()) == WSCloseCode.SERVICE_RESTART
    assert cloud.events("cloud_step_unfinished") == []
    stopped = [event["at"] for name in ("cloud_stopping", "cloud_stopped") for event in cloud.events(name)]
    assert len(stopped) == 2


def test_a_cloud_without_a_broker_is_alive_and_not_ready_and_comes_back(cloud: RunningCloud) -> None:
    assert cloud.broker.stop() == 0
    wait_for(lambda: readiness(cloud) == (503, "disconnected"), "the lost broker seen", 20)
    assert get(cloud, "/healthz")["status"] == "ok"
    cloud.broker.start()
    wait_for(lambda: readiness(cloud) == (200, "ok"), "the broker back", 20)
    send_ship_and_wind(cloud)
    assert [event["event"] for event in cloud.events("bus_lost")] == ["bus_lost"]


def readiness(cloud: RunningCloud) -> tuple[int, str]:
    try:
        return 200, get(cloud, "/readyz")["checks"]["bus"]
    except urllib.error.HTTPError as error:
        body = json.load(error)
        return error.code, body["checks"]["bus"]


def gateways_stored(cloud: RunningCloud) -> list[str]:
    connection = sqlite3.connect(cloud.folder / "operations.sqlite")
    rows = connection.execute("SELECT gateway FROM gateways").fetchall()
    connection.close()
    return [gateway for (gateway,) in rows]
