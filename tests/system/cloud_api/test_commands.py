"""The commands as operators run them: answers, exit codes, one line and a hint for what can be expected."""

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_api.history.models import ReceivedBatch
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.operations.migrating import revisions
from contracts.batch import Batch
from tests.support.batches import START_NS, STREAM, batch, gap
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import RunningCloud
from tests.support.processes import ROOT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path, broker: RunningBroker) -> RunningCloud:
    """Settings and an empty folder; nothing runs."""
    return RunningCloud(tmp_path / "cloud", broker, "store")


def store(cloud: RunningCloud, *batches: Batch) -> None:
    async def commit() -> None:
        writer = SqliteHistoryWriter(cloud.folder / "history.sqlite")
        await writer.commit([ReceivedBatch(item, START_NS) for item in batches])
        await writer.close()

    asyncio.run(commit())


def change(cloud: RunningCloud, statement: str) -> None:
    connection = sqlite3.connect(cloud.folder / "history.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_check_of_good_settings_says_so(cloud: RunningCloud) -> None:
    done = cloud.command("check-config")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{cloud.config}: good")


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("[http]", "[htp]", "htp: unknown key; allowed:"),
        ("chart.geojson", "none.geojson", "site.chart"),
        ("trust =", 'trust = "none.pem"\n#', "bus.trust"),
        ("127.0.0.1", "127.0.0.1\n", "not TOML"),
    ],
)
def test_wrong_settings_exit_with_2_and_one_line(cloud: RunningCloud, before: str, after: str, word: str) -> None:
    cloud.config.write_text(cloud.config.read_text().replace(before, after, 1))
    done = cloud.command("check-config")
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_whole_history_balances(cloud: RunningCloud) -> None:
    store(cloud, batch(1, 50), batch(51, 60, records=[gap(51, 60)]))
    done = cloud.command("accounting")
    assert done.returncode == 0
    assert done.stdout == f"{STREAM}: whole: received 50 + gaps 10 of 1..60\n"


def test_a_hole_is_named_and_exits_with_1(cloud: RunningCloud) -> None:
    store(cloud, batch(1, 50), batch(61, 70))
    change(cloud, "DELETE FROM points WHERE seq IN (7, 8, 20)")
    done = cloud.command("accounting")
    assert done.returncode == 1
    assert "NOT WHOLE" in done.stdout
    assert "missing 7..8, 20..20, 51..60" in done.stdout
    assert "acknowledged, absent 7..8, 20..20" in done.stdout
    (account,) = cloud.accounting()
    assert account["holes"][0] == {"first_seq": 7, "last_seq": 8}
    assert account["is_whole"] is False


def test_what_nobody_will_bring_is_written_off_and_data_still_win(cloud: RunningCloud) -> None:
    store(cloud, batch(1, 50), batch(61, 70))
    done = cloud.command("write-off", STREAM, "41", "60")
    assert (done.returncode, "is written off" in done.stdout) == (0, True), done.stderr
    (account,) = cloud.accounting()
    assert (account["received"], account["declared_gap"], account["is_whole"]) == (60, 10, True)
    assert "nothing to write off" in cloud.command("write-off", STREAM, "41", "60").stdout
    store(cloud, batch(51, 60))
    (account,) = cloud.accounting()
    assert (account["received"], account["declared_gap"], account["is_whole"]) == (70, 0, True)
    wrong = cloud.command("write-off", "no stream", "9", "8")
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (2, False)


def test_an_empty_history_balances_and_a_missing_one_is_an_error(cloud: RunningCloud) -> None:
    missing = cloud.command("accounting")
    assert (missing.returncode, "no such file" in missing.stderr) == (2, True)
    store(cloud)
    assert cloud.command("accounting").returncode == 0


def test_a_damaged_history_exits_with_3(cloud: RunningCloud) -> None:
    (cloud.folder / "history.sqlite").write_bytes(b"\x00damaged" * 4096)
    for command in ("serve", "accounting", "history"):
        done = cloud.command(command)
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr


def test_history_ends_quietly_when_its_reader_has_seen_enough(cloud: RunningCloud) -> None:
    store(cloud, *(batch(number * 500 + 1, number * 500 + 500) for number in range(10)))
    command = [sys.executable, "-m", "cloud_api", "history", "--json", "--config", str(cloud.config)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "ais"
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_migrate_goes_up_and_down_and_says_so(cloud: RunningCloud) -> None:
    newest = revisions()[-1]
    assert cloud.command("migrate").stdout == f"operations database: empty -> {newest}\n"
    assert cloud.command("migrate", "--to", "0001").stdout == f"operations database: {newest} -> 0001\n"
    unknown = cloud.command("migrate", "--to", "0815")
    assert (unknown.returncode, "allowed: base" in unknown.stderr) == (2, True)


def test_a_port_in_use_is_one_line(cloud: RunningCloud) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cloud.config.write_text(cloud.config.read_text().replace("port = 0", f"port = {port}", 1))
        done = cloud.command("serve", "--roles", "api,store")
    assert done.returncode == 1
    assert "choose another http.port" in done.stderr.splitlines()[-1]


def test_an_unknown_role_exits_with_2(cloud: RunningCloud) -> None:
    done = cloud.command("serve", "--roles", "stor")
    assert (done.returncode, "allowed: api, store, track" in done.stderr) == (2, True)
