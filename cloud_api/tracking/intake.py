"""Bus messages in, calls of the track service out. Every API process reads all of them: none shares this subscription.

A message that is not what it should be is counted and dropped here: answering its sender is the store role's business.
"""

from collections.abc import Callable

from cloud_api.bus.ports import Bus
from cloud_api.fleet.service import read_status
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from contracts.codec import decode_batch
from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.topics import Channel, Topic


class TrackIntake:
    """Handlers of ``up/records`` and ``up/status``.

    Args:
        service: takes what is valid.
        metrics: counts what is not.
        utc_ns: this server's clock.
    """

    def __init__(self, service: TrackService, metrics: TrackMetrics, utc_ns: Callable[[], int]) -> None:
        self._service = service
        self._metrics = metrics
        self._utc_ns = utc_ns

    async def subscribe(self, bus: Bus) -> None:
        """Take the records and reports of all gateways from ``bus``."""
        await bus.subscribe(Channel.RECORDS, self.on_records)
        await bus.subscribe(Channel.STATUS, self.on_status)

    async def on_records(self, topic: Topic, data: bytes) -> None:
        """Take one ``up/records`` message."""
        try:
            batch = decode_batch(data)
            site, gateway, _, _ = split_stream_id(batch.stream_id)
            _check_sender(topic, site, gateway)
        except PeerError as error:
            self._metrics.rejected.labels(error.reason).inc()
            return
        self._service.on_batch(site, gateway, batch, self._utc_ns())

    async def on_status(self, topic: Topic, data: bytes) -> None:
        """Take one ``up/status`` message."""
        try:
            status = read_status(topic, data)
        except PeerError as error:
            self._metrics.rejected.labels(error.reason).inc()
            return
        self._service.on_status(status, self._utc_ns())


def _check_sender(topic: Topic, site: str, gateway: str) -> None:
    # the broker ties a topic to a certificate; the content is only the sender's claim
    if (topic.site, topic.gateway) != (site, gateway):
        raise PeerError("take message", topic.mqtt(), f"speaks for {site}/{gateway}", "", "wrong_gateway")
