"""Writes answers as JSON, GeoJSON and CSV. Runs in a thread: the largest takes some tens of milliseconds.

In CSV (RFC 4180) a text that a spreadsheet would take for a formula is given an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from cloud_api.archive.service import Answer
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import Bucket, Scalar, SeriesId, SeriesPoint, ThinnedSeries, ThinnedTrack
from cloud_api.timestamps import NS_PER_S, format_utc_ns

TRACK_COLUMNS = ("at", "lon_deg", "lat_deg", "sog_kn", "cog_deg", "heading_deg")
BUCKET_COLUMNS = ("at", "channel", "count", "min", "mean", "max")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

TrackAnswers = Answer[ThinnedTrack] | Answer[list[TrackPoint]]
SeriesAnswers = Answer[ThinnedSeries] | Answer[list[SeriesPoint]]


def track_json(mmsi: int, answer: TrackAnswers) -> bytes:
    """Return a ``TrackAnswer``."""
    items = [dict(zip(TRACK_COLUMNS, _track_row(point), strict=True)) for point in _points(answer)]
    return msgspec.json.encode({"mmsi": mmsi, **_track_head(answer), "items": items})


def track_geojson(mmsi: int, answer: TrackAnswers) -> bytes:
    """Return a ``TrackFeature``."""
    points = _points(answer)
    line: list[tuple[float, float]] = [(point.lon_deg, point.lat_deg) for point in points]
    geometry: dict[str, object] | None = {"type": "LineString", "coordinates": line}
    if len(line) <= 1:
        geometry = {"type": "Point", "coordinates": line[0]} if line else None
    properties = {
        "mmsi": mmsi,
        **_track_head(answer),
        "times": [format_utc_ns(point.observed_at_ns) for point in points],
        "sog_kn": [point.sog_kn for point in points],
        "cog_deg": [point.cog_deg for point in points],
        "heading_deg": [point.heading_deg for point in points],
    }
    return msgspec.json.encode({"type": "Feature", "id": mmsi, "geometry": geometry, "properties": properties})


def track_csv(answer: TrackAnswers) -> bytes:
    """Return a row a position."""
    return _csv(TRACK_COLUMNS, map(_track_row, _points(answer)))


def series_json(series: SeriesId, answer: SeriesAnswers) -> bytes:
    """Return a ``SeriesAnswer``."""
    head = {"id": str(series), **_head(answer, 0)}
    found = answer.found
    if isinstance(found, ThinnedSeries):
        channels = {name: _columns(buckets) for name, buckets in found.channels.items()}
        return msgspec.json.encode({**head, "bucket_s": found.width_ns / NS_PER_S, "items": None, "channels": channels})
    items = [{"at": format_utc_ns(point.at_ns), "values": point.values} for point in found]
    return msgspec.json.encode({**head, "items": items, "channels": None})


def series_csv(answer: SeriesAnswers, wanted: Sequence[str] | None) -> bytes:
    """Return a row an observation, or a row a bucket and channel.

    Args:
        answer: what was found.
        wanted: channels in the order of their columns; None is all that the page has, by name.
    """
    found = answer.found
    if isinstance(found, ThinnedSeries):
        rows = (
            (format_utc_ns(one.at_ns), name, one.count, one.minimum, one.mean, one.maximum)
            for name, buckets in found.channels.items()
            for one in buckets
        )
        return _csv(BUCKET_COLUMNS, rows)
    names = wanted if wanted is not None else sorted({name for point in found for name in point.values})
    return _csv(
        ("at", *map(_cell, names)),
        ((format_utc_ns(point.at_ns), *(_cell(point.values.get(name)) for name in names)) for point in found),
    )


def _points(answer: TrackAnswers) -> list[TrackPoint]:
    return answer.found.points if isinstance(answer.found, ThinnedTrack) else answer.found


def _track_row(point: TrackPoint) -> tuple[object, ...]:
    at = format_utc_ns(point.observed_at_ns)
    return (at, point.lon_deg, point.lat_deg, point.sog_kn, point.cog_deg, point.heading_deg)


def _track_head(answer: TrackAnswers) -> dict[str, object]:
    found = answer.found
    if isinstance(found, ThinnedTrack):
        return {"stored": found.stored, **_head(answer, found.width_ns)}
    return {"stored": None, **_head(answer, 0)}


def _head(answer: TrackAnswers | SeriesAnswers, width_ns: int) -> dict[str, object]:
    return {
        "from": format_utc_ns(answer.span.from_ns),
        "to": format_utc_ns(answer.span.to_ns),
        "bucket_s": width_ns / NS_PER_S or None,
        "next": answer.next,
    }


def _columns(buckets: list[Bucket]) -> dict[str, list[object]]:
    return {
        "at": [format_utc_ns(one.at_ns) for one in buckets],
        "count": [one.count for one in buckets],
        "min": [one.minimum for one in buckets],
        "mean": [one.mean for one in buckets],
        "max": [one.maximum for one in buckets],
    }


def _csv(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _cell(value: Scalar | None) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
