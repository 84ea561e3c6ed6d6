"""Real servers that many tests share: one a test run, with a database of its own for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.prerequisites import POSTGRES

ANSWERED: pytest.StashKey[set[str]] = pytest.StashKey()
"""Versions of the servers that answered, for the summary."""


def note_server(config: pytest.Config, version: str) -> None:
    """Have a server's name and version printed at the end of the run."""
    config.stash.setdefault(ANSWERED, set()).add(version)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print which servers answered."""
    versions: set[str] = config.stash.setdefault(ANSWERED, set())
    for version in sorted(versions):
        terminalreporter.write_line(f"answered: {version}")


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody stops: what kills or freezes one runs its own (``running_postgres``)."""
    if not POSTGRES.exists():
        pytest.skip("Debian package postgresql-15 is not installed")
    with running_postgres() as server:
        note_server(pytestconfig, f"PostgreSQL {server.version}")
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_operations(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OperationsDatabase]:
    """An operations database without a schema, on each backend."""
    if request.param == "sqlite":
        database = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/operations.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = OperationsDatabase(server.database(), server.access())
    yield database
    await database.close()


@pytest.fixture
async def operations(empty_operations: OperationsDatabase) -> OperationsDatabase:
    """An operations database at the newest revision, on each backend."""
    await migrate(empty_operations)
    return empty_operations
