"""The operator's side of a PostgreSQL: migrate, serve, back up, restore, with the real program and PostgreSQL's own."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloud_api.__main__ import main
from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate, revisions
from cloud_api.operations.preparing import Standing, prepare
from tests.support.certs import TestAuthority
from tests.support.postgres_server import BINARIES, PostgresServer
from tests.support.processes import ROOT, Process, ending, free_port, wait_until
from tests.support.statuses import status

pytestmark = pytest.mark.system

HEAD = revisions()[-1]


class Cloud:
    """Settings of a store role on a PostgreSQL; its broker is away, which is no reason not to start."""

    def __init__(self, folder: Path, server: PostgresServer, url: str) -> None:
        authority = TestAuthority(folder / "authority")
        pair = authority.issue("cloud")
        chart = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"
        self.config = folder / "cloud.toml"
        self.config.write_text(f"""
[bus]
servers = ["tls://127.0.0.1:{free_port()}"]
certificate = "{pair.certificate}"
private_key = "{pair.key}"
trust = "{authority.trust}"
[history]
path = "history.sqlite"
[operations]
url = "{url}"
password_file = "{server.password_file}"
trust = "{server.trust}"
[site]
chart = "{chart}"
""")
        self.process = Process(
            "cloud", ["cloud_api", "serve", "--roles", "store", "--config", str(self.config)], folder / "cloud.log"
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cloud_api", *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def events(self, name: str) -> list[dict[str, object]]:
        lines = self.process.log.read_text().splitlines() if self.process.log.exists() else []
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if event["event"] == name]


@pytest.fixture
def cloud(tmp_path: Path, postgres: PostgresServer) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, postgres, postgres.database())
    with ending([cloud.process]):
        yield cloud


def test_serve_refuses_until_somebody_has_migrated(cloud: Cloud) -> None:
    refused = cloud.run("serve", "--roles", "store")
    assert refused.returncode == 2
    assert "its schema is empty" in refused.stderr
    assert "python -m cloud_api migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    done = cloud.run("migrate")
    assert (done.returncode, done.stdout) == (0, f"operations database: empty -> {HEAD}\n"), done.stderr
    cloud.process.start()
    wait_until(lambda: cloud.events("cloud_started"), 30, f"the cloud serves: {cloud.process.tail()}")
    assert cloud.events("operations_schema")[0]["standing"] == "current"
    assert cloud.process.stop() == 0


def test_the_process_of_the_release_before_starts_in_the_middle_of_an_update(
    cloud: Cloud, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["migrate", "--config", str(cloud.config)], capsys) == (0, "")
    name = cloud.config.read_text().partition(f"{postgres.port}/")[2].partition('"')[0]
    postgres.psql("ALTER TABLE vessels ADD COLUMN flag VARCHAR(2); UPDATE alembic_version SET version_num='9999'", name)
    cloud.process.start()
    wait_until(lambda: cloud.events("cloud_started"), 30, f"the cloud serves: {cloud.process.tail()}")
    assert cloud.events("operations_schema_newer")[0]["revision"] == "9999"
    assert cloud.process.stop() == 0
    code, error = run_here(["migrate", "--config", str(cloud.config)], capsys)
    assert code == 2
    assert "9999 is not known" in error


def run_here(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Run a command in this process; its exit code, and what it says to whoever is to correct something."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code, capsys.readouterr().err


def test_wrong_settings_are_one_line_and_name_the_key(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    good = cloud.config.read_text()
    command = ["check-config", "--config", str(cloud.config)]
    assert run_here(command, capsys) == (0, "")
    head, mark, operations = good.partition("[operations]")
    for before, after, words in (
        ("\ntrust", "\n#trust", "operations.trust"),
        ("password_file", "#password_file", "operations.password_file"),
        ("porttrack@", "porttrack:pw@", "password"),
    ):
        cloud.config.write_text(f"{head}{mark}{operations.replace(before, after)}")
        code, error = run_here(command, capsys)
        assert code == 2
        assert words in error


async def keep_writing(database: OperationsDatabase) -> None:
    store, number = SqlGatewayStore(database), 10
    while True:
        number += 1
        await store.save([GatewayEntry(status("gw-busy"), 1, number, None)])


async def test_a_dump_of_a_running_server_is_restored_and_served(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.database()
    database = OperationsDatabase(url, postgres.access())
    await migrate(database)
    entry = GatewayEntry(status(), 1, 2, 3.5)
    await SqlGatewayStore(database).save([entry])
    writing = asyncio.create_task(keep_writing(database))
    dump = tmp_path / "operations.dump"
    name = str(sa.make_url(url).database)
    await asyncio.to_thread(postgres.run, [str(BINARIES / "pg_dump"), *postgres.target(name), "-Fc", "-f", str(dump)])
    writing.cancel()
    await asyncio.wait([writing])
    await database.close()
    restored_url = postgres.database()
    target = postgres.target(str(sa.make_url(restored_url).database))
    postgres.run([str(BINARIES / "pg_restore"), *target, "--exit-on-error", "--no-owner", str(dump)])
    restored = OperationsDatabase(restored_url, postgres.access())
    assert await prepare(restored) == (Standing.CURRENT, HEAD)
    assert entry in await SqlGatewayStore(restored).load()
    await restored.close()


async def test_a_copy_of_a_running_file_is_restored_and_served(tmp_path: Path) -> None:
    database = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/operations.sqlite")
    await migrate(database)
    entry = GatewayEntry(status(), 1, 2, 3.5)
    await SqlGatewayStore(database).save([entry])
    writing = asyncio.create_task(keep_writing(database))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(vacuum_into, tmp_path / "operations.sqlite", tmp_path / "backup.sqlite")
    writing.cancel()
    await asyncio.wait([writing])
    await database.close()
    restored = OperationsDatabase(f"sqlite+aiosqlite:///{tmp_path}/backup.sqlite")
    assert await prepare(restored) == (Standing.CURRENT, HEAD)
    assert entry in await SqlGatewayStore(restored).load()
    await restored.close()


def vacuum_into(file: Path, copy: Path) -> None:
    with sqlite3.connect(file, timeout=10) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    connection.close()
