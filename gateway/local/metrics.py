"""Prometheus metrics of one gateway, read off the newest status. Names as the fleet's dashboards and rules use them."""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.local.board import Board, LocalStatus
from gateway.local.buffer_metrics import buffer, gauge
from gateway.local.uplink_metrics import uplink


class GatewayCollector(Collector):
    """Turns the newest status into metrics at each scrape.

    Args:
        board: where it is.
        hardware: hardware profile.
        data_dir: folder whose file system is watched.
        certificate_ends_at: end of the gateway's certificate, UTC s; None if it cannot be read.
    """

    def __init__(self, board: Board, hardware: str, data_dir: Path, certificate_ends_at: float | None) -> None:
        self._board = board
        self._hardware = hardware
        self._data_dir = data_dir
        self._certificate_ends_at = certificate_ends_at

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; none before the first status."""
        newest = self._board.newest()
        if newest is None:
            return
        yield from self._device(newest)
        yield from buffer(newest)
        yield from _sources(newest)
        yield from uplink(newest)
        yield _alarms(newest)

    def _device(self, newest: LocalStatus) -> Iterator[Metric]:
        status = newest.status
        info = GaugeMetricFamily("gateway_build_info", "This gateway", labels=["gateway", "site", "hw", "version"])
        info.add_metric([status.gateway, status.site, self._hardware, status.software], 1)
        yield info
        yield gauge("gateway_last_seen_timestamp_seconds", "Time of the newest status", status.at_ns / 1e9)
        yield gauge("gateway_start_timestamp_seconds", "Start of the gateway process", status.started_at_ns / 1e9)
        if status.clock.error_ms is not None:
            yield gauge("gateway_clock_error_seconds", "Bound of the clock's error", status.clock.error_ms / 1e3)
        if self._certificate_ends_at is not None:
            text = "End of the gateway's certificate"
            yield gauge("gateway_certificate_not_after_timestamp_seconds", text, self._certificate_ends_at)
        space = GaugeMetricFamily("gateway_filesystem_avail_bytes", "Free space for the gateway", labels=["mount"])
        try:
            figures = os.statvfs(self._data_dir)
        except OSError:
            return
        space.add_metric(["data"], figures.f_bavail * figures.f_frsize)
        yield space


def _sources(newest: LocalStatus) -> Iterator[Metric]:
    records = CounterMetricFamily("gateway_messages", "Records stored", labels=["source"])
    errors = CounterMetricFamily("gateway_source_errors", "Rejected by a driver", labels=["source", "kind"])
    restarts = CounterMetricFamily("gateway_source_restarts", "Restarts of a driver", labels=["source"])
    ends = CounterMetricFamily("gateway_source_ends", "Ends of a driver, by reason", labels=["source", "reason"])
    running = GaugeMetricFamily("gateway_source_up", "1 while the driver runs", labels=["source"])
    text = "Newest record"
    last = GaugeMetricFamily("gateway_source_last_message_timestamp_seconds", text, labels=["source"])
    for source in newest.status.sources:
        records.add_metric([source.source], source.records)
        restarts.add_metric([source.source], source.restarts)
        running.add_metric([source.source], 1 if source.state == "running" else 0)
        for reason, total in source.ends.items():
            ends.add_metric([source.source, reason], total)
        for kind, total in source.rejected.items():
            errors.add_metric([source.source, kind], total)
        if source.last_record_at_ns is not None:
            last.add_metric([source.source], source.last_record_at_ns / 1e9)
    yield from (records, errors, restarts, ends, running, last)


def _alarms(newest: LocalStatus) -> Metric:
    text = "1 while a limit is passed at the edge"
    active = GaugeMetricFamily("gateway_alarm_active", text, labels=["source", "place", "alarm", "severity", "subject"])
    for each in newest.alarms:
        alarm = each.alarm
        active.add_metric([each.source, each.place or "", alarm.alarm, alarm.severity, alarm.subject], 1)
    return active
