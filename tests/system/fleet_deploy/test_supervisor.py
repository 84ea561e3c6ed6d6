"""Parts as real processes: restart, stop in order, and nobody left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from fleet_deploy.processes import supervisor as supervisor_module
from fleet_deploy.processes.supervisor import Part, Supervisor

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent.parent
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
PARENT = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
    "print(p.pid, flush=True); time.sleep(600)"
)


def part(tmp_path: Path, name: str, code: str, stage: int = 0) -> Part:
    return Part(name, [sys.executable, "-c", code], stage, tmp_path / f"{name}.log")


@asynccontextmanager
async def supervising(said: list[tuple[str, str]]) -> AsyncIterator[Supervisor]:
    async with asyncio.TaskGroup() as group:
        running = Supervisor(group, ROOT, dict(os.environ), lambda name, text: said.append((name, text)))
        try:
            yield running
        finally:
            await running.stop()


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the condition is another process's
            await asyncio.sleep(0.02)


def is_up(tmp_path: Path, name: str, times: int = 1) -> bool:
    log = tmp_path / f"{name}.log"
    return log.exists() and log.read_text().count("up") >= times


async def test_a_killed_part_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    async with supervising(said) as running:
        running.start(part(tmp_path, "one", SLEEP))
        await until(lambda: is_up(tmp_path, "one"))
        first = running.pids()["one"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: is_up(tmp_path, "one", 2))
        assert running.pids()["one"] != first
    assert said[0][0] == "one"
    assert "died (exit code -9)" in said[0][1]


async def test_a_part_that_was_asked_to_restart_is_not_said_to_have_died(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    async with supervising(said) as running:
        running.start(part(tmp_path, "one", SLEEP))
        await until(lambda: is_up(tmp_path, "one"))
        running.restart("one")
        await until(lambda: is_up(tmp_path, "one", 2))
    assert said == []


async def test_a_part_that_ignores_sigterm_is_killed_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_GRACE_S", 1.5)
    monkeypatch.setattr(supervisor_module, "STAGE_WAIT_S", 0.5)
    said: list[tuple[str, str]] = []
    async with supervising(said) as running:
        running.start(part(tmp_path, "deaf", DEAF, stage=1))
        running.start(part(tmp_path, "good", SLEEP, stage=0))
        await until(lambda: is_up(tmp_path, "deaf") and is_up(tmp_path, "good"))
        pids = list(running.pids().values())
        began_s = time.monotonic()
    # 1.5 s of patience, and room for a busy machine
    assert time.monotonic() - began_s < 10
    assert ("deaf", "no termina / does not end: killed") in said
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_higher_stages_end_before_lower_ones(tmp_path: Path) -> None:
    last_words = (
        "import signal, sys, time, pathlib\n"
        "def end(*_): pathlib.Path({path!r}).open('a').write({name!r} + '\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(600)"
    )
    order = tmp_path / "order"
    async with supervising([]) as running:
        for stage, name in enumerate(("hardware", "broker", "cloud", "gateway")):
            running.start(part(tmp_path, name, last_words.format(path=str(order), name=name), stage))
        await until(lambda: all(is_up(tmp_path, name) for name in running.pids()) and len(running.pids()) == 4)
    assert order.read_text().split() == ["gateway", "cloud", "broker", "hardware"]


def run_script(tmp_path: Path, *, is_subreaper: bool) -> tuple[subprocess.Popen[bytes], Path]:
    """Run a supervisor in a process of its own, that keeps a part whose child has a session of its own."""
    log = tmp_path / "parent.log"
    script = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from fleet_deploy.processes.orphans import become_subreaper\n"
        "from fleet_deploy.processes.supervisor import Part, Supervisor\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        keep = Supervisor(group, Path('.'), dict(os.environ), lambda *_: None)\n"
        f"        keep.start(Part('parent', [sys.executable, '-c', {PARENT!r}], 0, Path({str(log)!r})))\n"
        "        await stop.wait()\n"
        "        await keep.stop()\n"
        f"{'become_subreaper()' if is_subreaper else 'pass'}\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    deadline_s = time.monotonic() + 10
    while not (log.exists() and log.read_text().strip()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return process, log


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("is_subreaper", [True, False])
def test_a_grandchild_in_a_session_of_its_own_does_not_outlive_the_stop(tmp_path: Path, *, is_subreaper: bool) -> None:
    """As a driver of a gateway that was killed. Mutation: without adoption it stays behind."""
    process, log = run_script(tmp_path, is_subreaper=is_subreaper)
    grandchild = int(log.read_text().split()[0])
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert is_alive(grandchild) is not is_subreaper
    finally:
        if is_alive(grandchild):
            os.kill(grandchild, signal.SIGKILL)


def test_a_part_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    process, log = run_script(tmp_path, is_subreaper=True)
    grandchild = int(log.read_text().split()[0])
    (child,) = psutil.Process(process.pid).children()
    try:
        process.kill()
        process.wait(timeout=5)
        deadline_s = time.monotonic() + 5
        while is_alive(child.pid):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
    finally:
        if is_alive(grandchild):
            os.kill(grandchild, signal.SIGKILL)
