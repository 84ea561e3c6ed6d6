from pathlib import Path

import pytest

from contracts.errors import LinkError
from edge_agent.handover.source_lock import SourceLock, lock_path, read_holder


def test_the_second_driver_of_a_source_does_not_get_the_lock(tmp_path: Path) -> None:
    path = lock_path(tmp_path / "handover.sock", "ais")
    assert path == tmp_path / "ais.lock"
    first, second = SourceLock(path), SourceLock(path)
    assert first.try_acquire(111)
    assert not second.try_acquire(222)
    assert read_holder(path) == 111
    first.release()
    first.release()
    assert second.try_acquire(22)
    assert read_holder(path) == 22
    second.release()


def test_without_the_kernel_s_lock_both_would_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: it is flock that keeps the second out, not the file."""
    monkeypatch.setattr("edge_agent.handover.source_lock.fcntl.flock", lambda *_: None)
    path = tmp_path / "ais.lock"
    first, second = SourceLock(path), SourceLock(path)
    assert first.try_acquire(1)
    assert second.try_acquire(2)
    first.release()
    second.release()


def test_a_refused_attempt_leaks_no_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "ais.lock"
    holder = SourceLock(path)
    assert holder.try_acquire(1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        assert not SourceLock(path).try_acquire(2)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    holder.release()


def test_a_folder_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"no-such-folder/ais\.lock"):
        SourceLock(tmp_path / "no-such-folder" / "ais.lock").try_acquire(1)


@pytest.mark.parametrize("content", [None, "", "not a pid"])
def test_a_lock_file_without_a_pid_names_nobody(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ais.lock"
    if content is not None:
        path.write_text(content)
    assert read_holder(path) is None
