"""A cloud's end that counts what reached it from gateways of both makes, by one rule, and stores nothing else.

A record is what its number says: AIS feeds are numbered by MMSI (``tests.support.ais_feed``). PortTrack's batches are
answered by a receipt as the store role does; ThingsBoard's server acknowledges nothing above MQTT, so nothing is sent.
"""

import json
import threading
from collections import defaultdict
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from contracts.codec import decode_batch, encode_message
from contracts.payloads import Ais, Gap
from contracts.receipt import Outcome, Receipt
from contracts.topics import Channel, parse_topic, topic
from tests.support.ais_feed import FIRST_MMSI

SESSION_LIMITS = {"maxPayloadSize": 65536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}
"""What a ThingsBoard server without rate limits answers to ``getSessionLimits``."""
TIMEOUT_S = 10.0


class Tally:
    """What arrived from one gateway: ``arrived`` records, and which numbers, each counted once as ``unique``."""

    def __init__(self, size: int) -> None:
        self._seen = bytearray(size)
        self.arrived = 0
        self.unique = 0

    def add(self, number: int) -> None:
        self.arrived += 1
        if not self._seen[number]:
            self._seen[number] = 1
            self.unique += 1

    @property
    def repeated(self) -> int:
        return self.arrived - self.unique


class CountingCloud:
    """See the module.

    Args:
        size: numbers are below this.

    Attributes:
        porttrack: tally of PortTrack's gateway.
        thingsboard: tally of ThingsBoard's.
        gaps: numbers that PortTrack's gateway declared lost.
        greeted: sessions that ThingsBoard's gateway began.
    """

    def __init__(self, size: int) -> None:
        self.porttrack, self.thingsboard = Tally(size), Tally(size)
        self.gaps = 0
        self.greeted = 0
        self._numbers: dict[str, set[int]] = defaultdict(set)
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="counting-cloud", clean_session=True)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.message_callback_add("porttrack/v1/+/+/up/records", self._batch)
        self._client.message_callback_add("v1/gateway/telemetry", self._telemetry)
        self._client.message_callback_add("v1/devices/me/rpc/request/+", self._request)

    def connect(self, port: int) -> None:
        """Connect to a broker's plain listener and subscribe."""
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(TIMEOUT_S), "the broker grants no subscription"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def holes(self) -> int:
        """Return how many numbers of PortTrack's streams, from 1 to the highest seen, never arrived."""
        return sum(max(seen) - len(seen) for seen in self._numbers.values())

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([("porttrack/#", 1), ("v1/gateway/telemetry", 1), ("v1/devices/me/rpc/request/+", 1)])

    def _batch(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        place = parse_topic(message.topic.replace("/", "."))
        batch = decode_batch(bytes(message.payload))
        numbers = self._numbers[batch.stream_id]
        for record in batch.records:
            if isinstance(record.payload, Ais):
                self.porttrack.add(record.payload.mmsi - FIRST_MMSI)
            if isinstance(record.payload, Gap):
                self.gaps += record.payload.last_seq - record.payload.first_seq + 1
                numbers.update(range(record.payload.first_seq, record.payload.last_seq + 1))
            numbers.add(record.seq)
        receipt = Receipt(
            outcome=Outcome.COMMITTED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq
        )
        client.publish(topic(place.site, place.gateway, Channel.RECEIPT).mqtt(), encode_message(receipt))

    def _telemetry(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        for entries in json.loads(message.payload).values():
            for entry in entries:
                self.thingsboard.add(entry["values"]["number"])

    def _request(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.greeted += 1
        client.publish(message.topic.replace("request", "response"), json.dumps(SESSION_LIMITS), 1)
