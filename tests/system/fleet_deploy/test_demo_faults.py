"""The demonstration when its parts die, and when it dies itself. That it shows a living port is test_demonstration's.

Timeline: started once for the module; each test kills something and waits for the port to be whole again; the last two
kill the demonstration itself.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.mqtt_client import wait_for
from tests.support.processes import free_port

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent.parent
START_S = 90.0
RECOVERY_S = 45.0
FRESH_S = 8.0


class Demo:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.output = folder / "demo.log"
        self.port = free_port()
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [*self.command(), "--port", str(self.port)], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            wait_for(lambda: self.process.poll() is not None or self.says("PortTrack: http"), "the address", START_S)
            assert self.process.poll() is None, self.output.read_text()
        except AssertionError:
            self.process.terminate()
            self.process.wait(timeout=15)
            raise

    def command(self) -> list[str]:
        return [sys.executable, "-m", "fleet_deploy", "demo", "--dir", str(self.folder)]

    def says(self, text: str) -> bool:
        return text in self.output.read_text()

    def items(self, path: str) -> list[dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return list(json.load(answer)["items"])
        except OSError:
            return []

    def is_whole(self) -> bool:
        """Every gateway reports, and every crane, the wind and a ship were observed in the last seconds."""
        online = [item for item in self.items("/api/v1/gateways") if item["is_online"]]
        fresh = [item for item in self.items("/api/v1/sensors") if item["age_s"] < FRESH_S]
        cranes = {item["place"] for item in fresh if item["kind"] == "crane_sample"}
        has_wind = any(item["kind"] == "wind" for item in fresh)
        ships = [item for item in self.items("/api/v1/vessels") if item["age_s"] < FRESH_S]
        return len(online) == 4 and len(cranes) == 4 and has_wind and len(ships) > 0

    def find(self, *words: str) -> list[psutil.Process]:
        """Return the processes of this demonstration whose command line has all ``words``."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
            if all(word in line for word in words):
                found.append(process)
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(timeout=15)


def kill_and_wait(demo: Demo, *words: str) -> None:
    wait_for(demo.is_whole, "a whole port before", RECOVERY_S)
    victim = demo.find(*words)[0]
    victim.kill()
    wait_for(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, "its end")
    time.sleep(FRESH_S)  # what was observed before the kill is no longer fresh
    wait_for(demo.is_whole, f"a whole port after {' '.join(words)} was killed", RECOVERY_S)


@pytest.mark.parametrize(
    "words",
    [
        ("gateway run", "gw-crane-1"),
        ("cloud_api serve",),
        ("nats-server",),
        ("fleet_deploy broker serve",),
        ("edge_agent simulate",),
        ("edge_agent run", "--source ais"),
    ],
    ids=["gateway", "cloud", "nats-server", "broker", "hardware", "driver"],
)
def test_whatever_dies_comes_back(demo: Demo, words: tuple[str, ...]) -> None:
    kill_and_wait(demo, *words)


def test_a_death_is_said(demo: Demo) -> None:
    """After the kills above; a killed part is named with its log."""
    wait_for(lambda: demo.says("gw-crane-1: caído / died (exit code -9)"), "the line")


def test_a_second_demonstration_in_the_same_folder_is_refused(demo: Demo) -> None:
    done = subprocess.run(
        [*demo.command(), "--port", str(free_port())], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert f"runs here already (process {demo.process.pid})" in done.stderr
    assert "Traceback" not in done.stderr
    assert demo.process.poll() is None


def test_a_gateway_killed_just_before_the_stop_leaves_no_driver(demo: Demo) -> None:
    family = psutil.Process(demo.process.pid).children(recursive=True)
    demo.find("gateway run", "gw-crane-2")[0].kill()
    demo.process.send_signal(signal.SIGTERM)
    began_s = time.monotonic()
    assert demo.process.wait(timeout=12) == 0
    assert time.monotonic() - began_s < 10
    assert [process for process in family if process.is_running()] == []


def test_nothing_outlives_a_killed_demonstration(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nobody is left to stop the parts: the kernel tells each that its parent is gone."""
    demo = Demo(tmp_path_factory.mktemp("killed"))
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(family) > 10
    os.kill(demo.process.pid, signal.SIGKILL)
    demo.process.wait(timeout=5)
    wait_for(
        lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE],
        "the end of every process",
        20,
    )
