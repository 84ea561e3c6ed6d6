"""Prometheus metrics of the uplink: whether it is up, and what goes up in each lane."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.local.board import LocalStatus
from gateway.local.buffer_metrics import gauge
from gateway.uplink.lanes_policy import LaneFigures

_COUNTERS: tuple[tuple[str, str, Callable[[LaneFigures], float]], ...] = (
    ("batches", "Batches sent, resends too", lambda each: each.batches),
    ("bytes", "Their bytes", lambda each: each.size_bytes),
    ("records", "Records settled by the cloud", lambda each: each.answered_records),
)
_GAUGES: tuple[tuple[str, str, Callable[[LaneFigures], float]], ...] = (
    ("in_flight_batches", "Batches sent, without a receipt", lambda each: each.in_flight),
    ("oldest_in_flight_seconds", "Time since the first of them was sent", lambda each: each.oldest_s),
    ("bytes_per_second", "Sent, last half minute", lambda each: each.bytes_per_s),
    ("records_per_second", "Settled, last half minute", lambda each: each.records_per_s),
    ("paused", "1 while the broker has asked for a rest", lambda each: 1 if each.is_paused else 0),
)


def uplink(newest: LocalStatus) -> Iterator[Metric]:
    """Yield the metrics of the uplink."""
    up = GaugeMetricFamily("gateway_uplink_up", "1 while connected to a broker", labels=["link"])
    up.add_metric(["mqtt"], 1 if newest.uplink.is_up else 0)
    yield up
    text = "Payload bytes published"
    sent = CounterMetricFamily("gateway_uplink_transmit_bytes", text, labels=["link"])
    sent.add_metric(["mqtt"], newest.status.counters.get("uplink_bytes", 0))
    yield sent
    text = "1 while the cloud answers nothing although the connection holds"
    yield gauge("gateway_uplink_unanswered", text, 1 if newest.uplink.reason == "no_receipts" else 0)
    text = "Batches of the backlog that may be in flight"
    yield gauge("gateway_uplink_backlog_window_batches", text, newest.uplink.backlog_window)
    text = "Batches that stay without a receipt while others get theirs"
    yield gauge("gateway_uplink_straggler_batches", text, newest.uplink.stragglers)
    for name, text, read in _COUNTERS:
        total = CounterMetricFamily(f"gateway_uplink_lane_{name}", text, labels=["lane"])
        for each in newest.uplink.lanes:
            total.add_metric([each.lane.value], read(each))
        yield total
    for name, text, read in _GAUGES:
        level = GaugeMetricFamily(f"gateway_uplink_lane_{name}", text, labels=["lane"])
        for each in newest.uplink.lanes:
            level.add_metric([each.lane.value], read(each))
        yield level
