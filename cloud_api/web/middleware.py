"""What every request passes through: figures, a time limit, problems instead of errors, compression, headers."""

import asyncio
import secrets
import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from cloud_api.web.problems import ProblemError, problem_response
from cloud_api.web.routing import Handler
from contracts.errors import LinkError

REQUEST_TIMEOUT_S = 30.0
"""Longest answer; a day's track of one vessel takes well under a second. WebSockets are not limited by it."""
MIN_COMPRESSED_BYTES = 1024
"""Below one network packet compression saves nothing."""
COMPRESSED_TYPES = frozenset({
    "application/json", "application/problem+json", "application/geo+json", "application/manifest+json",
    "text/html", "text/css", "text/csv", "text/javascript", "text/plain", "image/svg+xml",
})  # fmt: skip
LIVE_PATH = "/ws/live"

SECURITY_HEADERS = {
    # OpenLayers and uPlot set styles through the CSSOM and Lit through adoptedStyleSheets: no inline style is needed
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_log = structlog.get_logger(__name__)


class HttpMetrics:
    """Figures of the HTTP server, registered once in ``registry``; ``route`` is the template, never the URL."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "http_requests_total", "Requests answered", ["route", "method", "code"], registry=registry
        )
        self.duration = Histogram("http_request_duration_seconds", "Time to answer", ["route"], registry=registry)


def measuring(metrics: HttpMetrics) -> Middleware:
    """Return the middleware that counts and times; live connections are counted when they end, and not timed."""

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.monotonic()
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unmatched"
        method = request.method if request.method in ("GET", "HEAD") else "other"
        response = await handler(request)
        metrics.requests.labels(route, method, str(response.status)).inc()
        if request.path != LIVE_PATH:
            metrics.duration.labels(route).observe(time.monotonic() - started_s)
        return response

    return measure


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem; what nobody expected is logged under an id, and only the id is told."""
    try:
        if request.path == LIVE_PATH:
            return await handler(request)
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            return await handler(request)
    except ProblemError as error:
        return problem_response(error)
    except web.HTTPException as error:
        return problem_response(_from_http(error))
    except (LinkError, TimeoutError) as error:
        incident = _log_incident("http_store_unavailable", request, error)
        detail = f"a store did not answer (incident {incident})"
        hint = "try again; /readyz says which store it is"
        return problem_response(ProblemError(503, "store-unavailable", detail, hint=hint, headers={"Retry-After": "5"}))
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug in one answer must not end the others
        incident = _log_incident("http_request_failed", request, error)
        return problem_response(ProblemError(500, "internal", f"an error of this server (incident {incident})"))


@web.middleware
async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compress what is worth it, where the client takes it; large bodies are compressed in a thread by aiohttp."""
    response = await handler(request)
    if isinstance(response, web.Response) and response.content_type in COMPRESSED_TYPES and not response.prepared:
        varies = response.headers.get("Vary")
        response.headers["Vary"] = f"{varies}, Accept-Encoding" if varies else "Accept-Encoding"
        if (response.content_length or 0) >= MIN_COMPRESSED_BYTES and "gzip" in request.headers.get(
            "Accept-Encoding", ""
        ):
            response.enable_compression(web.ContentCoding.gzip)
    return response


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer carries (signal ``on_response_prepare``)."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


def _from_http(error: web.HTTPException) -> ProblemError:
    # aiohttp's own texts ("405: Method Not Allowed") say no more than the title
    detail = error.text if error.text and not error.text.startswith(str(error.status)) else error.reason
    kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
    return ProblemError(error.status, "", detail, headers=kept)


def _log_incident(event: str, request: web.Request, error: BaseException) -> str:
    incident = secrets.token_hex(6)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unmatched"
    _log.error(event, incident=incident, route=route, error=str(error), exc_info=error)
    return incident
