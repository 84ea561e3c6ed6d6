"""The decode command, from its arguments to its lines."""

import json
import sys
from pathlib import Path

import pytest

from edge_agent.cli import decode
from edge_agent.cli.decode import EXIT_UNREADABLE, EXIT_USAGE, main
from tests.support.nmea_lines import ais_lines, sentence, static

WIND = sentence("WIMWV,57.5,R,13.0,M,A")
POSITION = ais_lines({"type": 1, "msg_type": 1, "mmsi": 219018000, "speed": 12.3, "lon": -5.4, "lat": 36.1})[0]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.nmea"
    path.write_bytes(
        WIND + POSITION + sentence("GPGSV,1") + b"$WIMWV,57.6,R*00\n" + b"".join(static(219018000, "ALPHA"))
    )
    return path


def test_json_gives_one_record_a_line_with_type_and_raw(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", str(log)]) == 0
    out, err = capfd.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["type"] for record in records] == ["wind", "ais", "ais"]
    assert records[0] == {"type": "wind", "speed_mps": 13.0, "direction_deg": 57.5, "raw": WIND.decode().strip()}
    assert records[2]["raw"].count("\n") == 1
    assert "received_at" not in records[0]
    assert "decoded: 3 messages of 6 lines\n" in err
    assert "rejected: checksum=1\n" in err
    assert "ignored: GSV=1\n" in err
    assert "$WIMWV,57.6,R*00" in err


def test_without_json_a_person_can_read_it(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(log)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["wind", "13.00", "m/s", "57.5", "deg"]
    assert lines[1].startswith("ais  1 219018000 class_a")
    assert "36.10000   -5.40000  12.3 kn" in lines[1]
    assert "ALPHA" in lines[2]


def test_timed_logs_give_the_time_of_arrival(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"1795500000.250000 " + WIND + b"no time here\n" + b"1795500001.5 " + WIND)
    assert main(["--json", "--timed", str(log)]) == 0
    out, err = capfd.readouterr()
    assert [json.loads(line)["received_at"] for line in out.splitlines()] == [1795500000.25, 1795500001.5]
    assert "without time: 1 lines skipped\n" in err
    assert main(["--timed", str(log)]) == 0
    assert capfd.readouterr().out.startswith("1795500000.250000 wind")


def test_times_of_a_log_decide_how_long_a_part_waits(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = static(219018000, "ALPHA")
    for wait_s, messages in ((0.09, 1), (0.11, 0)):
        (tmp_path / "log").write_bytes(b"100.0 " + first + b"%f " % (100 + wait_s) + second)
        assert main(["--json", "--timed", str(tmp_path / "log")]) == 0
        lines = capfd.readouterr().out.splitlines()
        assert [json.loads(line)["received_at"] for line in lines] == [100.09] * messages


def test_what_cannot_be_read_is_one_line_and_a_hint(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == EXIT_UNREADABLE
    assert main([str(tmp_path)]) == EXIT_UNREADABLE
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "check the path" in err


@pytest.mark.parametrize("arguments", [[], ["--no-such-option", "x"], ["a", "b"]])
def test_wrong_usage_is_code_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == EXIT_USAGE
    assert "Usage" in capfd.readouterr().err


def test_help_is_code_0(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--timed" in capfd.readouterr().out


def test_a_bar_counts_the_bytes_of_a_big_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    log.write_bytes(WIND * 3000)
    monkeypatch.setattr(decode, "PROGRESS_FROM_BYTES", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    with log.open("rb") as file, decode._progress(str(log), file) as advance:
        assert isinstance(getattr(advance, "__self__", None), decode._Bar)
        for line in file:
            advance(len(line))
