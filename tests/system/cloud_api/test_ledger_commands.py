"""The ledger check and the write-off where the history is an InfluxDB: they ask the operations database alone."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.models import ReceivedBatch
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.migrating import migrate
from contracts.batch import Batch
from tests.support.batches import START_NS, STREAM, batch, gap
from tests.support.processes import ROOT
from tests.support.sink_simulator import QuarantineSimulator, SinkSimulator

pytestmark = pytest.mark.system


class Cloud:
    """Settings of a cloud whose history server is down, and its operations database."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "cloud.toml"
        self.url = f"sqlite+aiosqlite:///{folder}/operations.sqlite"
        self.config.write_text(
            '[bus]\nservers = ["tls://127.0.0.1:4222"]\ncertificate = "c.pem"\nprivate_key = "k.pem"\ntrust = "t.pem"\n'
            '[history]\nkind = "influxdb"\nversion = "1"\nurl = "http://127.0.0.1:9"\n'
            f'[operations]\nurl = "{self.url}"\n[site]\nchart = "chart.geojson"\n'
        )

    def store(self, *batches: Batch) -> None:
        async def commit() -> None:
            database = OperationsDatabase(self.url)
            await migrate(database)
            metrics = LedgeredMetrics(CollectorRegistry())
            writer = LedgeredWriter(SinkSimulator(), SqlStreamLedger(database), QuarantineSimulator(), metrics)
            await writer.commit([ReceivedBatch(item, START_NS) for item in batches])
            await database.close()

        asyncio.run(commit())

    def change(self, statement: str) -> None:
        engine = sa.create_engine(self.url.replace("+aiosqlite", ""))
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cloud_api", *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


def test_a_whole_ledger_balances_and_a_hole_is_named(cloud: Cloud) -> None:
    cloud.store(batch(1, 50), batch(51, 60, records=[gap(51, 60)]))
    done = cloud.command("accounting")
    assert (done.returncode, done.stdout) == (0, f"{STREAM}: whole: received 50 + gaps 10 of 1..60\n"), done.stderr
    cloud.store(batch(71, 80))
    done = cloud.command("accounting", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["holes"] == [{"first_seq": 61, "last_seq": 70}]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE ledger_streams SET received = 49", "running sum of received records says 49, the ranges 50"),
        ("UPDATE ledger_declared SET numbers = 9", "running balance declares 9 numbers lost, the tables 10"),
        ("UPDATE ledger_gaps SET last_seq = 61", "running balance covers 60 numbers, the tables 61"),
        ("INSERT INTO ledger_covered VALUES (1, 40, 55)", "accounted ranges overlap or touch"),
    ],
)
def test_tables_that_do_not_agree_are_told(cloud: Cloud, statement: str, words: str) -> None:
    cloud.store(batch(1, 50), batch(51, 60, records=[gap(51, 60)]))
    cloud.change(statement)
    done = cloud.command("accounting")
    assert done.returncode == 1
    assert words in done.stdout


def test_what_nobody_will_bring_is_written_off_and_data_still_win(cloud: Cloud) -> None:
    cloud.store(batch(1, 50), batch(61, 70))
    done = cloud.command("write-off", STREAM, "41", "60")
    assert (done.returncode, "is written off" in done.stdout) == (0, True), done.stderr
    assert "received 60 + gaps 10 of 1..70" in cloud.command("accounting").stdout
    assert "nothing to write off" in cloud.command("write-off", STREAM, "41", "60").stdout
    cloud.store(batch(51, 60))
    assert cloud.command("accounting").stdout == f"{STREAM}: whole: received 70 + gaps 0 of 1..70\n"
