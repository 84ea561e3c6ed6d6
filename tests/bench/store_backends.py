"""The stores that a worker is measured on, each a real server of the benchmark's own, with its bare limit."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud_api.history.influx.schema import PLACED
from tests.bench import store_limits
from tests.support.influx_server import running_influx, running_victoria
from tests.support.postgres_server import PostgresServer, running_postgres
from tests.support.processes import ROOT

DATABASE = "porttrack"
MIGRATE_TIMEOUT_S = 60


@dataclass(frozen=True)
class Backend:
    """Stores that run.

    Attributes:
        name: which.
        version: what answers.
        config: settings of a worker on them.
        limits: by what it is, a function of a number of records that returns records a second; the first is the one
            that the aim speaks of.
        is_shared: more than one worker may use it.
    """

    name: str
    version: str
    config: Path
    limits: dict[str, Callable[[int], float]]
    is_shared: bool


@contextmanager
def sqlite(folder: Path) -> Iterator[Backend]:
    """One SQLite file for the history, one for operations."""
    import sqlite3  # noqa: PLC0415 - for its version only

    history = folder / "history.sqlite"
    config = _config(
        folder, f'[history]\npath = "{history}"', f'url = "sqlite+aiosqlite:///{folder}/operations.sqlite"'
    )
    limits = {"limit": lambda records: store_limits.of_sqlite(history, records)}
    yield Backend("sqlite", f"SQLite {sqlite3.sqlite_version}", config, limits, is_shared=False)


@contextmanager
def influx(folder: Path) -> Iterator[Backend]:
    """InfluxDB 1.x and PostgreSQL."""
    with running_influx(folder / "influx") as server, running_postgres() as postgres:
        history = f'[history]\nkind = "influxdb"\nversion = "1"\nurl = "{server.url}"\ndatabase = "{DATABASE}"'
        config = _config(folder, history, _postgres(postgres))

        def points(records: int) -> float:
            server.query('CREATE DATABASE "bare"')
            bodies = store_limits.lines_of(records, is_numbers_only=False)
            return store_limits.of_history_server(server.port, "/write?db=bare&precision=ns", bodies, records)

        def both(records: int) -> float:
            return store_limits.with_ledger(points(records), postgres, "postgres", records)

        version = f"{server.version()}, PostgreSQL {postgres.version}"
        yield Backend("influxdb_postgresql", version, config, {"limit": both, "points_limit": points}, is_shared=True)


@contextmanager
def victoria(folder: Path) -> Iterator[Backend]:
    """VictoriaMetrics and PostgreSQL."""
    with running_victoria(folder / "victoria") as server, running_postgres() as postgres:
        history = f'[history]\nkind = "influxdb"\nversion = "victoria-metrics"\nurl = "{server.url}"'
        config = _config(folder, history, _postgres(postgres))

        def points(records: int) -> float:
            bodies = store_limits.lines_of(records, is_numbers_only=True)
            path = f"/api/v2/write?db=bare&bucket={PLACED}&precision=ns"
            return store_limits.of_history_server(server.port, path, bodies, records)

        def both(records: int) -> float:
            return store_limits.with_ledger(points(records), postgres, "postgres", records)

        version = f"{server.version()}, PostgreSQL {postgres.version}"
        yield Backend("victoria_postgresql", version, config, {"limit": both, "points_limit": points}, is_shared=True)


BACKENDS = (sqlite, influx, victoria)


def _postgres(server: PostgresServer) -> str:
    return f'url = "{server.database()}"\npassword_file = "{server.password_file}"\ntrust = "{server.trust}"'


def _config(folder: Path, history: str, operations: str) -> Path:
    """Write a worker's settings and bring its operations database to the newest schema."""
    config = folder / "worker.toml"
    chart = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"
    # the bus of the benchmark has no broker; these are never read
    bus = 'servers = ["tls://127.0.0.1:1"]\ncertificate = "none.pem"\nprivate_key = "none.pem"\ntrust = "none.pem"'
    config.write_text(f'[bus]\n{bus}\n{history}\n[operations]\n{operations}\n[site]\nchart = "{chart}"\n')
    command = [sys.executable, "-m", "cloud_api", "migrate", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MIGRATE_TIMEOUT_S, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return config
