"""Routes of the site."""

from aiohttp import web

from cloud_api.site.models import Chart
from cloud_api.site.service import SiteChart
from cloud_api.web.control_room import is_known
from cloud_api.web.parameters import Parameters, read_query
from cloud_api.web.routing import Route

CHART: web.AppKey[SiteChart] = web.AppKey("chart", SiteChart)


async def _chart(request: web.Request) -> web.Response:
    read_query(request, Parameters)
    chart = request.app[CHART]
    # weak: the same chart has other bytes once it is compressed
    headers = {"Cache-Control": "no-cache", "ETag": f'W/"{chart.etag}"'}
    if is_known(request, chart.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=chart.body, content_type="application/geo+json", headers=headers)


ROUTES = (
    Route(
        "/api/v1/site", _chart, "the site's chart", "site",
        response=Chart, content_type="application/geo+json", problems=(304,),
    ),
)  # fmt: skip
