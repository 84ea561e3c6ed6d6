"""Probes for supervisors and Prometheus: alive, ready, figures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from cloud_api.web.routing import Route, add_routes, json_response
from contracts.errors import PortTrackError

CHECK_TIMEOUT_S = 2.0
"""A part that needs longer to answer a trivial question is not ready to serve."""

Check = Callable[[], Awaitable[None]]
"""Returns where the part is well; raises ``PortTrackError`` where it is not."""

CHECKS: web.AppKey[Mapping[str, Check]] = web.AppKey("checks", Mapping)
PictureWord = Callable[[], str | None]
"""Says how the live picture stands (``tracking.warming.PictureState``); None: it is not filled from a history."""

PICTURE_WORD: web.AppKey[PictureWord] = web.AppKey("picture_word")
REGISTRY: web.AppKey[CollectorRegistry] = web.AppKey("registry", CollectorRegistry)


PICTURE_WORDS = "warming, retrying or warm: whether the live picture is filled from the history; null: it never is"


class Health(BaseModel):
    """The process runs."""

    status: str
    picture: str | None = Field(description=PICTURE_WORDS)


class Readiness(BaseModel):
    """Whether requests can be served, and by part."""

    is_ready: bool
    checks: dict[str, str] = Field(description="part: ok, or a word of why it is not")
    picture: str | None = Field(description=PICTURE_WORDS)


async def _healthz(request: web.Request) -> web.Response:
    return json_response(Health(status="ok", picture=request.app[PICTURE_WORD]()))


async def _readyz(request: web.Request) -> web.Response:
    checks = request.app[CHECKS]
    words = await asyncio.gather(*(_word(check) for check in checks.values()))
    result = dict(zip(checks, words, strict=True))
    is_ready = all(word == "ok" for word in words)
    # a picture that is still being filled serves: it says so in each frame
    answer = Readiness(is_ready=is_ready, checks=result, picture=request.app[PICTURE_WORD]())
    return json_response(answer, 200 if is_ready else 503)


async def _word(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except TimeoutError:
        return "timeout"
    except PortTrackError as error:
        # the reason is a word of a closed set; the rest of the error may name paths and hosts
        return error.reason
    return "ok"


async def _metrics(request: web.Request) -> web.Response:
    body = generate_latest(request.app[REGISTRY])
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


ROUTES = (
    Route("/healthz", _healthz, "200 while the process runs", "probes", response=Health),
    Route("/readyz", _readyz, "200 when every part answers, else 503", "probes", response=Readiness, problems=(503,)),
    Route("/metrics", _metrics, "figures for Prometheus", "probes", content_type="text/plain", is_described=False),
)


def no_picture() -> None:
    """Say that no picture is filled from a history."""


def build_probes(
    checks: Mapping[str, Check], registry: CollectorRegistry, picture_word: PictureWord = no_picture
) -> web.Application:
    """Build an application of nothing but the probes, for processes that serve no API.

    Args:
        checks: what /readyz asks, by name of the part.
        registry: where figures are read from.
        picture_word: how the live picture stands.
    """
    application = web.Application(client_max_size=0)
    application[PICTURE_WORD] = picture_word
    application[CHECKS] = checks
    application[REGISTRY] = registry
    add_routes(application, ROUTES)
    return application
