import os
from pathlib import Path

from fleet_deploy.processes.orphans import adopted


def process(proc: Path, pid: int, name: str, parent: int) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1\n")


def test_children_that_were_not_started_here_are_adopted(tmp_path: Path) -> None:
    me = os.getpid()
    process(tmp_path, 101, "python", me)
    process(tmp_path, 102, "a) S 1 (b", me)
    process(tmp_path, 103, "python", 1)
    process(tmp_path, 104, "python", me)
    (tmp_path / "105").mkdir()  # it ended while we looked
    (tmp_path / "self").mkdir()
    assert adopted({104}, tmp_path) == [101, 102]
