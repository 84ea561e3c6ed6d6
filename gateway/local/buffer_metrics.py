"""Prometheus metrics of what waits on the gateway: how much, since when, for how long there is room, and what was lost.

A figure that is not known is not there: an absent series is told from a zero, and rules can ask for it.
"""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from contracts.health import ClassStatus
from gateway.local.board import LocalStatus

REASONS = (
    "ring_overflow", "disk_space", "ring_lost", "too_large", "capacity", "damaged", "refused", "thinned", "age",
)  # fmt: skip
"""Why records are given up, as counters end in it; one that ends in another comes after it."""

_DROPPED = "dropped_"
_DAY_S = 86_400.0


def buffer(newest: LocalStatus) -> Iterator[Metric]:
    """Yield the metrics of the buffer."""
    status = newest.status
    yield gauge("gateway_buffer_used_bytes", "Outbox in use", newest.used_bytes)
    yield gauge("gateway_buffer_capacity_bytes", "Cap of the outbox", newest.capacity_bytes)
    yield gauge("gateway_buffer_records", "Records without a receipt", sum(s.buffered_records for s in status.streams))
    yield gauge("gateway_quarantined_batches", "Batches set aside", status.quarantined_batches)
    yield gauge("gateway_disk_trouble", "1 while nothing can be stored", 1 if newest.trouble else 0)
    yield gauge("gateway_buffer_volatile", "1 while new records are in memory only", 1 if status.is_volatile else 0)
    oldest = [stream.oldest_at_ns for stream in status.streams if stream.oldest_at_ns is not None]
    if oldest:
        yield gauge("gateway_buffer_oldest_timestamp_seconds", "Oldest record without a receipt", min(oldest) / 1e9)
    age_s = status.oldest_unacknowledged_s
    yield gauge("gateway_oldest_unacknowledged_seconds", "Age of the same", age_s if age_s is not None else 0)
    yield from _classes(newest)
    yield from _outlook(newest)
    yield from _counters(newest)


def gauge(name: str, text: str, value: float) -> Metric:
    """Return a gauge without labels."""
    metric = GaugeMetricFamily(name, text)
    metric.add_metric([], value)
    return metric


def _classes(newest: LocalStatus) -> Iterator[Metric]:
    columns: tuple[tuple[str, str, Callable[[ClassStatus], float | None]], ...] = (
        ("records", "Records without a receipt", lambda each: each.buffered_records),
        ("bytes", "Their size as stored", lambda each: each.buffered_bytes),
        ("oldest_seconds", "Age of the oldest of them", lambda each: each.oldest_age_s),
        ("ingress_records_per_second", "Records that come in, last ten minutes", lambda each: each.records_per_s),
        ("ingress_bytes_per_second", "The same as stored", lambda each: each.bytes_per_s),
        ("capacity_bytes", "Bound of the class", lambda each: each.capacity_bytes),
        ("headroom_seconds", "Until its bound is reached, without uplink", lambda each: each.headroom_s),
    )
    for name, text, read in columns:
        metric = GaugeMetricFamily(f"gateway_buffer_class_{name}", text, labels=["class"])
        for each in newest.status.classes:
            value = read(each)
            if value is not None:
                metric.add_metric([each.record_class], value)
        yield metric


def _outlook(newest: LocalStatus) -> Iterator[Metric]:
    status = newest.status
    life_s = None if status.card_life_days is None else status.card_life_days * _DAY_S
    for name, text, value in (
        ("gateway_buffer_headroom_seconds", "Until the first bound is reached, without uplink", status.headroom_s),
        ("gateway_buffer_drain_seconds", "Until only live data waits", status.drain_s),
        ("gateway_replay_records_per_second", "Records that the cloud takes", status.replay_records_per_s),
        ("gateway_flash_written_bytes_per_day", "Written by gateway and drivers", status.flash_bytes_per_day),
        ("gateway_flash_card_life_seconds", "Projected life of a new card at that rate", life_s),
    ):
        if value is not None:
            yield gauge(name, text, value)


def _counters(newest: LocalStatus) -> Iterator[Metric]:
    dropped = CounterMetricFamily(
        "gateway_records_dropped", "Records given up and declared as gaps", labels=["class", "reason"]
    )
    events = CounterMetricFamily("gateway_events", "What the gateway counts, by name", labels=["event"])
    for name, total in sorted(newest.status.counters.items()):
        if name.startswith(_DROPPED):
            dropped.add_metric(_class_and_reason(name.removeprefix(_DROPPED)), total)
        else:
            events.add_metric([name], total)
    yield dropped
    yield events


def _class_and_reason(text: str) -> list[str]:
    for reason in REASONS:
        if text.endswith(f"_{reason}"):
            return [text.removesuffix(f"_{reason}"), reason]
    return [text, "other"]
