"""A log as SQLite writes it, broken at one place after another."""

import sqlite3
from pathlib import Path

import pytest

from gateway.outbox.salvage.wal import FRAME_HEADER_BYTES, HEADER_BYTES, Log, WalState, read_log

PAGE = 1024
STEP = PAGE + FRAME_HEADER_BYTES


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four transactions of several frames."""
    path = tmp_path_factory.mktemp("wal") / "db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {PAGE}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (data BLOB)")
    for _ in range(3):
        db.execute("INSERT INTO t VALUES (randomblob(3000))")
    data = Path(f"{path}-wal").read_bytes()
    db.close()
    return data


def read(data: bytes) -> Log:
    return read_log(lambda at, size: data[at : at + size], len(data), PAGE)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def test_a_sound_log_is_proven_frame_by_frame(log: bytes) -> None:
    found = read(log)
    assert found.state is WalState.SOUND
    assert all(frame.is_proven and frame.is_current for frame in found.frames)
    assert sum(frame.is_commit for frame in found.frames) == 4


def test_a_broken_frame_does_not_hide_those_after_it(log: bytes) -> None:
    for index, frame in enumerate(read(log).frames):
        found = read(flipped(log, frame.at + 500))
        assert [item.index for item in found.frames if not item.is_proven] == [index]
        is_last = not any(item.is_commit for item in found.frames[index:-1])
        assert found.state is (WalState.TORN if is_last else WalState.DAMAGED)


def test_a_broken_checksum_of_one_frame_costs_that_frame_only(log: bytes) -> None:
    found = read(flipped(log, HEADER_BYTES + STEP + 17))
    assert [item.index for item in found.frames if not item.is_proven] == [1]


@pytest.mark.parametrize("at", [0, 5, 9, 17, 25])
def test_a_broken_header_hides_no_frame_but_the_first(log: bytes, at: int) -> None:
    found = read(flipped(log, at))
    assert found.state is WalState.DAMAGED
    assert (found.page_size, [item.index for item in found.frames if not item.is_proven]) == (PAGE, [0])


def test_what_was_begun_and_not_committed_is_sound(log: bytes) -> None:
    last = [frame.index for frame in read(log).frames if frame.is_commit][-1]
    assert read(log[: HEADER_BYTES + last * STEP]).state is WalState.SOUND


def test_frames_of_an_earlier_round_are_told_apart(log: bytes) -> None:
    older = bytearray(log)
    for index in (5, 6):
        older[HEADER_BYTES + index * STEP + 8] ^= 1
    found = read(bytes(older[: HEADER_BYTES + 7 * STEP]))
    assert [frame.index for frame in found.frames if not frame.is_current] == [5, 6]
    assert found.state is WalState.SOUND


def test_no_log_and_a_log_of_nothing_are_sound() -> None:
    assert read(b"").state is WalState.SOUND
    assert read(bytes(20)).state is WalState.SOUND
