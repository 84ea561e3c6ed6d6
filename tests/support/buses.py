"""Both adapters of the bus behind one face, for tests that any of them must pass: a real broker and buses on it."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry

from cloud_api.bus.broker_bus import BrokerBus
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.mqtt_bus import MqttBus
from cloud_api.bus.nats_bus import NatsBus
from cloud_api.bus.tls import client_context
from contracts.topics import Channel, Topic
from fleet_deploy.ca.service import IssuedFiles
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import cloud_identity, gateway_identity
from tests.support.mqtt_client import MqttClient, wait_for
from tests.support.processes import free_port
from tests.support.rendered_mosquitto import RenderedMosquitto, running_mosquitto

Adapter = Literal["nats", "mqtt"]
ADAPTERS: tuple[Adapter, ...] = ("nats", "mqtt")
SITE, GATEWAY = "puerto-demo", "gw-1"
DOWN = Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECEIPT)


class Broker(Protocol):
    """A running broker of either kind."""

    folder: Path
    host: str
    mqtt_port: int

    @property
    def url(self) -> str: ...


@dataclass
class Plant:
    """A broker of one kind, and what differs between the kinds."""

    adapter: Adapter
    broker: RunningBroker | RenderedMosquitto

    def identity(self) -> IssuedFiles:
        if isinstance(self.broker, RunningBroker):
            return cloud_identity(self.broker)
        return self.broker.cloud()

    def gateway(self) -> MqttClient:
        if isinstance(self.broker, RunningBroker):
            files = gateway_identity(self.broker, SITE, GATEWAY)
        else:
            files = self.broker.gateway(SITE, GATEWAY)
        return MqttClient(files, self.broker.host, self.broker.mqtt_port, GATEWAY)

    def wait_until_ready(self) -> None:
        """Wait until a kill is what it should be: a server that dies before it was ever ready ends its supervisor."""
        if isinstance(self.broker, RunningBroker):
            log = self.broker.log
            wait_for(lambda: "broker_ready" in log.read_text(), "the broker ready", 20)

    def kill(self) -> None:
        """``kill -9``; nats-server is started again by its supervisor."""
        if isinstance(self.broker, RunningBroker):
            self.broker.kill_server()
        else:
            self.broker.kill()

    def start_again(self) -> None:
        if isinstance(self.broker, RenderedMosquitto):
            self.broker.start()

    def revoke(self, files: IssuedFiles) -> None:
        """Revoke a certificate and do what the operator of this broker has to do then."""
        self.broker.revoke(files)
        if isinstance(self.broker, RenderedMosquitto):
            self.broker.render()
            self.broker.restart()

    def server_url(self, port: int) -> str:
        return f"{'tls' if self.adapter == 'nats' else 'mqtts'}://127.0.0.1:{port}"


@contextmanager
def running_plant(adapter: Adapter, folder: Path) -> Iterator[Plant]:
    """Run a broker of one kind below ``folder``."""
    if adapter == "nats":
        with running_broker(folder) as nats:
            yield Plant(adapter, nats)
    else:
        with running_mosquitto(folder, [(SITE, GATEWAY)]) as mosquitto:
            yield Plant(adapter, mosquitto)


@contextmanager
def running_plain_nats(folder: Path) -> Iterator[int]:
    """Run a nats-server that asks for no TLS; gives its port."""
    port = free_port()
    binary = Path(sys.executable).parent / "nats-server"
    process = subprocess.Popen([binary, "-a", "127.0.0.1", "-p", str(port), "-l", str(folder / "nats.log")], cwd=folder)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


class Bench:
    """A bus and what it counted."""

    def __init__(self, adapter: Adapter, servers: list[str], files: IssuedFiles) -> None:
        self.registry = CollectorRegistry()
        context = client_context(files.certificate, files.private_key, files.trust)
        make = NatsBus if adapter == "nats" else MqttBus
        self.bus: BrokerBus = make(servers, context, "cloud-test", BusMetrics(self.registry), random.Random(id(self)))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def running(*benches: Bench) -> AsyncIterator[None]:
    """Run the buses of ``benches`` until the block ends."""
    tasks = [asyncio.create_task(bench.bus.run()) for bench in benches]
    try:
        yield
    finally:
        for bench in benches:
            await bench.bus.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the events are in other processes
            await asyncio.sleep(0.02)


def up(payload: bytes, client: MqttClient) -> None:
    """Send a payload as the gateway's records."""
    client.publish(f"porttrack/v1/{SITE}/{GATEWAY}/up/records", payload)
