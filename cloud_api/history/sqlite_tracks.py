"""Tracks of vessels, as SQL. Each question takes an open connection in a transaction and returns plain values."""

import sqlite3

import msgspec

from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import Page, Position, Span, ThinnedTrack
from cloud_api.history.sqlite_spans import MAX_SERIES, bounded, newest, page_of, points
from cloud_api.history.thinning_policy import TrackThinner

# a receiver's series of a vessel, one for each thing that its messages tell; the index is of those with an MMSI, and is
# used only where the question says so (some transponders are set to 0)
_SERIES = """
    SELECT series_ref FROM series
    WHERE mmsi = ? AND mmsi != 0 AND kind = 'ais' AND aspect IN ('position', 'both') LIMIT ?
"""
_SERIES_OF_0 = _SERIES.replace("!= 0", "= 0")


class _Fix(msgspec.Struct):
    lon_deg: float
    lat_deg: float
    sog_kn: float | None = None
    cog_deg: float | None = None
    heading_deg: int | None = None


_DECODER = msgspec.json.Decoder(_Fix)


def track(connection: sqlite3.Connection, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
    """Return the newest positions of a vessel, see ``HistoryReader.track``."""
    rows = newest(connection, _series(connection, mmsi), Span(from_ns, to_ns), max_points)
    return [_track_point(at_ns, _DECODER.decode(payload)) for at_ns, _, payload in rows]


def track_page(
    connection: sqlite3.Connection, mmsi: int, span: Span, after: Position | None, limit: int
) -> Page[TrackPoint]:
    """Return positions of a vessel, see ``HistoryArchive.track_page``."""
    rows = points(connection, _series(connection, mmsi), span, after)
    return page_of(rows, limit, lambda at_ns, payload: _track_point(at_ns, _DECODER.decode(payload)))


def thinned_track(connection: sqlite3.Connection, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
    """Return a vessel's track in few points, see ``HistoryArchive.thinned_track``."""
    thinner: TrackThinner[tuple[int, _Fix]] = TrackThinner(span, max_points)
    decode, feed = _DECODER.decode, thinner.feed
    for at_ns, _, payload in bounded(points(connection, _series(connection, mmsi), span, None)):
        fix = decode(payload)
        feed(at_ns, fix.sog_kn, (at_ns, fix))
    kept = [_track_point(at_ns, fix) for at_ns, fix in thinner.rows()]
    return ThinnedTrack(kept, thinner.stored, 0 if thinner.is_whole() else thinner.width_ns)


def _series(connection: sqlite3.Connection, mmsi: int) -> list[int]:
    query = _SERIES if mmsi else _SERIES_OF_0
    return [ref for (ref,) in connection.execute(query, (mmsi, MAX_SERIES + 1))]


def _track_point(at_ns: int, fix: _Fix) -> TrackPoint:
    return TrackPoint(at_ns, fix.lon_deg, fix.lat_deg, fix.sog_kn, fix.cog_deg, fix.heading_deg)
