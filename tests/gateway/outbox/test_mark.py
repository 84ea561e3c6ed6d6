import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.mark import FILE_BYTES, MAX_STREAMS, SLOT_BYTES, Mark, Numbers, pack_slot, unpack
from gateway.outbox.mark_file import MarkFile, read_mark

STREAM = "puerto-test.gw-1.0123456789abcdef.track"


def numbers(next_seq: int) -> dict[str, Numbers]:
    return {STREAM: Numbers(next_seq, 1)}


def test_the_newest_of_two_slots_counts_and_survives_the_damage_of_the_other(tmp_path: Path) -> None:
    path = tmp_path / "outbox.mark"
    mark = MarkFile(path)
    for next_seq in range(2, 7):
        mark.write(numbers(next_seq))
        assert read_mark(path) == Mark(numbers(next_seq), is_sure=True)
    mark.close()
    again = MarkFile(path)
    again.write(numbers(7))
    again.close()
    for at, expected in ((30, {6, 7}), (SLOT_BYTES + 30, {6, 7})):
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        _, found = unpack(bytes(data))
        assert not found.is_sure
        assert found.streams[STREAM].next_seq in expected


def test_no_file_is_no_mark_and_a_torn_one_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "outbox.mark"
    assert read_mark(path) == Mark()
    path.write_bytes(b"torn")
    mark = MarkFile(path)
    mark.write(numbers(9))
    mark.close()
    assert read_mark(path) == Mark(numbers(9), is_sure=True)


def test_a_mark_that_cannot_be_written_holds_up_nothing_and_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outbox.mark"
    mark = MarkFile(path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        mark.write(numbers(2))
        mark.write(numbers(3))
    mark.write(numbers(4))
    mark.close()
    assert read_mark(path) == Mark(numbers(4), is_sure=True)


@given(st.binary(max_size=FILE_BYTES))
def test_any_bytes_are_no_mark(data: bytes) -> None:
    assert unpack(data) == (0, Mark())


@given(st.integers(1, 2**60), st.integers(1, 2**60))
def test_a_slot_comes_back_as_it_was_written(turn: int, next_seq: int) -> None:
    data = pack_slot(turn, numbers(next_seq)).ljust(SLOT_BYTES, b"\0") + pack_slot(turn + 1, numbers(next_seq + 1))
    assert unpack(data) == (turn + 1, Mark(numbers(next_seq + 1), is_sure=True))


def test_more_streams_than_a_slot_holds_leave_both_slots_whole(tmp_path: Path) -> None:
    """The longest names there can be, of the most streams that are written: the first of them are kept."""
    path = tmp_path / "outbox.mark"
    names = [f"{'s' * 40}.{'g' * 40}.{number:032d}.telemetry" for number in range(MAX_STREAMS + 8)]
    mark = MarkFile(path)
    for turn in range(3):
        mark.write({name: Numbers(10**9 + turn, 1) for name in names})
        found = read_mark(path)
        assert found.is_sure
        assert list(found.streams) == names[: len(found.streams)]
        assert len(found.streams) >= 20
        assert path.stat().st_size <= FILE_BYTES
    mark.close()
