import shutil
from pathlib import Path

import pytest

from fleet_deploy.processes.capped_log import last_lines, trim_log


def test_a_log_at_its_cap_stays(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"x" * 100)
    assert not trim_log(log, 100)
    assert not trim_log(tmp_path / "none.log", 100)


def test_a_log_over_its_cap_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        for round_no in range(3):
            writer.write(bytes([97 + round_no]) * 101)
            assert trim_log(log, 100)
        writer.write(b"end")
    assert log.read_bytes() == b"end"
    assert (tmp_path / "x.log.1").read_bytes() == b"c" * 101
    assert len(list(tmp_path.iterdir())) == 2


def test_a_log_is_cut_even_where_the_copy_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"x" * 101)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(OSError, match="No space"):
        trim_log(log, 100)
    assert log.stat().st_size == 0


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"".join(b"line %d\n\n" % number for number in range(3000)) + b"\xff")
    assert last_lines(log, 2) == ["line 2999", "�"]
    assert last_lines(tmp_path / "none.log") == []
