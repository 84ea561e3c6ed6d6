"""The commands as processes: a wire is recorded, the recording is decoded, a reader of the output goes away."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.nmea_lines import sentence

pytestmark = pytest.mark.system

WAIT_S = 15.0
WIND = sentence("WIMWV,57.5,R,13.0,M,A")


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "edge_agent", *map(str, arguments)]


@contextmanager
def recording(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command("record", *arguments), stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> str:
    process.send_signal(number)
    _, err = process.communicate(timeout=WAIT_S)
    return err.decode()


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_a_tty_is_recorded_and_the_recording_decodes_to_what_was_sent(tmp_path: Path) -> None:
    master, slave = os.openpty()
    file = tmp_path / "wind.log"
    file.write_bytes(b"1.0 $kept\n")
    begun_s = time.time()
    with recording("--serial", os.ttyname(slave), "--baud", "4800", file) as process:
        wait_for(lambda: os.write(master, WIND) > 0 and size(file) > 10)
        before = file.read_bytes().count(b"\n")
        os.write(master, b"\xff\xfegarbage\r\n$cut")
        wait_for(lambda: file.read_bytes().count(b"\n") > before)
        err = stop(process)
        assert process.returncode == 0
    os.close(master)
    os.close(slave)
    assert "recorded: " in err
    lines = file.read_bytes().splitlines()
    assert lines[0] == b"1.0 $kept"
    assert lines[-1].endswith(b" $cut")
    result = subprocess.run(
        command("decode", "--json", "--timed", file), capture_output=True, timeout=WAIT_S, check=True
    )
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert {record["raw"] for record in records} == {WIND.decode().strip()}
    assert all(begun_s - 1 < record["received_at"] < time.time() + 1 for record in records)
    assert b"garbage=1" in result.stderr


def test_a_server_that_goes_away_is_connected_again(tmp_path: Path) -> None:
    file = tmp_path / "tcp.log"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        port = server.getsockname()[1]
        with recording("--tcp", f"127.0.0.1:{port}", file) as process:
            for count in (1, 2):
                connection, _ = server.accept()
                connection.sendall(WIND)
                wait_for(lambda count=count: size(file) > 0 and file.read_bytes().count(b"\n") == count)  # type: ignore[misc]
                connection.close()
            err = stop(process, signal.SIGTERM)
            assert process.returncode == 0
    assert "closed by the peer; connecting again" in err
    assert "connected again" in err


def test_datagrams_are_recorded(tmp_path: Path) -> None:
    file = tmp_path / "udp.log"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        port = sender.getsockname()[1]
        sender.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, recording("--udp", str(port), file) as process:
        wait_for(lambda: sender.sendto(WIND.strip(), ("127.0.0.1", port)) > 0 and size(file) > 0)
        stop(process)
        assert process.returncode == 0
    assert file.read_bytes().splitlines()[0].endswith(WIND.strip())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--serial", "/dev/no-such-port"], 1, "plugged in"),
        ([], 2, "name one of"),
        (["--serial", "/dev/x", "--tcp", "h:1"], 2, "name one of"),
        (["--serial", "/dev/x", "--baud", "1234"], 2, "baud"),
        (["--tcp", "localhost"], 2, "HOST:PORT"),
        (["--tcp", "localhost:99999"], 2, "port"),
    ],
)
def test_what_cannot_be_recorded_says_why_in_one_line(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    result = subprocess.run(
        command("record", *arguments, tmp_path / "log"), capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert result.returncode == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_decode_reads_standard_input_and_ends_quietly_when_its_reader_goes_away(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(WIND * 20_000)
    with log.open("rb") as file:
        process = subprocess.Popen(
            command("decode", "--json", "-"), stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "wind"
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(timeout=WAIT_S) == 0
    assert err == b""


def test_decode_of_the_national_recording_gives_every_message(recordings: Path) -> None:
    log = recordings / "ais" / "denmark_national.nmea"
    result = subprocess.run(command("decode", "--json", log), capture_output=True, timeout=60, check=True)
    lines = result.stdout.splitlines()
    assert len(lines) == 4051
    assert b"decoded: 4051 messages of 8551 lines\nrejected: none\nignored: none\nused: PGHP=4051\n" in result.stderr
    assert len({json.loads(line)["mmsi"] for line in lines}) == 1933
