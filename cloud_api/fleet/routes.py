"""Routes of the fleet."""

import time

from aiohttp import web

from cloud_api.fleet.views import GatewayList, describe_gateway
from cloud_api.live.routes import PICTURE
from cloud_api.timestamps import format_utc
from cloud_api.web.parameters import Parameters, read_query
from cloud_api.web.routing import Route, json_response


async def _list(request: web.Request) -> web.Response:
    read_query(request, Parameters)
    now_ns = time.time_ns()
    states = sorted(request.app[PICTURE].gateways(), key=lambda state: state.id)
    return json_response(GatewayList(items=[describe_gateway(one, now_ns) for one in states], at=format_utc(now_ns)))


ROUTES = (Route("/api/v1/gateways", _list, "last report of every gateway", "fleet", response=GatewayList),)
