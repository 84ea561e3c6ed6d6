"""Real servers that many tests share: one a test run, with a database of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.prerequisites import POSTGRES


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody stops: what kills or freezes one runs its own (``running_postgres``)."""
    if not POSTGRES.exists():
        pytest.skip("Debian package postgresql-15 is not installed")
    with running_postgres() as server:
        yield server
