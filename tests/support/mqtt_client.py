"""A paho-mqtt client that remembers what happened to it, for system tests against a real broker."""

import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from fleet_deploy.ca.service import IssuedFiles

WAIT_S = 5.0


class MqttClient:
    """Connects with a certificate and keeps every event.

    Args:
        files: certificate, key and trust.
        host: broker address.
        port: broker's MQTT port.
        client_id: MQTT client id.
    """

    def __init__(self, files: IssuedFiles, host: str, port: int, client_id: str = "client") -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.connects: list[bool] = []
        self.disconnects = 0
        self.acknowledged: set[int] = set()
        self.subscribed: dict[int, bool] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        self._client.tls_set(str(files.trust), str(files.certificate), str(files.private_key))
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self._client.on_subscribe = self._subscribed
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect(host, port, keepalive=10)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected())

    def subscribe(self, topic: str, qos: int = 0) -> bool:
        """Subscribe and return whether the broker granted it."""
        _, number = self._client.subscribe(topic, qos)
        assert number is not None
        wait_for(lambda: number in self.subscribed, f"answer to the subscription of {topic}")
        return self.subscribed[number]

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, is_retained: bool = False) -> int:
        return self._client.publish(topic, payload, qos, retain=is_retained).mid

    def _connected(self, *arguments: Any) -> None:
        self.connects.append(not arguments[3].is_failure)

    def _disconnected(self, *_: Any) -> None:
        self.disconnects += 1

    def _message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))

    def _published(self, _client: Any, _data: Any, number: int, *_: Any) -> None:
        self.acknowledged.add(number)

    def _subscribed(self, _client: Any, _data: Any, number: int, codes: list[Any], _properties: Any) -> None:
        self.subscribed[number] = not codes[0].is_failure


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Wait until ``condition`` holds.

    Raises:
        AssertionError: it did not within ``timeout_s``.
    """
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)
