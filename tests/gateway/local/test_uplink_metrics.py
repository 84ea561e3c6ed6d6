from prometheus_client.core import Metric

from contracts.health import GatewayStatus
from contracts.records import Clock, ClockState
from gateway.local.board import LocalStatus, UplinkStatus
from gateway.local.uplink_metrics import uplink
from gateway.outbox.models import Lane
from gateway.uplink.lanes_policy import LaneFigures


def values(reason: str = "") -> dict[tuple[str, str], float]:
    lanes = [
        LaneFigures(Lane.LIVE, 3, 300, 57, 1, 0.2, 10.0, 19.0, is_paused=False),
        LaneFigures(Lane.BACKLOG, 9, 9000, 4500, 4, 1.5, 900.0, 450.0, is_paused=True),
    ]
    status = GatewayStatus(
        site="s", gateway="g", at_ns=1, boot_id="b", started_at_ns=1, software="1", clock=Clock(ClockState.NTP)
    )
    link = UplinkStatus(True, "b:8883", reason, "", "", lanes, 4.5, 2)
    newest = LocalStatus(status=status, uplink=link, used_bytes=1, capacity_bytes=2, trouble="")
    metrics: list[Metric] = list(uplink(newest))
    return {(sample.name, sample.labels.get("lane", "")): sample.value for item in metrics for sample in item.samples}


def test_each_lane_has_its_counters_and_gauges() -> None:
    found = values()
    assert found["gateway_uplink_lane_records_total", "backlog"] == 4500
    assert found["gateway_uplink_lane_in_flight_batches", "live"] == 1
    assert found["gateway_uplink_lane_paused", "backlog"] == 1
    assert found["gateway_uplink_backlog_window_batches", ""] == 4.5
    assert found["gateway_uplink_straggler_batches", ""] == 2


def test_silence_of_the_cloud_is_told_from_an_uplink_that_is_down() -> None:
    assert (values()["gateway_uplink_unanswered", ""], values()["gateway_uplink_up", ""]) == (0, 1)
    assert values("no_receipts")["gateway_uplink_unanswered", ""] == 1
