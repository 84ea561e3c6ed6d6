import os
from pathlib import Path

from gateway.health.process_io import written_bytes


def test_what_the_kernel_counts_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "42"
    folder.mkdir()
    (folder / "io").write_text("rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 4096\ncancelled_write_bytes: 5\n")
    assert written_bytes(42, tmp_path) == 4096
    (folder / "io").write_text("write_bytes: many\n")
    assert written_bytes(42, tmp_path) is None
    (folder / "io").write_text("")
    assert written_bytes(42, tmp_path) is None
    assert written_bytes(43, tmp_path) is None


def test_our_own_is_there_where_procfs_tells_it() -> None:
    if Path("/proc/self/io").exists():
        assert (written_bytes(os.getpid()) or 0) >= 0
