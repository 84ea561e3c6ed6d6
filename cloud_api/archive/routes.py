"""Routes of the history."""

import asyncio
import hashlib

from aiohttp import web
from yarl import URL

from cloud_api.archive import rendering
from cloud_api.archive.models import (
    SeriesAnswer,
    SeriesEntry,
    SeriesList,
    SeriesListQuery,
    SeriesPath,
    SeriesQuery,
    TrackAnswer,
    TrackFeature,
    TrackPath,
    TrackQuery,
)
from cloud_api.archive.service import ArchiveService
from cloud_api.history.reading import SeriesId
from cloud_api.timestamps import format_utc_ns
from cloud_api.web.control_room import is_known
from cloud_api.web.formats import choose_format
from cloud_api.web.parameters import read_path, read_query
from cloud_api.web.routing import Route

JSON, CSV, GEOJSON = "application/json", "text/csv", "application/geo+json"
TRACK_FORMATS = {"json": JSON, "csv": CSV, "geojson": GEOJSON}
SERIES_FORMATS = {"json": JSON, "csv": CSV}

ARCHIVE: web.AppKey[ArchiveService] = web.AppKey("archive", ArchiveService)


async def _track(request: web.Request) -> web.Response:
    mmsi = read_path(request, TrackPath).mmsi
    query = read_query(request, TrackQuery)
    chosen = choose_format(request, TRACK_FORMATS, query.format)
    answer = await request.app[ARCHIVE].track(mmsi, query)
    if chosen == "csv":
        body = await asyncio.to_thread(rendering.track_csv, answer)
    else:
        render = rendering.track_geojson if chosen == "geojson" else rendering.track_json
        body = await asyncio.to_thread(render, mmsi, answer)
    return _respond(request, body, TRACK_FORMATS[chosen], answer.next)


async def _series(request: web.Request) -> web.Response:
    path = read_path(request, SeriesPath)
    query = read_query(request, SeriesQuery)
    chosen = choose_format(request, SERIES_FORMATS, query.format)
    series = SeriesId(path.site, path.observer, path.sensor)
    answer = await request.app[ARCHIVE].series(series, query)
    if chosen == "csv":
        wanted = None if query.channels is None else query.channels.split(",")
        body = await asyncio.to_thread(rendering.series_csv, answer, wanted)
    else:
        body = await asyncio.to_thread(rendering.series_json, series, answer)
    return _respond(request, body, SERIES_FORMATS[chosen], answer.next)


async def _list(request: web.Request) -> web.Response:
    found, following = await request.app[ARCHIVE].list_series(read_query(request, SeriesListQuery))
    entries = [
        SeriesEntry(
            id=str(one.id),
            site=one.id.site,
            observer=one.id.observer,
            sensor=one.id.sensor,
            first_at=format_utc_ns(one.first_ns),
            last_at=format_utc_ns(one.last_ns),
        )
        for one in found
    ]
    body = SeriesList(items=entries, next=following).model_dump_json().encode()
    return _respond(request, body, JSON, following)


def _respond(request: web.Request, body: bytes, content_type: str, following: str | None) -> web.Response:
    etag = hashlib.blake2b(body, digest_size=16).hexdigest()
    # weak: the same answer has other bytes once it is compressed
    headers = {"Cache-Control": "private, no-cache", "ETag": f'W/"{etag}"', "Vary": "Accept"}
    if following is not None:
        query = {name: value for name, value in request.query.items() if name not in ("from", "to", "cursor")}
        headers["Link"] = f'<{URL.build(query={**query, "cursor": following})}>; rel="next"'
    if is_known(request, etag):
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if content_type == CSV else None
    return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)


ROUTES = (
    Route(
        "/api/v1/history/vessels/{mmsi}/track", _track, "where a vessel has been: whole in few points, or page by page",
        "history", query=TrackQuery, path_parameters=TrackPath, response=TrackAnswer,
        also={GEOJSON: TrackFeature, CSV: None}, is_revalidated=True, is_paged=True, problems=(304, 400, 406, 503),
    ),
    Route(
        "/api/v1/history/series", _list, "fixed sensors that have stored observations, by id", "history",
        query=SeriesListQuery, response=SeriesList, is_revalidated=True, is_paged=True, problems=(304, 400, 503),
    ),
    Route(
        "/api/v1/history/series/{site}/{observer}/{sensor}", _series,
        "what a fixed sensor has observed: lowest, mean and highest in few buckets, or page by page", "history",
        query=SeriesQuery, path_parameters=SeriesPath, response=SeriesAnswer, also={CSV: None},
        is_revalidated=True, is_paged=True, problems=(304, 400, 406, 503),
    ),
)  # fmt: skip
