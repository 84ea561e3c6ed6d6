"""Sinks on real servers, as the cloud makes them, for system tests and benchmarks."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from cloud_api.backoff import FullJitter
from cloud_api.history.influx.client_v2 import InfluxV2Writer, ServerV2
from cloud_api.history.influx.clock_backfill import ClockBackfill
from cloud_api.history.influx.http_v1 import InfluxQueries, InfluxV1Writer, Server
from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import DAY_NS, Placing
from cloud_api.history.influx.ports import QueryEndpoint, WriteEndpoint
from cloud_api.history.influx.schema import PLACED
from cloud_api.history.influx.series_guard_policy import SeriesGuard
from cloud_api.history.influx.sink import InfluxSink
from cloud_api.history.influx.timed_sink import TimedSink
from cloud_api.history.models import StoredRecord
from cloud_api.history.sql_clock_sets import SqlClockSets
from contracts.batch import Batch
from contracts.ids import split_stream_id
from contracts.payloads import Gap

DATABASE = "porttrack"
KEEP_DAYS = 30


def sink_on(
    endpoint: WriteEndpoint,
    *,
    keep_ns: int | None = KEEP_DAYS * DAY_NS,
    is_victoria: bool = False,
    registry: CollectorRegistry | None = None,
) -> InfluxSink:
    """Return a sink that gives up in a second instead of minutes."""
    return InfluxSink(
        endpoint, LineEncoder(is_numbers_only=is_victoria), Placing(keep_ns), SeriesGuard(),
        InfluxMetrics(registry or CollectorRegistry()), FullJitter(0.01, 0.1, random.Random(1)),
        has_beyond=not is_victoria,
    )  # fmt: skip


def influx_sink(url: str, keep_ns: int | None = KEEP_DAYS * DAY_NS) -> InfluxSink:
    """Return a sink on an InfluxDB 1.x that was provisioned."""
    return sink_on(InfluxV1Writer(Server(url, DATABASE)), keep_ns=keep_ns)


@dataclass
class BackfillingSink:
    """A sink that gives points their time, at once or afterwards."""

    sink: TimedSink
    backfill: ClockBackfill
    plain: InfluxSink
    registry: CollectorRegistry


def backfilling_sink(
    url: str,
    clock_sets: SqlClockSets,
    queries: QueryEndpoint | None = None,
    now_ns: Callable[[], int] = time.time_ns,
    *,
    can_delete: bool = True,
) -> BackfillingSink:
    """Return a sink on an InfluxDB 1.x as the composition root makes it."""
    registry, placing = CollectorRegistry(), Placing(KEEP_DAYS * DAY_NS)
    metrics, backoff = InfluxMetrics(registry), FullJitter(0.01, 0.1, random.Random(1))
    plain = InfluxSink(
        InfluxV1Writer(Server(url, DATABASE)), LineEncoder(), placing, SeriesGuard(), metrics, backoff
    )  # fmt: skip
    timed = TimedSink(plain, clock_sets, placing, metrics, now_ns)
    asked = queries or InfluxQueries(Server(url, DATABASE))
    backfill = ClockBackfill(asked, plain, clock_sets, placing, metrics, backoff, now_ns, can_delete=can_delete)
    return BackfillingSink(timed, backfill, plain, registry)


def victoria_sink(url: str) -> InfluxSink:
    """Return a sink on a VictoriaMetrics, by the v2 API."""
    endpoint = InfluxV2Writer(ServerV2(url, "porttrack", {PLACED: DATABASE}))
    return sink_on(endpoint, keep_ns=3650 * DAY_NS, is_victoria=True)


def stored(batch: Batch) -> list[StoredRecord]:
    """Return the points of a batch."""
    site, gateway, _, _ = split_stream_id(batch.stream_id)
    return [
        StoredRecord(batch.stream_id, site, gateway, record)
        for record in batch.records
        if not isinstance(record.payload, Gap)
    ]
