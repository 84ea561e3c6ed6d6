"""A broker with mutual TLS, the cloud's end of the wire, and gateways that are always cleaned up."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certs import TestAuthority
from tests.support.cloud_end import CloudEnd
from tests.support.gateway_process import GatewayProcess, write_profiles
from tests.support.mqtt_broker import BINARY, TestBroker


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="gw-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def authority(folder: Path) -> TestAuthority:
    return TestAuthority(folder / "ca")


@pytest.fixture
def broker(folder: Path, authority: TestAuthority) -> Iterator[TestBroker]:
    assert BINARY.exists(), f"{BINARY} is not there: it comes with locks/dev.txt"
    server = TestBroker(folder / "broker", authority)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def cloud(broker: TestBroker) -> AsyncIterator[CloudEnd]:
    end = CloudEnd()
    await end.connect(broker.port)
    yield end
    await end.close()


Maker = Callable[..., GatewayProcess]


@pytest.fixture
def make_gateway(folder: Path, authority: TestAuthority) -> Iterator[Maker]:
    """Make (not start) a gateway with the given sources, brokers and settings."""
    made: list[GatewayProcess] = []

    def make(sources: list[dict[str, Any]], ports: list[int], **settings: Any) -> GatewayProcess:
        profiles = write_profiles(folder / f"profiles{len(made)}", sources)
        gateway = GatewayProcess(folder / f"g{len(made)}", profiles, authority, ports, **settings)
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        gateway.clean_up()
