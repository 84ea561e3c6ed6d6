from pathlib import Path

import pytest

from gateway.counters import Counters
from gateway.supervisor import driver_log
from gateway.supervisor.driver_log import DriverLogs


def test_lines_written_since_the_start_are_passed_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ais.log"
    path.write_text('{"event": "old"}\n')
    logs = DriverLogs({"ais": path}, Counters())
    with path.open("a") as file:
        file.write('{"event": "link_up"}\n{"event": "ha')
    logs.poll()
    with path.open("a") as file:
        file.write('lf"}\n')
    logs.poll()
    assert capsys.readouterr().err.splitlines() == ['{"event": "link_up"}', '{"event": "half"}']


def test_a_driver_gone_mad_is_cut_short_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ais.log"
    counters = Counters()
    logs = DriverLogs({"ais": path}, counters)
    path.write_text('{"n": 1}\n' * 60)
    logs.poll()
    assert len(capsys.readouterr().err.splitlines()) == driver_log.MAX_LINES
    assert counters.total("driver_log_lines_dropped") == 10


def test_a_file_that_was_read_is_emptied_at_its_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_log, "MAX_FILE_BYTES", 100)
    path = tmp_path / "ais.log"
    counters = Counters()
    logs = DriverLogs({"ais": path}, counters)
    path.write_text("{}\n" * 50)
    logs.poll()
    assert path.stat().st_size == 0
    path.write_text("{}\n")
    logs.poll()
    assert counters.snapshot() == {}


def test_a_burst_over_the_cap_loses_its_beginning_and_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "ais.log"
    counters = Counters()
    logs = DriverLogs({"ais": path}, counters)
    path.write_bytes(b"x" * (driver_log.MAX_READ_BYTES + 500))
    logs.poll()
    assert counters.total("driver_log_bytes_dropped") == 500
