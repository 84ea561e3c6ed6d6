"""A broker whose store fills up. Real nats-server, its service in this process, a store of 1 MiB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from fleet_deploy.broker import watch as watch_module
from fleet_deploy.broker.configuration import BrokerConfiguration, nats_server_path
from fleet_deploy.broker.identity import ensure_server_certificate
from fleet_deploy.broker.monitor import HttpMonitor
from fleet_deploy.broker.servers import BrokerOptions, settings_for
from fleet_deploy.broker.service import BrokerService
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.requests import plan_gateway
from fleet_deploy.ca.service import IssuedFiles, init_authority, issue
from tests.support.mqtt_client import MqttClient, wait_for

pytestmark = pytest.mark.system

SITE = "puerto-demo"
TOPICS = [f"porttrack/v1/{SITE}/gw-evil/up/{name}" for name in ("records", "status", "result")]


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[BrokerSettings, HttpMonitor, IssuedFiles, IssuedFiles]]:
    now = datetime.now(UTC)
    init_authority(folder / "ca", now)
    evil = issue(folder / "ca", plan_gateway(SITE, "gw-evil"), folder / "evil", now)
    good = issue(folder / "ca", plan_gateway(SITE, "gw-good"), folder / "good", now)
    ensure_server_certificate(folder / "ca", folder / "run" / "server", ["broker"], now)
    options = BrokerOptions(folder / "ca", folder / "run", "127.0.0.1", 0, 0, 0, ["broker"])
    settings = settings_for(options).model_copy(update={"store_cap_bytes": 1024 * 1024})
    configuration = BrokerConfiguration(folder / "ca", settings, folder / "run" / "nats.conf")
    stop = asyncio.Event()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        monitor = HttpMonitor(session, settings.monitor_port)
        group.create_task(BrokerService(nats_server_path(), configuration, settings, monitor).run(stop))
        try:
            async with asyncio.timeout(15):
                while not (await monitor.look()).is_healthy:  # noqa: ASYNC110 - another process's state
                    await asyncio.sleep(0.05)
            yield settings, monitor, evil, good
        finally:
            stop.set()


def fill(settings: BrokerSettings, evil: IssuedFiles) -> None:
    client = MqttClient(evil, settings.host, settings.mqtt_port, "evil")
    try:
        wait_for(lambda: client.is_connected, "the gateway")
        for topic in TOPICS:
            client.publish(topic, b"x" * 400_000, is_retained=True)
        wait_for(lambda: len(client.acknowledged) == len(TOPICS) or client.disconnects > 0, "the store to take it")
    finally:
        client.close()


def connects(settings: BrokerSettings, good: IssuedFiles, within_s: float) -> bool:
    client = MqttClient(good, settings.host, settings.mqtt_port, "good")
    try:
        wait_for(lambda: True in client.connects, "a connection", within_s)
    except (AssertionError, OSError):
        return False
    finally:
        client.close()
    return True


async def stored_bytes(monitor: HttpMonitor) -> int:
    """Return what the store holds; while the broker is away, as much as there can be."""
    stored = (await monitor.look()).store_bytes
    return 1024 * 1024 if stored is None else stored


async def test_a_store_that_fills_up_is_emptied_and_gateways_connect(tmp_path: Path) -> None:
    async with serving(tmp_path) as (settings, monitor, evil, good):
        await asyncio.to_thread(fill, settings, evil)
        async with asyncio.timeout(15):
            while await stored_bytes(monitor) > settings.store_cap_bytes / 2:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(connects, settings, good, 10)


async def test_mutation_without_the_clearing_a_full_store_keeps_gateways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "CLEAR_AT", 100.0)
    async with serving(tmp_path) as (settings, _, evil, good):
        await asyncio.to_thread(fill, settings, evil)
        assert not await asyncio.to_thread(connects, settings, good, 3)
