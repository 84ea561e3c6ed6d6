"""``make run`` as a person would: one command, a line with the address, a port that lives, Ctrl-C.

Timeline: the demonstration starts; from the line with its address on, the API must show a living port within 30 s; the
control room in a real browser shows the same; SIGINT ends every process within 10 s.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.prerequisites import CHROMIUM
from tests.support.processes import ROOT, free_port, wait_until

pytestmark = pytest.mark.system

START_TIMEOUT_S = 90
LIVE_WITHIN_S = 30
STOP_WITHIN_S = 10
ADDRESS = re.compile(r"PortTrack: (http://\S+)")
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Demonstration:
    """A running demonstration; ``ready_at`` is when its address was printed (monotonic s)."""

    process: subprocess.Popen[bytes]
    address: str
    ready_at: float

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address.rstrip('/')}{path}", timeout=5) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("demonstration")
    log = folder / "demo.log"
    command = [sys.executable, "-m", "fleet_deploy", "demo", "--dir", str(folder / "run"), "--port", str(free_port())]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
    try:
        address = ""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not address:
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            found = ADDRESS.search(log.read_text())
            address = found[1] if found else ""
            time.sleep(0.1)
        yield Demonstration(process, address, time.monotonic())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_WITHIN_S * 2)
            except subprocess.TimeoutExpired:
                process.kill()


def within_the_first_30_s(demonstration: Demonstration, condition: Callable[[], object], what: str) -> None:
    left = demonstration.ready_at + LIVE_WITHIN_S - time.monotonic()
    wait_until(condition, max(left, 1), what, 0.5)


def crane_loads(demonstration: Demonstration) -> dict[str, float | None]:
    sensors = demonstration.get("/api/v1/sensors")["items"]
    return {item["place"]: item["values"].get("hoist_load_t") for item in sensors if item["kind"] == "crane_sample"}


def test_ten_ships_move_within_30_s(demonstration: Demonstration) -> None:
    within_the_first_30_s(
        demonstration,
        lambda: len(demonstration.get("/api/v1/vessels?moving=true")["items"]) >= 10,
        "ten moving ships",
    )


def test_wind_and_four_cranes_whose_loads_change(demonstration: Demonstration) -> None:
    within_the_first_30_s(demonstration, lambda: len(crane_loads(demonstration)) == 4, "four cranes")
    first = crane_loads(demonstration)
    changed: set[str] = set()

    def all_changed() -> bool:
        changed.update(name for name, load in crane_loads(demonstration).items() if load != first[name])
        return len(changed) == 4

    within_the_first_30_s(demonstration, all_changed, "loads of all four cranes change")
    kinds = {item["kind"] for item in demonstration.get("/api/v1/sensors")["items"]}
    assert "wind" in kinds


def test_every_gateway_is_online(demonstration: Demonstration) -> None:
    wait_until(
        lambda: sum(item["is_online"] for item in demonstration.get("/api/v1/gateways")["items"]) >= 4,
        LIVE_WITHIN_S,
        "four gateways online",
    )


def test_every_record_is_accounted_for(demonstration: Demonstration) -> None:
    def all_judged() -> bool:
        items = demonstration.get("/api/v1/accounting")["items"]
        return len(items) >= 4 and all(one["verdict"] in ("whole", "buffered") for one in items)

    wait_until(all_judged, LIVE_WITHIN_S, "a balance of every gateway")
    assert demonstration.get("/api/v1/accounting?alarms=true")["items"] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=BROWSER_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, demonstration: Demonstration) -> Iterator[tuple[Page, list[str]]]:
    """The control room, and what went wrong or outside while it was open."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="es-ES")
    tab = context.new_page()
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    tab.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((demonstration.address, "data:", "blob:"))
            else troubles.append(f"outside request {request.url}")
        ),
    )
    tab.goto(demonstration.address, wait_until="domcontentloaded", timeout=15_000)
    yield tab, troubles
    context.close()


def positions(tab: Page) -> dict[str, tuple[str, str]]:
    rows = tab.locator("[data-testid=ship-row]").all()
    found = {}
    for row in rows:
        mmsi = row.get_attribute("data-mmsi")
        if mmsi:
            found[mmsi] = (row.get_attribute("data-lon") or "", row.get_attribute("data-lat") or "")
    return found


def test_a_browser_sees_ships_move_on_the_map(page: tuple[Page, list[str]]) -> None:
    tab, troubles = page
    tab.wait_for_selector("[data-testid=connection][data-state=live]", timeout=15_000)
    wait_until(lambda: len(positions(tab)) >= 10, 20, "ten ships in the list")
    count = tab.locator("[data-testid=map-targets]")
    wait_until(lambda: int(count.get_attribute("data-count") or 0) >= 10, 20, "ten ships drawn on the map")
    before = positions(tab)
    wait_until(
        lambda: sum(before.get(mmsi) not in (None, now) for mmsi, now in positions(tab).items()) >= 5,
        30,
        "five ships at another place than before",
        1.0,
    )
    assert not troubles


def test_the_browser_says_within_3_s_that_the_connection_is_lost(
    page: tuple[Page, list[str]], demonstration: Demonstration
) -> None:
    """The cloud is stopped by SIGSTOP, as a hung host would be: the socket stays open and silent."""
    tab, _ = page
    tab.wait_for_selector("[data-testid=connection][data-state=live]", timeout=15_000)
    cloud = next(
        child
        for child in psutil.Process(demonstration.process.pid).children(recursive=True)
        if "cloud_api" in " ".join(child.cmdline())
    )
    cloud.suspend()
    try:
        started = time.monotonic()
        tab.wait_for_selector("[data-testid=connection][data-state=lost]", timeout=6_000)
        assert time.monotonic() - started <= 3.5, "3 s, and half a second for the test's own polling"
    finally:
        cloud.resume()
    tab.wait_for_selector("[data-testid=connection][data-state=live]", timeout=15_000)


def test_ctrl_c_ends_every_process_in_10_s(demonstration: Demonstration) -> None:
    """Last of this module: it stops what the others look at."""
    family = psutil.Process(demonstration.process.pid).children(recursive=True)
    assert len(family) > 10
    demonstration.process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert demonstration.process.wait(STOP_WITHIN_S) == 0
    left = [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not left, [" ".join(child.cmdline()) for child in left]
    assert time.monotonic() - started <= STOP_WITHIN_S


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415 - the one test that holds a port itself

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "fleet_deploy", "demo", "--dir", str(tmp_path), "--port"]
        command.append(str(taken.getsockname()[1]))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "port" in done.stderr
    assert "Traceback" not in done.stderr
