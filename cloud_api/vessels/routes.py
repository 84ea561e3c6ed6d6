"""Routes of vessels."""

import asyncio

from aiohttp import web
from pydantic import TypeAdapter

from cloud_api.timestamps import format_utc
from cloud_api.vessels.models import Track, TrackQuery, Vessel, VesselList, VesselPath, VesselQuery
from cloud_api.vessels.service import VesselService, describe_vessel
from cloud_api.web.parameters import read_path, read_query
from cloud_api.web.routing import Route, json_response

CHUNK = 200
"""Vessels described before others have their turn: 5 ms. 20,000 in one go would hold the live wire up for 0.4 s."""

VESSELS: web.AppKey[VesselService] = web.AppKey("vessels", VesselService)
_LIST = TypeAdapter(list[Vessel])


async def _list(request: web.Request) -> web.Response:
    service = request.app[VESSELS]
    targets = service.select(read_query(request, VesselQuery))
    now_ns = service.utc_ns()
    parts = []
    for start in range(0, len(targets), CHUNK):
        items = [describe_vessel(target, now_ns) for target in targets[start : start + CHUNK]]
        parts.append(_LIST.dump_json(items)[1:-1])
        await asyncio.sleep(0)
    body = b'{"at":"%s","items":[%s]}' % (format_utc(now_ns).encode(), b",".join(parts))
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def _one(request: web.Request) -> web.Response:
    service = request.app[VESSELS]
    target = service.find(read_path(request, VesselPath).mmsi)
    return json_response(describe_vessel(target, service.utc_ns()))


async def _track(request: web.Request) -> web.Response:
    service = request.app[VESSELS]
    mmsi = read_path(request, VesselPath).mmsi
    response = json_response(await service.track(mmsi, read_query(request, TrackQuery)))
    response.content_type = "application/geo+json"
    return response


ROUTES = (
    Route(
        "/api/v1/vessels", _list, "vessels of the live picture, the newest heard first", "vessels",
        query=VesselQuery, response=VesselList, problems=(400,),
    ),
    Route(
        "/api/v1/vessels/{mmsi}", _one, "one vessel of the live picture", "vessels",
        path_parameters=VesselPath, response=Vessel, problems=(400, 404),
    ),
    Route(
        "/api/v1/vessels/{mmsi}/track", _track, "where a vessel has been", "vessels",
        query=TrackQuery, path_parameters=VesselPath, response=Track, content_type="application/geo+json",
        problems=(400, 503),
    ),
)  # fmt: skip
