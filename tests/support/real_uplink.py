"""A real uplink over a real connection, with a store on a list behind it; and a cloud's end on MQTT that answers."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from contracts.codec import encode_message
from contracts.receipt import Receipt
from contracts.topics import Channel, parse_topic, topic
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.uplink import Uplink
from tests.support.gateway_records import SITE
from tests.support.uplink_doubles import ListStore, Runner, commit

CONNECT_TIMEOUT_S = 10.0


class SystemTime:
    """The machine's clocks, believed."""

    boot_id = "boot1"

    def mono_s(self) -> float:
        return time.monotonic()

    def wall_ns(self) -> int:
        return time.time_ns()

    def is_believed(self) -> bool:
        return True

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        assert at_ns >= 0, boot_id
        return max(0.0, (time.monotonic_ns() - mono_ns) / 1e9)


class RealUplink:
    """One gateway's uplink.

    Args:
        gateway: gateway id.
        identity: its certificate.
        brokers: in order of preference.
        batches: in its store at the beginning, as backlog.
        settings: of the profile's ``uplink``.
    """

    def __init__(
        self, gateway: str, identity: Identity, brokers: list[Broker], store: ListStore, **settings: Any
    ) -> None:
        owner = (SITE, gateway)
        values = UplinkSettings.model_validate({"reconnect_base_s": 0.05, "reconnect_cap_s": 0.2} | settings)
        self.store = store
        self.counters = Counters()
        subscriptions = [(topic(*owner, Channel.RECEIPT).mqtt(), 0), (topic(*owner, Channel.COMMAND).mqtt(), 1)]
        self.transport = MqttTransport(f"{SITE}_{gateway}", identity, values, subscriptions, self.counters)
        self.uplink = Uplink(owner, store, self.transport, SystemTime(), values, brokers, Runner(), self.counters)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.uplink.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.uplink.disconnect()


class MqttCloud:
    """A cloud's end on a plain MQTT port: answers each batch with what ``answer`` says."""

    def __init__(self, port: int, answer: Callable[[bytes], list[Receipt]] = commit) -> None:
        self.answer = answer
        self.received: list[bytes] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="cloud", clean_session=True)
        self._client.on_connect = lambda client, *_: client.subscribe("porttrack/v1/+/+/up/records", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(CONNECT_TIMEOUT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.received.append(payload)
        place = parse_topic(message.topic)
        for receipt in self.answer(payload):
            client.publish(topic(place.site, place.gateway, Channel.RECEIPT).mqtt(), encode_message(receipt), 0)


async def until(condition: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    """Wait for what other processes do.

    Raises:
        AssertionError: it did not come true; says ``what`` was awaited.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        await asyncio.sleep(0.01)
