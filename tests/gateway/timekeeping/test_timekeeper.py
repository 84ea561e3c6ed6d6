"""The shell with a clock that is set by hand."""

from pathlib import Path

from contracts.payloads import ClockSet, Payload
from contracts.records import ClockState
from gateway.timekeeping.floor_policy import BelievedTime, JudgeBy
from gateway.timekeeping.time_file import read_times
from gateway.timekeeping.timekeeper import WRITE_INTERVAL_NS, Timekeeper

NS = 1_000_000_000
UTC = 1_790_000_000 * NS


class HandClock:
    """A device that starts in 1970; ``sync`` sets it."""

    def __init__(self, boot_id: str = "b1") -> None:
        self.boot_id = boot_id
        self.mono = NS
        self.offset: int | None = None

    def mono_ns(self) -> int:
        return self.mono

    def wall_ns(self) -> int:
        return self.mono + (self.offset or 0)

    def believed_time(self) -> BelievedTime | None:
        return None if self.offset is None else BelievedTime(self.wall_ns(), self.mono, 4.0, ClockState.NTP)


class Notes:
    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.is_working = True

    def write(self, payload: Payload) -> None:
        self.payloads.append(payload)

    async def flush(self) -> bool:
        return self.is_working


async def test_the_moment_is_told_once_and_kept_for_the_next_start(tmp_path: Path) -> None:
    clock, notes = HandClock(), Notes()
    keeper = Timekeeper(tmp_path / "known_time", clock, notes)
    await keeper.look()
    assert keeper.reference("b1") is None
    clock.mono, clock.offset = 3600 * NS, UTC
    for _ in range(3):
        await keeper.look()
    assert notes.payloads == [
        ClockSet(boot_id="b1", mono_ns=3600 * NS, utc_ns=UTC + 3600 * NS, error_ms=4.0, source="ntp", drift_ppm=100.0)
    ]
    later = Timekeeper(tmp_path / "known_time", clock, notes)
    assert later.reference("b1") == keeper.reference("b1") != None  # noqa: E711 - the three are one statement
    await later.look()
    assert len(notes.payloads) == 1


async def test_the_reference_is_used_only_once_the_record_of_it_is_stored(tmp_path: Path) -> None:
    clock, notes = HandClock(), Notes()
    keeper = Timekeeper(tmp_path / "known_time", clock, notes)
    clock.offset, notes.is_working = UTC, False
    await keeper.look()
    await keeper.look()
    assert keeper.reference("b1") is None
    assert len(notes.payloads) == 1
    notes.is_working = True
    clock.mono += 5 * NS
    await keeper.look()
    found = keeper.reference("b1")
    assert found is not None
    assert found.mono_ns == NS, "the first moment, not that of the disk"


async def test_the_known_time_is_written_every_ten_minutes_and_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "known_time"
    clock = HandClock()
    clock.offset = UTC
    keeper = Timekeeper(path, clock, Notes())
    await keeper.look()
    first = read_times(path).known_ns
    clock.mono += WRITE_INTERVAL_NS - 1
    await keeper.look()
    assert read_times(path).known_ns == first
    clock.mono += 1
    await keeper.look()
    assert read_times(path).known_ns == first + WRITE_INTERVAL_NS
    clock.mono += 7
    await keeper.keep()
    assert read_times(path).known_ns == first + WRITE_INTERVAL_NS + 7


async def test_the_next_boot_in_1970_judges_by_the_last_known_time(tmp_path: Path) -> None:
    path = tmp_path / "known_time"
    clock = HandClock()
    clock.offset = UTC
    keeper = Timekeeper(path, clock, Notes())
    assert keeper.judge_by() is None
    await keeper.look()
    known = read_times(path).known_ns
    cold = Timekeeper(path, HandClock("b2"), Notes())
    assert cold.judge_by() == JudgeBy(known, is_floor=True)
    assert cold.reference("b1") is not None, "records of the last boot may still wait"


async def test_a_certificates_begin_is_the_floor_of_a_new_device(tmp_path: Path) -> None:
    keeper = Timekeeper(tmp_path / "known_time", HandClock(), Notes(), floor_ns=UTC)
    assert keeper.judge_by() == JudgeBy(UTC, is_floor=True)


async def test_a_disk_that_does_not_take_it_stops_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    clock.offset = UTC
    keeper = Timekeeper(tmp_path / "absent" / "known_time", clock, Notes())
    await keeper.look()
    assert keeper.reference("b1") is not None
