"""Series of fixed sensors out of an InfluxDB: what is stored, page by page or in sums by buckets, and which there are.

Within the retention the server sums up the points themselves; what is older, only the minutes that its roll-ups kept.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from cloud_api.history.channels import channels_of
from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.influxql import text
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.influx.questions import (
    ends,
    measurement_named,
    newest_of_sensor,
    observations,
    sums,
)
from cloud_api.history.influx.schema import (
    COSINE,
    PLACED,
    ROLLED_UP,
    SINE,
    averaged_fields,
    directions,
    numbered_fields,
    payload_from,
    value_of_tag,
)
from cloud_api.history.influx.tracks import page_of
from cloud_api.history.reading import (
    Page,
    Position,
    SeriesId,
    SeriesPoint,
    SeriesSummary,
    Span,
    ThinnedSeries,
    TooMuchError,
)
from cloud_api.history.thinning_policy import SeriesThinner, demand_few_cells
from contracts.errors import PeerError

MINUTE_NS = 60 * 10**9
MAX_MINUTES = 1_000_000
"""Rolled-up minutes read for one answer: two years of one sensor."""


async def list_series(
    queries: QueryEndpoint, after: SeriesId | None, limit: int, *, has_minutes: bool
) -> list[SeriesSummary]:
    """Return fixed sensors that have points, see ``HistoryArchive.list_series``.

    Args:
        queries: the server.
        after: the last one of the page before.
        limit: at most so many.
        has_minutes: the server rolls minutes up.
    """
    spans: dict[SeriesId, tuple[int, int]] = {}
    for policy in (PLACED, ROLLED_UP) if has_minutes else (PLACED,):
        async for line in queries.ask(ends(), policy):
            for _, row in rows_of(line):
                found = _series_of(row)
                at_ns = int(row.values.get("at_ns") or row.values["time"])
                first_ns, last_ns = spans.get(found, (at_ns, at_ns))
                spans[found] = (min(first_ns, at_ns), max(last_ns, at_ns))
    wanted = sorted(found for found in spans if after is None or found > after)
    return [SeriesSummary(found, *spans[found]) for found in wanted[:limit]]


async def series_page(
    queries: QueryEndpoint, series: SeriesId, span: Span, after: Position | None, limit: int
) -> Page[SeriesPoint]:
    """Return observations of a sensor, see ``HistoryArchive.series_page``."""
    measurement = _measurement(series)
    if measurement is None:
        return Page([], None)
    return await page_of(queries, lambda rest, rows: observations(measurement, series, rest, rows), span, after, limit,
                         lambda row: _series_point(measurement, row))  # fmt: skip


async def thinned_series(
    queries: QueryEndpoint,
    series: SeriesId,
    span: Span,
    max_points: int,
    channels: frozenset[str] | None,
    minutes_before_ns: int,
) -> ThinnedSeries:
    """Return a sensor's channels in few buckets, see ``HistoryArchive.thinned_series``.

    Args:
        queries: the server.
        series: which sensor.
        span: UTC ns.
        max_points: at most so many buckets a channel.
        channels: which; None is all.
        minutes_before_ns: before it only minutes are left, UTC ns; 0: none are kept.
    """
    thinner = SeriesThinner(span, max_points, channels)
    measurement = _measurement(series)
    if measurement is None:
        return thinner.result()
    border_ns = -(-minutes_before_ns // MINUTE_NS) * MINUTE_NS
    if span.from_ns < border_ns:
        await _feed_minutes(queries, thinner, measurement, series, Span(span.from_ns, min(span.to_ns, border_ns - 1)))
    if span.to_ns >= border_ns:
        rest = Span(max(span.from_ns, border_ns), span.to_ns)
        question = sums(measurement, series, rest, thinner.width_ns, channels)
        if question is not None:
            await _demand_few_cells(queries, measurement, series, rest, thinner, channels)
            lines = [line async for line in queries.ask(question, PLACED)]
            await asyncio.to_thread(_feed, thinner, measurement, lines)
    return await asyncio.to_thread(thinner.result)


async def _demand_few_cells(
    queries: QueryEndpoint,
    measurement: str,
    series: SeriesId,
    span: Span,
    thinner: SeriesThinner,
    channels: frozenset[str] | None,
) -> None:
    """Refuse too much before the server works at it: by the channels of the newest point, which is found at once.

    Raises:
        TooMuchError: see ``demand_few_cells``.
    """
    lines = [line async for line in queries.ask(newest_of_sensor(measurement, series, span), PLACED)]
    found = await asyncio.to_thread(_channels_in, measurement, lines)
    demand_few_cells(len(found if channels is None else found & channels), thinner.span, thinner.width_ns)


def _channels_in(measurement: str, lines: list[bytes]) -> set[str]:
    """Return the channels that are summed up and have a value in some row."""
    summed, lists = {*averaged_fields(measurement), *directions(measurement)}, set(numbered_fields(measurement))
    return {
        name
        for line in lines
        for _, row in rows_of(line)
        for name, value in row.values.items()
        if value is not None and (name in summed or name.rpartition(".")[0] in lists)
    }


async def _feed_minutes(
    queries: QueryEndpoint, thinner: SeriesThinner, measurement: str, series: SeriesId, span: Span
) -> None:
    lines = [line async for line in queries.ask(observations(measurement, series, span, MAX_MINUTES + 1), ROLLED_UP)]
    if await asyncio.to_thread(_feed, thinner, measurement, lines) > MAX_MINUTES:
        cause = f"it holds more than {MAX_MINUTES} minutes"
        raise TooMuchError("read history", "span", cause, "ask for a shorter span", "too_many_rows")


def _feed(thinner: SeriesThinner, measurement: str, lines: list[bytes]) -> int:
    """Feed the lines of an answer, of the widest sensor for seconds: in a thread; returns how many rows they had."""
    number = 0
    for line in lines:
        for _, row in rows_of(line):
            number += 1
            thinner.feed_sums(int(row.values["time"]), _packed(measurement, row.values))
    return number


def _packed(measurement: str, values: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the sums of each channel of a row, as ``cloud_api.history.sums`` packs them."""
    turning = set(directions(measurement))
    packed = {}
    for column, count in values.items():
        kind, _, channel = column.partition("_")
        if kind != "count" or not count:
            continue
        if channel in turning:
            parts = [values.get(f"sum_{channel}{part}") for part in (SINE, COSINE)]
        else:
            parts = [values.get(f"{function}_{channel}") for function in ("min", "sum", "max")]
        if None not in parts:
            packed[channel] = [float(count), *(float(part) for part in parts if part is not None)]
    return packed


def _measurement(series: SeriesId) -> str | None:
    """Return the measurement of a series, None where no sensor can have such a name."""
    try:
        for part in (series.site, series.observer, series.sensor):
            text(part)
    except PeerError:
        return None
    return measurement_named(series.sensor)


def _series_point(measurement: str, row: Row) -> SeriesPoint:
    payload = msgspec.to_builtins(payload_from(measurement, row.values))
    return SeriesPoint(int(row.values["at_ns"]), channels_of(payload))


def _series_of(row: Row) -> SeriesId:
    tags = {tag: value_of_tag(value) for tag, value in row.tags.items()}
    observer = tags["place"] or f"{tags['gateway']}.{tags['source']}"
    return SeriesId(tags["site"], observer, tags["aspect"] or row.measurement)
