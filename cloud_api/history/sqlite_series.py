"""Series of fixed sensors, as SQL. Each question takes an open connection in a transaction and returns plain values."""

import sqlite3
from collections.abc import Iterator

import msgspec

from cloud_api.history.channels import NO_SERIES, channels_of
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
from cloud_api.history.sqlite_rollups import MINUTE_NS, minutes_of
from cloud_api.history.sqlite_spans import MAX_ROWS, MAX_SERIES, bounded, page_of, points
from cloud_api.history.thinning_policy import SeriesThinner

_OBSERVER = "CASE series.place WHEN '' THEN series.gateway || '.' || series.source ELSE series.place END"
_SENSOR = "CASE series.aspect WHEN '' THEN series.kind ELSE series.kind || '.' || series.aspect END"
_NONE = ", ".join(f"'{name}'" for name in sorted(NO_SERIES))
_FIND = f"""
    SELECT series_ref FROM series
    WHERE mmsi = 0 AND site = ? AND kind = ? AND {_OBSERVER} = ? AND {_SENSOR} = ? ORDER BY series_ref LIMIT ?
"""  # noqa: S608 - our names
# each end of a series is one step in an index
_LIST = f"""
    SELECT site, observer, sensor, min(first_ns), max(last_ns)
    FROM (
        SELECT site, {_OBSERVER} AS observer, {_SENSOR} AS sensor,
            min(coalesce((SELECT min(observed_at_ns) FROM points WHERE points.series_ref = series.series_ref), :none),
                coalesce((SELECT min(minute) FROM rollups WHERE rollups.series_ref = series.series_ref)
                         * {MINUTE_NS}, :none)) AS first_ns,
            max(coalesce((SELECT max(observed_at_ns) FROM points WHERE points.series_ref = series.series_ref), -1),
                coalesce((SELECT max(minute) FROM rollups WHERE rollups.series_ref = series.series_ref)
                         * {MINUTE_NS}, -1)) AS last_ns
        FROM series WHERE mmsi = 0 AND kind NOT IN ({_NONE})
    )
    WHERE last_ns >= 0 AND (site, observer, sensor) > (:site, :observer, :sensor)
    GROUP BY site, observer, sensor ORDER BY site, observer, sensor LIMIT :limit
"""  # noqa: S608 - our names

_DECODER = msgspec.json.Decoder(dict[str, object])


def list_series(connection: sqlite3.Connection, after: SeriesId | None, limit: int) -> list[SeriesSummary]:
    """Return fixed sensors that have points, see ``HistoryArchive.list_series``."""
    start = after or SeriesId("", "", "")
    rows = connection.execute(
        _LIST,
        {"site": start.site, "observer": start.observer, "sensor": start.sensor, "limit": limit, "none": 2**63 - 1},
    )
    return [SeriesSummary(SeriesId(*row[:3]), *row[3:]) for row in rows]


def series_page(
    connection: sqlite3.Connection, series: SeriesId, span: Span, after: Position | None, limit: int
) -> Page[SeriesPoint]:
    """Return observations of a sensor, see ``HistoryArchive.series_page``."""
    rows = points(connection, _references(connection, series), span, after)
    return page_of(rows, limit, lambda at_ns, payload: SeriesPoint(at_ns, channels_of(_DECODER.decode(payload))))


def thinned_series(
    connection: sqlite3.Connection, series: SeriesId, span: Span, max_points: int, channels: frozenset[str] | None
) -> ThinnedSeries:
    """Return a sensor's channels in few buckets, see ``HistoryArchive.thinned_series``."""
    thinner = SeriesThinner(span, max_points, channels)
    references = _references(connection, series)
    for at_ns, packed in _minutes(connection, references, span):
        thinner.feed_sums(at_ns, packed)
    decode, feed = _DECODER.decode, thinner.feed
    for at_ns, _, payload in bounded(points(connection, references, span, None)):
        feed(at_ns, channels_of(decode(payload)))
    return thinner.result()


def _references(connection: sqlite3.Connection, series: SeriesId) -> list[int]:
    kind = series.sensor.partition(".")[0]
    if kind in NO_SERIES:
        return []
    rows = connection.execute(_FIND, (series.site, kind, series.observer, series.sensor, MAX_SERIES + 1))
    return [ref for (ref,) in rows]


def _minutes(
    connection: sqlite3.Connection, references: list[int], span: Span
) -> Iterator[tuple[int, dict[str, list[float]]]]:
    found = (minute for reference in references for minute in minutes_of(connection, reference, span))
    for number, minute in enumerate(found):
        if number == MAX_ROWS:
            cause = f"it holds more than {MAX_ROWS} minutes"
            raise TooMuchError("read history", "span", cause, "ask for a shorter span", "too_many_rows")
        yield minute
