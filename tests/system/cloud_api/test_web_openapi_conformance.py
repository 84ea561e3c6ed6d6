"""The server keeps to its own OpenAPI description, whatever a client sends: schemathesis asks, bounded."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cloud_api.history.models import TrackPoint
from cloud_api.web import probes
from cloud_api.web.openapi import describe
from cloud_api.web.server import API_ROUTES
from tests.support.cloud_observations import position, static, status, wind
from tests.support.web_server import running_server

pytestmark = pytest.mark.system

SCHEMA = schemathesis.openapi.from_dict(describe((*API_ROUTES, *probes.ROUTES)))
OPERATIONS = {path: SCHEMA[path]["GET"] for path in describe((*API_ROUTES, *probes.ROUTES))["paths"]}


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve in a thread of its own: schemathesis asks synchronously."""
    started = threading.Event()
    found: list[str] = []
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        # compression works in the loop's threads: start them before a test counts threads
        loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
        await asyncio.to_thread(time.monotonic)
        async with running_server(tmp_path_factory.mktemp("web")) as server:
            server.feed(position(), static(), wind())
            server.track.on_status(status(at_ns=time.time_ns()), time.time_ns())
            server.history.points[1] = [TrackPoint(time.time_ns(), -0.3, 39.4, None, None, None)]
            stop = asyncio.Event()
            stops.append((loop, stop))
            found.append(server.url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="web-under-test")
    thread.start()
    assert started.wait(10)
    yield found[0]
    loop, stop = stops[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", OPERATIONS)
def test_answers_conform_to_the_description(server_url: str, path: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[path]
    if mode.is_negative and not any(operation.iter_parameters()):
        mode = GenerationMode.POSITIVE

    @given(st.data())
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # rules between parameters (south below north, from before to) are beyond what a schema can say
        case.call_and_validate(base_url=server_url, excluded_checks=[positive_data_acceptance])

    ask()
