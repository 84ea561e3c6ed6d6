"""The gateway as a process over databases of other versions of the program."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.__main__ import EXIT_NEWER_DATA
from gateway.outbox.database import APPLICATION
from tests.support.cloud_end import CloudEnd
from tests.support.gateway_process import ROOT, replay_source
from tests.support.mqtt_broker import TestBroker, free_port
from tests.system.gateway.conftest import Maker

pytestmark = pytest.mark.system

VERSION_1 = Path(__file__).parents[2] / "gateway" / "outbox" / "old_databases" / "version_1.db"
FEED = "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"


def test_a_database_of_a_newer_program_is_said_and_kept(make_gateway: Maker, folder: Path) -> None:
    feed = folder / "feed.nmea"
    feed.write_text(FEED, encoding="ascii")
    gateway = make_gateway([replay_source("ais", feed)], [free_port()])
    database = gateway.folder / "data" / "outbox.db"
    database.parent.mkdir()
    shutil.copy(VERSION_1, database)
    db = sqlite3.connect(database)
    db.execute("PRAGMA user_version = 3")
    db.execute(f"PRAGMA application_id = {APPLICATION | 3}")
    db.close()
    before = database.read_bytes()
    command = [sys.executable, "-m", "gateway", "run", "--config", str(gateway.config)]
    command += ["--profiles", str(gateway._profiles)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == EXIT_NEWER_DATA
    assert "version 3, this program knows up to 2" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "driver_running" not in answer.stdout + answer.stderr
    assert database.read_bytes() == before


async def test_the_backlog_of_the_last_version_goes_up(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker, folder: Path
) -> None:
    """The stored database is of the site and gateway that these tests run as, so that its streams are the gateway's."""
    feed = folder / "feed.nmea"
    feed.write_text(FEED, encoding="ascii")
    gateway = make_gateway([replay_source("ais", feed)], [broker.mqtt_port])
    database = gateway.folder / "data" / "outbox.db"
    database.parent.mkdir()
    shutil.copy(VERSION_1, database)
    gateway.start()
    await cloud.until(lambda: {record.seq for record in cloud.records("track")} >= set(range(66, 113)), 30)
    await cloud.until(lambda: {record.seq for record in cloud.records("telemetry")} == set(range(1, 35)), 10)
    assert {record.seq for record in cloud.records("crane_cycle")} == {1, 2, 3}
