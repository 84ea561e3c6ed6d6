"""probe as a process, on real pseudo-terminals."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.nmea_lines import sentence
from tests.support.ptys import SensorPty

pytestmark = pytest.mark.system

WIND = sentence("WIMWV,57.5,R,13.0,M,A")
DEPTH = sentence("SDDPT,5.2,0.0")


def probe(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "edge_agent", "probe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def talking(line: SensorPty, data: bytes, every_s: float) -> Iterator[None]:
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(every_s):
            line.write(data)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def line() -> Iterator[SensorPty]:
    one = SensorPty()
    yield one
    one.close()


def test_what_arrives_and_how_fast_is_told(line: SensorPty) -> None:
    with talking(line, WIND * 2 + DEPTH + WIND.replace(b"57", b"99"), 0.2):
        result = probe(line.device, "--json", "--seconds", "3")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["is_pty"] is True
    assert answer["baud"] == 4800
    paces = {item["address"]: item["per_s"] for item in answer["sentences"]}
    assert paces["WIMWV"] == pytest.approx(10, rel=0.3)
    assert paces["SDDPT"] == pytest.approx(5, rel=0.3)
    assert answer["errors"]["checksum"] > 5


def test_a_person_is_told_in_spanish_first(line: SensorPty) -> None:
    with talking(line, WIND, 0.2):
        result = probe(line.device, "--seconds", "1")
    assert result.returncode == 0
    assert "pseudoterminal, sin velocidad propia / pseudo-terminal" in result.stdout
    assert "frases válidas / valid sentences" in result.stdout
    assert "sin errores / no errors" in result.stdout


def test_silence_is_told_in_time(line: SensorPty) -> None:
    begun_s = time.monotonic()
    result = probe(line.device, "--silence", "2")
    assert result.returncode == 1
    assert "silencio / silence: 0 bytes" in result.stdout
    assert time.monotonic() - begun_s < 10


def test_a_port_that_is_not_there_is_one_line() -> None:
    result = probe("/dev/no-such-port", "--json")
    assert result.returncode == 1
    assert "plugged in" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert probe().returncode == 2
