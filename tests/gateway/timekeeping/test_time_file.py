from pathlib import Path

import pytest

from contracts.errors import LinkError
from contracts.records import ClockState
from gateway.outbox.backfill import TimeReference
from gateway.timekeeping.time_file import MAX_REFERENCES, KnownTimes, read_times, write_times


def reference(name: str) -> TimeReference:
    return TimeReference(name, 1, 2, 3.5, ClockState.GNSS)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known_time"
    assert read_times(path) == KnownTimes()
    times = KnownTimes(77, [reference("a"), reference("b")])
    write_times(path, times)
    assert read_times(path) == times
    assert [item.name for item in tmp_path.iterdir()] == ["known_time"]


def test_the_oldest_boot_goes_at_the_cap(tmp_path: Path) -> None:
    path = tmp_path / "known_time"
    write_times(path, KnownTimes(0, [reference(str(number)) for number in range(MAX_REFERENCES + 3)]))
    assert [item.boot_id for item in read_times(path).references][:2] == ["3", "4"]


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b'{"version":9,"known_ns":1,"references":[]}', b'{"version":1,"references":[{"boot_id":"\xff'],
)
def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "known_time"
    path.write_bytes(content)
    assert read_times(path) == KnownTimes()
    assert (tmp_path / "known_time.damaged").read_bytes() == content


def test_a_disk_that_does_not_take_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(LinkError) as caught:
        write_times(tmp_path / "absent" / "known_time", KnownTimes(1))
    assert caught.value.reason == "disk"
