"""Alarms made at the edge pass the track role without a complaint and without a trace in the picture."""

from prometheus_client import CollectorRegistry

from cloud_api.live.picture import LivePicture
from cloud_api.tracking.intake import TrackIntake
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from contracts.codec import encode_batch
from contracts.payloads import Alarm
from contracts.topics import Channel, topic
from tests.support.cloud_observations import NOW_NS, batch, record

STOP = Alarm(
    alarm="crane_wind_stop", severity="alarm", is_active=True, value=21.0, limit=20.0, unit="m/s", raised_at_ns=NOW_NS
)


async def test_an_alarm_record_is_taken_and_is_no_sensor() -> None:
    registry, picture = CollectorRegistry(), LivePicture()
    metrics = TrackMetrics(registry)
    intake = TrackIntake(TrackService(picture, metrics), metrics, lambda: NOW_NS)
    await intake.on_records(topic("demo", "gw-1", Channel.RECORDS), encode_batch(batch([record(STOP, place="sts-1")])))
    assert registry.get_sample_value("track_records_total", {"type": "alarm"}) == 1
    (rejected,) = (family for family in registry.collect() if family.name == "track_rejected")
    assert not any(sample.value for sample in rejected.samples)
    assert list(picture.sensors()) == []
