"""Any MQTT 5 broker as the bus (Mosquitto, EMQX, HiveMQ), over mutual TLS only.

A message is acknowledged after its handler has returned, and the broker may send no more than ``RECEIVE_MAXIMUM``
without that: a slow database is felt by the broker, whose capped queue is felt by the gateways as receipts that come
late. Nothing grows here: what comes all the same meets a cap. Shared subscriptions (``$share/<group>/…``) spread a
channel over the members of a group.
"""

import random
import ssl

from cloud_api.bus.broker_bus import BrokerBus
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.mqtt_session import MqttSession


class MqttBus(BrokerBus):
    """``Bus`` over MQTT 5.

    Args:
        servers: ``mqtts://host:port``, tried in this order.
        context: mutual TLS, see ``cloud_api.bus.tls``.
        name: how the broker's monitoring shows this process; a random end keeps client ids of processes apart.
        metrics: counters.
        rng: source of jitter and of that end.
    """

    def __init__(
        self, servers: list[str], context: ssl.SSLContext, name: str, metrics: BusMetrics, rng: random.Random
    ) -> None:
        client_id = f"{name}-{rng.getrandbits(48):012x}"

        def make_session(bus: BrokerBus, server: str) -> MqttSession:
            return MqttSession(server, client_id, context, bus.hand_over, bus.on_drop)

        super().__init__(lambda: servers, make_session, metrics, rng)
