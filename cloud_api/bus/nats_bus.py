"""NATS as the bus, over mutual TLS only."""

import random
import ssl

from cloud_api.bus.broker_bus import BrokerBus
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.nats_session import NatsSession


class NatsBus(BrokerBus):
    """``Bus`` over NATS.

    Args:
        servers: ``tls://host:port`` of one cluster, tried in any order.
        context: mutual TLS, see ``cloud_api.bus.tls``.
        name: how the broker's monitoring shows this process.
        metrics: counters.
        rng: source of jitter and of the order of servers.
    """

    def __init__(
        self, servers: list[str], context: ssl.SSLContext, name: str, metrics: BusMetrics, rng: random.Random
    ) -> None:
        def make_session(bus: BrokerBus, server: str) -> NatsSession:
            return NatsSession(server, name, context, bus.hand_over, bus.on_drop)

        super().__init__(lambda: rng.sample(servers, len(servers)), make_session, metrics, rng)
