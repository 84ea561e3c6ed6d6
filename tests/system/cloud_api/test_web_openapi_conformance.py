"""The server keeps to its own OpenAPI description, whatever a client sends: schemathesis asks, bounded."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cloud_api.history.models import TrackPoint
from tests.support.cloud_observations import position, static, status, wind
from tests.support.web_server import running_server

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve in a thread of its own: schemathesis asks synchronously."""
    started = threading.Event()
    found: list[str] = []
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with running_server(tmp_path_factory.mktemp("web")) as server:
            server.feed(position(), static(), wind())
            server.track.on_status(status(at_ns=time.time_ns()), time.time_ns())
            server.history.points[1] = [TrackPoint(time.time_ns(), -0.3, 39.4, None, None, None)]
            stop = asyncio.Event()
            stops.append((asyncio.get_running_loop(), stop))
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


@pytest.fixture
def api(server_url: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{server_url}/api/v1/openapi.json")


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_conform_to_the_description(case: schemathesis.Case) -> None:
    # rules between parameters (south below north, from before to) are beyond what a schema can say
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def test_the_description_is_found_whole(api: schemathesis.BaseSchema) -> None:
    assert len(list(api.get_all_operations())) == 8
