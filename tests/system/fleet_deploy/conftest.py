"""One broker for the tests that do not break it, and a cloud client that keeps what it hears."""

from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from nats.aio.msg import Msg

from tests.support.broker import RunningBroker, running_broker
from tests.support.nats_client import Cloud, tls_context


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("port")) as running:
        yield running


@pytest.fixture
async def cloud(broker: RunningBroker) -> AsyncIterator[Cloud]:
    errors: list[str] = []

    async def keep_error(error: Exception) -> None:
        errors.append(str(error))

    client = await nats.connect(
        broker.url, tls=tls_context(broker.cloud()), error_cb=keep_error, connect_timeout=5, max_reconnect_attempts=10
    )
    heard = Cloud(client, errors=errors)

    async def keep(message: Msg) -> None:
        heard.heard.append((message.subject, message.data))

    await client.subscribe("porttrack.v1.*.*.up.>", queue="store", cb=keep)
    await client.flush(timeout=5)
    yield heard
    await client.close()
