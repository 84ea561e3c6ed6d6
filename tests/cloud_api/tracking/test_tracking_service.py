"""The track role: what it takes, what it refuses, and that a bad message disturbs nothing."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.live.frames import FrameComposer
from cloud_api.live.picture import MAX_FUTURE_NS, LivePicture
from cloud_api.tracking import service as service_module
from cloud_api.tracking.intake import TrackIntake
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from contracts.codec import encode_batch, encode_message
from contracts.payloads import Log
from contracts.topics import Channel, topic
from tests.support.cloud_observations import NOW_NS, S, batch, crane, position, record, static, status, wind

RECORDS = topic("demo", "gw-1", Channel.RECORDS)
STATUS = topic("demo", "gw-1", Channel.STATUS)


class Role:
    """The track role over an empty picture."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.picture = LivePicture()
        metrics = TrackMetrics(self.registry)
        self.service = TrackService(self.picture, metrics)
        self.intake = TrackIntake(self.service, metrics, lambda: NOW_NS)

    def rejected(self, reason: str) -> float:
        return self.registry.get_sample_value("track_rejected_total", {"reason": reason}) or 0.0


@pytest.fixture
def role() -> Role:
    return Role()


async def test_a_batch_of_the_bus_becomes_the_picture(role: Role) -> None:
    await role.intake.on_records(RECORDS, encode_batch(batch([record(position()), record(static(), seq=2)])))
    await role.intake.on_records(RECORDS, encode_batch(batch([record(wind(), place="mast-1"), record(crane(), seq=2)])))
    await role.intake.on_status(STATUS, encode_message(status()))
    assert [target.mmsi for target in role.picture.targets()] == [224_000_001]
    assert [sensor.id for sensor in role.picture.sensors()] == ["demo/mast-1/wind", "demo/gw-1.ais/crane_sample"]
    assert [gateway.id for gateway in role.picture.gateways()] == ["demo/gw-1"]


async def test_a_batch_seen_again_changes_nothing(role: Role) -> None:
    data = encode_batch(batch([record(position())]))
    await role.intake.on_records(RECORDS, data)
    role.picture.advance(0)
    await role.intake.on_records(RECORDS, data)
    assert not role.picture.has_changes


async def test_what_is_no_message_is_counted_and_dropped(role: Role) -> None:
    await role.intake.on_records(RECORDS, b"rubbish")
    await role.intake.on_status(STATUS, b"{}")
    await role.intake.on_status(STATUS, encode_message(status(at_ns=2**70)))
    assert (role.rejected("not_zstd"), role.rejected("not_a_message"), role.rejected("bad_time")) == (1, 1, 1)


async def test_who_speaks_for_another_gateway_is_not_believed(role: Role) -> None:
    foreign = topic("demo", "gw-2", Channel.RECORDS)
    await role.intake.on_records(foreign, encode_batch(batch([record(position())])))
    await role.intake.on_status(topic("demo", "gw-2", Channel.STATUS), encode_message(status("gw-1")))
    assert role.picture.targets() == []
    assert role.picture.gateways() == []
    assert (role.rejected("wrong_gateway"), role.rejected("foreign_status")) == (1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"mmsi": 0},
        {"mmsi": 2**40},
        {"lon_deg": 181.0},
        {"lat_deg": -1e300},
        {"sog_kn": -1.0},
        {"cog_deg": 1e9},
        {"heading_deg": 2**70},
        {"nav_status": -5},
        {"imo": 2**70},
        {"name": "X" * 1000},
    ],
)
def test_one_absurd_value_is_counted_and_does_not_break_the_frame_of_all(role: Role, changes: dict[str, Any]) -> None:
    absurd = position(**{"msg_type": 19, **changes})
    role.service.on_batch("demo", "gw-1", batch([record(absurd), record(position(2), seq=2)]), NOW_NS)
    role.picture.advance(0)
    FrameComposer(role.picture, 1).compose(None, NOW_NS)
    assert [target.mmsi for target in role.picture.targets()] == [2]
    assert role.rejected("implausible") == 1


def test_without_the_check_an_absurd_value_would_break_the_frame(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "is_plausible", lambda _ais: True)
    role.service.on_batch("demo", "gw-1", batch([record(position(2**40))]), NOW_NS)
    composer = FrameComposer(role.picture, 1)
    with pytest.raises(struct.error):
        composer.compose(None, NOW_NS)


def test_a_place_that_is_no_id_makes_no_sensor(role: Role) -> None:
    role.service.on_batch("demo", "gw-1", batch([record(wind(), place="../x")]), NOW_NS)
    role.service.on_batch("demo", "gw-1", batch([record(wind(), source="A/b")]), NOW_NS)
    assert role.picture.sensors() == []
    assert role.rejected("implausible") == 2


def test_logs_are_counted_and_leave_the_picture_alone(role: Role) -> None:
    role.service.on_batch("demo", "gw-1", batch([record(Log("info", "started"))]), NOW_NS)
    assert not role.picture.has_changes
    assert role.registry.get_sample_value("track_records_total", {"type": "log"}) == 1


def test_a_clock_that_runs_ahead_is_said_once_and_so_is_its_recovery(role: Role) -> None:
    ahead_ns = NOW_NS + MAX_FUTURE_NS + S
    with capture_logs() as logs:
        for seq, at_ns in enumerate([ahead_ns, ahead_ns, NOW_NS, NOW_NS + 1], start=1):
            role.service.on_batch("demo", "gw-1", batch([record(position(), at_ns, seq)]), NOW_NS)
    assert [entry["event"] for entry in logs] == ["gateway_clock_ahead", "gateway_clock_right_again"]
    assert role.picture.counters["from_future"] == 2


def test_history_warms_the_picture_and_what_comes_live_replaces_it(role: Role) -> None:
    old = record(position(sog_kn=1.0), NOW_NS - 60 * S, 5)
    expired = record(position(99), NOW_NS - 7200 * S, 1)
    assert role.service.warm([("demo", "gw-1", old), ("demo", "gw-1", expired)], NOW_NS) == 1
    role.service.on_batch("demo", "gw-1", batch([record(position(sog_kn=2.0), NOW_NS, 6)]), NOW_NS)
    (target,) = role.picture.targets()
    assert target.position is not None
    assert target.position.sog_kn == 2.0


def test_a_report_of_an_hour_ago_shows_a_gateway_that_is_offline(role: Role) -> None:
    role.service.on_status(status(at_ns=NOW_NS - 3600 * S - 12_500_000), NOW_NS - 3600 * S)
    (gateway,) = role.picture.gateways()
    assert gateway.clock_offset_ms == -12.5
    assert not gateway.is_online(NOW_NS)


@given(st.binary(max_size=200))
async def test_any_bytes_are_taken_or_counted(data: bytes) -> None:
    role = Role()
    await role.intake.on_records(RECORDS, data)
    await role.intake.on_status(STATUS, data)
    total = sum(
        sample.value
        for metric in role.registry.collect()
        for sample in metric.samples
        if sample.name == "track_rejected_total"
    )
    assert total == 2
