"""The track role: batches and gateway reports become the live picture. Sans-io.

Modest in what it concludes, not in what it refuses: it takes what sensors say as they say it, and leaves the
judgement of batches, their storage and their receipts to the store role. Records of the past that arrive late are taken
like any other: the picture keeps the newest. Radar targets, crane cycles, logs and health are not part of this picture;
they are counted like all records.
"""

from collections.abc import Iterable

import structlog

from cloud_api.live.models import NS_PER_S, Origin, SensorPayload
from cloud_api.live.picture import MAX_FUTURE_NS, LivePicture
from cloud_api.timestamps import NS_PER_MS
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.plausibility import has_sound_ids, is_plausible
from contracts.batch import Batch
from contracts.health import GatewayStatus
from contracts.payloads import (
    Ais,
    BerthSample,
    CraneSample,
    Depth,
    GnssFix,
    Transducer,
    WaterLevel,
    WaterSpeed,
    Weather,
    Wind,
)
from contracts.radar import RadarDisplay
from contracts.records import Record

SENSOR_KINDS: dict[type, str] = {
    Wind: "wind",
    Weather: "weather",
    WaterLevel: "water_level",
    Depth: "depth",
    GnssFix: "gnss_fix",
    CraneSample: "crane_sample",
    BerthSample: "berth_sample",
    WaterSpeed: "water_speed",
    Transducer: "transducer",
    RadarDisplay: "radar_display",
}
"""Payloads that are the state of a fixed sensor, and their ``type`` on the wire."""

_log = structlog.get_logger(__name__)


class TrackService:
    """Feeds one picture.

    Args:
        picture: what is kept up to date.
        metrics: counters.
    """

    def __init__(self, picture: LivePicture, metrics: TrackMetrics) -> None:
        self._picture = picture
        self._metrics = metrics
        # gateways whose clock runs ahead; no more entries than gateways that can authenticate
        self._ahead: set[tuple[str, str]] = set()

    def on_batch(self, site: str, gateway: str, batch: Batch, now_ns: int) -> None:
        """Take a batch that is valid in itself.

        Args:
            site: site of the gateway that sent it.
            gateway: the gateway that sent it.
            batch: sealed range; one that was seen before changes nothing.
            now_ns: UTC ns of its arrival.
        """
        newest_ns = 0
        for record in batch.records:
            self._observe(site, gateway, batch.stream_id, record, now_ns)
            newest_ns = max(newest_ns, record.observed_at_ns)
        if newest_ns:
            self._watch_clock(site, gateway, newest_ns, now_ns)
            self._metrics.latency.labels("fanout").observe(max(0, now_ns - newest_ns) / NS_PER_S)

    def on_status(self, status: GatewayStatus, now_ns: int) -> None:
        """Take a gateway's report, live or as the registry kept it; ``now_ns`` is UTC ns of its arrival."""
        self._metrics.statuses.inc()
        self._picture.hear(status, now_ns, (status.at_ns - now_ns) / NS_PER_MS)

    def warm(self, observations: Iterable[tuple[str, str, Record]], now_ns: int) -> int:
        """Fill the picture from history after a start.

        Args:
            observations: site, gateway and record, in any order, as ``HistoryReader.latest_observations`` gives them.
            now_ns: UTC ns; what has expired by then is left out.

        Returns:
            how many changed the picture.
        """
        # no stream: the same record seen live later has the same time and number, and replaces itself
        return sum(self._observe(site, gateway, "", record, now_ns) for site, gateway, record in observations)

    def _observe(self, site: str, gateway: str, stream_id: str, record: Record, now_ns: int) -> bool:
        payload = record.payload
        self._metrics.records.labels(payload.__struct_config__.tag).inc()
        if not has_sound_ids(record) or (isinstance(payload, Ais) and not is_plausible(payload)):
            self._metrics.rejected.labels("implausible").inc()
            return False
        origin = Origin(site, gateway, record.source)
        if isinstance(payload, Ais):
            return self._picture.observe_ais(payload, record, origin, stream_id, now_ns)
        if isinstance(payload, SensorPayload):
            kind = SENSOR_KINDS[type(payload)]
            return self._picture.observe_sensor(kind, payload, record, origin, stream_id, now_ns)
        return False

    def _watch_clock(self, site: str, gateway: str, newest_ns: int, now_ns: int) -> None:
        key = (site, gateway)
        ahead_ns = newest_ns - now_ns
        if ahead_ns > MAX_FUTURE_NS and key not in self._ahead:
            self._ahead.add(key)
            _log.warning("gateway_clock_ahead", site=site, gateway=gateway, ahead_s=round(ahead_ns / NS_PER_S, 1))
        elif ahead_ns <= MAX_FUTURE_NS and key in self._ahead:
            self._ahead.discard(key)
            _log.info("gateway_clock_right_again", site=site, gateway=gateway)
