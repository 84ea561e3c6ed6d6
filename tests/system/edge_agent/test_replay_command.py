"""record and replay as processes: what was on the wire is on the wire again, byte for byte and at its time."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.links.timed_line import parse_timed
from tests.support.nmea_lines import sentence
from tests.support.processes import free_port, wait_until

pytestmark = pytest.mark.system

WAIT_S = 20.0
WIND = sentence("WIMWV,57.5,R,13.0,M,A")
WIRE = [
    (0.0, WIND), (0.1, WIND[:9]), (0.12, WIND[9:]), (0.3, WIND.replace(b"\r\n", b"\n")), (0.4, b"\r\n\r\n\n\r"),
    (0.5, bytes(range(256))), (0.6, b"\xff\xfe\x80 12.5+ \xc3("), (0.7, b"x" * 9000 + b"\r\n"), (0.8, b"login: "),
]  # fmt: skip
SENT = b"".join(data for _, data in WIRE)
TOLERANCE_S = 0.15
"""Scheduling of three processes on a loaded machine; alone it is 5 ms."""


@contextmanager
def running(*arguments: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "edge_agent", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def pieces(file: Path) -> list[tuple[float, bytes]]:
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    parsed = [parse_timed(line + b"\n") for line in lines]
    assert None not in parsed
    return [piece for piece in parsed if piece is not None]


def content(file: Path) -> bytes:
    return b"".join(raw for _, raw in pieces(file))


def first_line(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def stop(process: "subprocess.Popen[bytes]") -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_S)
    return err.decode()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A recording of ``WIRE`` off a tty."""
    master, slave = os.openpty()
    tty.setraw(slave)
    file = tmp_path / "first.log"
    with running("record", "--serial", os.ttyname(slave), file) as process:
        wait_until(file.exists, WAIT_S, "the recording begins")
        time.sleep(0.5)
        begun_s = time.monotonic()
        for at_s, data in WIRE:
            time.sleep(max(0.0, begun_s + at_s - time.monotonic()))
            os.write(master, data)
        wait_until(lambda: content(file) == SENT, WAIT_S, "all of it is in the file, without an end of the link")
        stop(process)
    os.close(master)
    os.close(slave)
    assert content(file) == SENT
    return file


def assert_same(first: Path, second: Path) -> None:
    """Assert the same bytes, and each line at the same distance from the first, within the tolerance."""
    assert content(second) == content(first)
    ends = [[(at_s, raw) for at_s, raw in pieces(file) if raw.endswith(b"\n")] for file in (first, second)]
    late = [
        (second_s - ends[1][0][0]) - (first_s - ends[0][0][0])
        for (first_s, _), (second_s, _) in zip(*ends, strict=True)
    ]
    assert max(map(abs, late)) < TOLERANCE_S


def test_a_recording_through_a_pty_is_the_same_recording(recorded: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.log"
    with running("replay", recorded, "--pty") as player:
        device = first_line(player)
        with running("record", "--serial", device, "--baud", "115200", again) as recorder:
            wait_until(lambda: content(again) == SENT, WAIT_S, "all of it has arrived")
            stop(recorder)
        assert player.wait(timeout=WAIT_S) == 0
    assert_same(recorded, again)


def test_a_recording_through_tcp_is_the_same_recording(recorded: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.log"
    port = free_port()
    with running("replay", recorded, "--tcp-listen", str(port)) as player:
        assert first_line(player) == f"127.0.0.1:{port}"
        with running("record", "--tcp", f"127.0.0.1:{port}", again) as recorder:
            wait_until(lambda: content(again) == SENT, WAIT_S, "all of it has arrived")
            stop(recorder)
        assert player.wait(timeout=WAIT_S) == 0
    assert_same(recorded, again)


def test_sentences_go_out_as_datagrams_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"".join(b"%d.0 %b" % (100 + number, WIND) for number in range(3)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        where = f"127.0.0.1:{receiver.getsockname()[1]}"
        with running("replay", file, "--udp", where, "--speed", "20") as player:
            assert [receiver.recv(4096) for _ in range(3)] == [WIND] * 3
            assert player.wait(timeout=WAIT_S) == 0


def test_a_group_is_sent_to_on_its_interface(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"100.0 " + WIND)
    member = socket.inet_aton("239.192.0.9") + socket.inet_aton("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("239.192.0.9", 0))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        receiver.settimeout(WAIT_S)
        where = f"239.192.0.9:{receiver.getsockname()[1]}"
        with running("replay", file, "--udp", where, "--group"):
            assert receiver.recv(4096) == WIND


def test_a_recording_goes_out_as_iec_61162_450_and_lines_in_pieces_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"100.0 " + WIND + b"100.1 " + WIND[:9] + b"\n100.2 " + WIND)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        where = f"127.0.0.1:{receiver.getsockname()[1]}"
        with running("replay", file, "--udp", where, "--iec450", "WI0001", "--speed", "20") as player:
            first = receiver.recv(4096)
            assert player.wait(timeout=WAIT_S) == 0
    assert first == b"UdPbC\0" + sentence("s:WI0001,n:1", "\\").strip() + b"\\" + WIND


def test_a_reader_that_leaves_in_the_middle_is_told(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"".join(b"%d.0 %b" % (100 + number, WIND) for number in range(60)))
    with running("replay", file, "--pty", "--speed", "20") as player:
        reader = os.open(first_line(player), os.O_RDONLY | os.O_NOCTTY)
        assert os.read(reader, 100).startswith(b"$WIMWV")
        os.close(reader)
        _, err = player.communicate(timeout=WAIT_S)
        assert player.returncode == 1
    assert "its reader has gone" in err.decode()


def test_ctrl_c_while_nobody_listens_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"100.0 " + WIND)
    with running("replay", file, "--pty") as player:
        first_line(player)
        timer = threading.Timer(0.2, player.send_signal, (signal.SIGINT,))
        timer.start()
        assert player.wait(timeout=WAIT_S) == 0
        timer.join()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["no-such-file", "--udp", "127.0.0.1:9"], 1, "check the path"),
        (["log"], 2, "name one of"),
        (["log", "--pty", "--udp", "127.0.0.1:9"], 2, "name one of"),
        (["log", "--udp", "9"], 2, "HOST:PORT"),
        (["log", "--udp", "127.0.0.1:9", "--iec450", "wind"], 2, "AI0001"),
        (["log", "--pty", "--speed", "-1"], 2, "speed"),
    ],
)
def test_what_cannot_be_replayed_says_why_in_one_line(arguments: list[str], code: int, words: str) -> None:
    command = [sys.executable, "-m", "edge_agent", "replay", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert result.returncode == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
