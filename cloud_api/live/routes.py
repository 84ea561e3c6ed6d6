"""Route of the live wire.

A WebSocket is not held back by the same-origin policy: any page that an operator opens could read the live picture
through the operator's browser. So a request that names an origin must name ours, or one that is allowed by name.
"""

from urllib.parse import urlsplit

from aiohttp import web

from cloud_api.live.hub import LiveHub
from cloud_api.live.picture import LivePicture
from cloud_api.web.middleware import LIVE_PATH
from cloud_api.web.problems import ProblemError
from cloud_api.web.routing import Route

PICTURE: web.AppKey[LivePicture] = web.AppKey("picture", LivePicture)
HUB: web.AppKey[LiveHub] = web.AppKey("hub", LiveHub)
ALLOWED_ORIGINS: web.AppKey[frozenset[str]] = web.AppKey("allowed_origins", frozenset)


async def _live(request: web.Request) -> web.StreamResponse:
    origin = request.headers.get("Origin")
    if origin is not None and origin not in request.app[ALLOWED_ORIGINS] and urlsplit(origin).netloc != request.host:
        raise ProblemError(403, "foreign-origin", "this origin may not read the live picture")
    if not web.WebSocketResponse().can_prepare(request):
        raise ProblemError(426, "no-websocket", "this is a WebSocket", headers={"Upgrade": "websocket"})
    return await request.app[HUB].serve(request)


ROUTES = (Route(LIVE_PATH, _live, "the live picture, docs/live_wire.md", "live", is_described=False),)
