"""Builds the web application from its parts, and listens."""

from collections.abc import AsyncIterator, Callable

import msgspec
from aiohttp import web

from cloud_api.accounting import routes as accounting
from cloud_api.archive import routes as archive
from cloud_api.archive.service import ArchiveService
from cloud_api.fleet import routes as fleet
from cloud_api.live import routes as live
from cloud_api.live.metrics import PictureCollector
from cloud_api.sensors import routes as sensors
from cloud_api.site import routes as site
from cloud_api.vessels import routes as vessels
from cloud_api.vessels.service import VesselService
from cloud_api.web import control_room, probes
from cloud_api.web.middleware import HttpMetrics, add_security_headers, answer_problems, compress, measuring
from cloud_api.web.openapi import describe
from cloud_api.web.parts import WebParts
from cloud_api.web.routing import Route, add_routes
from contracts.errors import LinkError

MAX_BODY_BYTES = 64 * 1024
"""No route takes a body yet; what a client sends is refused above this."""
MAX_REQUEST_LINE_BYTES = 32 * 1024
"""Longest path and query that is read: every parameter at its own limit, each letter escaped. What is longer is refused
before there is a route that could say why."""
KEEPALIVE_S = 75.0
"""Idle connections: longer than a proxy's reuse, shorter than a forgotten browser's."""
SHUTDOWN_TIMEOUT_S = 3.0
"""For answers under way when the server ends; a supervisor waits 8 s before it kills."""

API_ROUTES: tuple[Route, ...] = (
    *site.ROUTES, *vessels.ROUTES, *sensors.ROUTES, *fleet.ROUTES, *accounting.ROUTES, *archive.ROUTES,
)  # fmt: skip
OPENAPI_PATH = "/api/v1/openapi.json"


def build_application(parts: WebParts) -> web.Application:
    """Build the application; it serves once a runner has set it up.

    Args:
        parts: what it serves from.
    """
    application = web.Application(
        middlewares=[measuring(HttpMetrics(parts.registry)), compress, answer_problems],
        client_max_size=MAX_BODY_BYTES,
    )
    application[live.PICTURE] = parts.picture
    application[live.HUB] = parts.hub
    application[live.ALLOWED_ORIGINS] = parts.allowed_origins
    application[site.CHART] = parts.chart
    application[vessels.VESSELS] = VesselService(parts.picture, parts.history, parts.utc_ns)
    application[archive.ARCHIVE] = ArchiveService(parts.history, parts.utc_ns)
    application[accounting.STANDINGS] = parts.accounting
    application[probes.CHECKS] = parts.checks
    application[probes.PICTURE_WORD] = parts.picture_word
    application[probes.REGISTRY] = parts.registry
    if parts.control_room_dir is not None:
        application[control_room.CONTROL_ROOM_DIR] = parts.control_room_dir
    routes = (*API_ROUTES, *probes.ROUTES)
    add_routes(application, (*routes, _openapi_route(routes), *live.ROUTES, *control_room.ROUTES))
    application.on_response_prepare.append(add_security_headers)
    application.cleanup_ctx.append(_collecting(parts))
    application.on_shutdown.append(_close_clients)
    return application


async def listen(
    application: web.Application, host: str, port: int, section: str = "http"
) -> tuple[web.AppRunner, int]:
    """Start to serve.

    Args:
        application: from ``build_application``.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        section: of the settings that name the address, for the hint of an error.

    Returns:
        The runner, whose ``cleanup`` ends the server and closes live clients with 1012, and the port.

    Raises:
        LinkError: the address cannot be listened on (reason ``cannot_listen``).
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        max_line_size=MAX_REQUEST_LINE_BYTES,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as exc:
        await runner.cleanup()
        cause = exc.strerror or str(exc)
        raise LinkError("listen", f"{host}:{port}", cause, f"choose another {section}.port", "cannot_listen") from exc
    return runner, int(runner.addresses[0][1])


def _openapi_route(routes: tuple[Route, ...]) -> Route:
    body = msgspec.json.encode(describe(routes))

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return Route(OPENAPI_PATH, openapi, "this description", "description", is_described=False)


def _collecting(parts: WebParts) -> Callable[[web.Application], AsyncIterator[None]]:
    async def collect(_application: web.Application) -> AsyncIterator[None]:
        collector = PictureCollector(parts.picture)
        parts.registry.register(collector)
        yield
        parts.registry.unregister(collector)

    return collect


async def _close_clients(application: web.Application) -> None:
    await application[live.HUB].close()
