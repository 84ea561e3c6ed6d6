"""Counters of the bus."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class BusMetrics:
    """Counters of the bus, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge("bus_connected", "1 while the broker answers", registry=registry)
        self.connects = Counter("bus_connects_total", "Connections made", registry=registry)
        self.connect_errors = Counter(
            "bus_connect_errors_total", "Attempts to connect that failed", ["reason"], registry=registry
        )
        self.messages = Counter("bus_messages_total", "Messages delivered", ["channel"], registry=registry)
        self.dropped = Counter("bus_dropped_total", "Messages not delivered", ["reason"], registry=registry)
        self.handler_errors = Counter(
            "bus_handler_errors_total", "Messages whose handler failed", ["channel"], registry=registry
        )
