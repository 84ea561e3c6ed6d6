"""Figures of the live picture and of the WebSockets that carry it."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud_api.live.picture import LivePicture


class HubMetrics:
    """Figures of the hub, registered once in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge("ws_connections", "Live clients connected", registry=registry)
        self.messages = Counter("ws_messages_sent_total", "Frames sent", ["kind"], registry=registry)
        self.sent_bytes = Counter("ws_sent_bytes_total", "Bytes of the frames sent", registry=registry)
        self.queue_bytes = Gauge("ws_send_queue_bytes", "Bytes handed over that no kernel has taken", registry=registry)
        self.slow = Counter("ws_slow_consumer_disconnects_total", "Clients closed: a send took 10 s", registry=registry)
        self.resumes = Counter("ws_resumes_total", "Clients that asked to resume", ["result"], registry=registry)
        self.skipped = Counter("ws_ticks_skipped_total", "Ticks spanned by a later frame", registry=registry)
        self.refused = Counter("ws_refused_total", "Clients not taken", ["reason"], registry=registry)


class PictureCollector(Collector):
    """Reads the picture's own counts when Prometheus asks: targets by kind, sensors, gateways, what was not taken."""

    def __init__(self, picture: LivePicture) -> None:
        self._picture = picture

    def collect(self) -> Iterable[Metric]:
        """Return the figures of now."""
        targets = GaugeMetricFamily("port_targets", "Targets in the live picture", labels=["class"])
        for station, count in Tally(target.station.value for target in self._picture.targets()).items():
            targets.add_metric([station], count)
        yield targets
        yield GaugeMetricFamily("live_sensors", "Sensors in the live picture", value=len(self._picture.sensors()))
        yield GaugeMetricFamily("live_gateways", "Gateways in the live picture", value=len(self._picture.gateways()))
        dropped = CounterMetricFamily("live_picture_dropped", "Not taken, or let go, by reason", labels=["reason"])
        for reason, count in self._picture.counters.items():
            dropped.add_metric([reason], count)
        yield dropped
