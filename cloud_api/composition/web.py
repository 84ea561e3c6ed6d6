"""The HTTP side of a process: the API with its pages, or the probes alone."""

import asyncio

import structlog
from aiohttp import web

from cloud_api.composition.parts import HTTP_TIMEOUT_S, Parts, end
from cloud_api.composition.track import Watch
from cloud_api.history.ports import HistoryReader
from cloud_api.live.hub import LiveHub
from cloud_api.live.metrics import HubMetrics
from cloud_api.site.service import load_chart
from cloud_api.web.parts import WebParts
from cloud_api.web.probes import build_probes
from cloud_api.web.server import build_application, listen

_log = structlog.get_logger(__name__)


async def add_api(parts: Parts, watch: Watch, history: HistoryReader) -> None:
    """Add the api role: the HTTP server over the live picture and the history.

    Args:
        parts: of this process.
        watch: what it sees.
        history: answers.

    Raises:
        ConfigError: the chart cannot be used.
        LinkError: its address cannot be listened on.
    """
    settings = parts.settings
    hub = LiveHub(watch.picture, HubMetrics(parts.registry))
    web_parts = WebParts(
        picture=watch.picture,
        hub=hub,
        history=history,
        accounting=watch.accounting,
        chart=await asyncio.to_thread(load_chart, settings.site.chart),
        checks=parts.checks,
        control_room_dir=settings.control_room.dir,
        allowed_origins=frozenset(settings.http.allowed_origins),
        registry=parts.registry,
        picture_word=parts.picture_word,
    )
    await _serve(parts, "http", build_application(web_parts), settings.http.host, settings.http.port)
    parts.eternal.append(("live", hub.run))


async def add_probes(parts: Parts) -> None:
    """Add what supervisors and Prometheus ask of a process without the api role.

    Raises:
        LinkError: its address cannot be listened on.
    """
    probes = parts.settings.probes
    application = build_probes(parts.checks, parts.registry, parts.picture_word)
    await _serve(parts, "probes", application, probes.host, probes.port)


async def _serve(parts: Parts, section: str, application: web.Application, host: str, port: int) -> None:
    runner, port = await listen(application, host, port, section)
    parts.closing.push_async_callback(runner.cleanup)
    _log.info(f"{section}_listening", url=f"http://{host}:{port}")

    async def finish() -> None:
        await end(section, runner.cleanup, HTTP_TIMEOUT_S)

    parts.ending.append(finish)
