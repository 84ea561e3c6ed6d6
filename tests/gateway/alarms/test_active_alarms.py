from pathlib import Path

import msgspec
import pytest

from contracts.errors import LinkError
from contracts.payloads import Alarm, Wind
from contracts.records import Observation
from gateway.alarms import active as active_module
from gateway.alarms import state_file
from gateway.alarms.active import ActiveAlarms, SourceAlarm
from gateway.alarms.keeper import AlarmKeeper
from gateway.alarms.state_file import read_state, write_state
from gateway.counters import Counters
from gateway.outbox.models import Appended
from tests.support.gateway_doubles import SlowStore
from tests.support.gateway_records import observation


def alarm(*, is_active: bool = True, subject: str = "", at_ns: int = 5, severity: str = "alarm") -> Observation:
    payload = Alarm(
        alarm="mooring_tension_high", severity=severity, is_active=is_active, value=700.0, limit=600.0, unit="kN",
        subject=subject, raised_at_ns=at_ns,
    )  # fmt: skip
    return observation(payload, source="ais")


def test_an_alarm_is_active_from_its_record_to_the_record_that_clears_it_whatever_comes_twice() -> None:
    active = ActiveAlarms()
    assert active.take([observation(Wind()), alarm()])
    assert not active.take([alarm()])
    assert [each.alarm.raised_at_ns for each in active.listed()] == [5]
    assert active.of_source("ais")[0].alarm.subject == ""
    assert active.of_source("wind") == []
    assert active.take([alarm(is_active=False)])
    assert not active.take([alarm(is_active=False)])
    assert active.listed() == []


def test_the_most_urgent_and_newest_come_first() -> None:
    active = ActiveAlarms()
    active.take(
        [alarm(subject="a", severity="warning", at_ns=9), alarm(subject="b", at_ns=1), alarm(subject="c", at_ns=2)]
    )
    assert [each.alarm.subject for each in active.listed()] == ["c", "b", "a"]


def test_the_set_has_a_cap_and_what_is_beyond_is_counted() -> None:
    active = ActiveAlarms()
    active.take([alarm(subject=str(number)) for number in range(active_module.MAX_ACTIVE + 3)])
    assert (len(active.listed()), active.refused) == (active_module.MAX_ACTIVE, 3)


def test_the_file_brings_back_what_was_active(tmp_path: Path) -> None:
    path = tmp_path / "alarms.json"
    assert read_state(path) == []
    active = ActiveAlarms()
    active.take([alarm(subject="hook 1"), alarm(subject="hook 2")])
    write_state(path, active.listed())
    again = ActiveAlarms(read_state(path))
    assert again.listed() == active.listed()
    assert again.forget_others(["wind"]) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0", b'{"version":2,"active":[]}', b'{"version":1,"active":[{}]}', b'{"active":[{"source":"\xff'],
)
def test_a_damaged_file_is_set_aside_and_nothing_stops(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "alarms.json"
    path.write_bytes(content)
    assert read_state(path) == []
    assert not path.exists()
    assert path.with_suffix(".damaged").read_bytes() == content


def test_a_disk_that_does_not_take_it_is_a_link_error(tmp_path: Path) -> None:
    with pytest.raises(LinkError) as caught:
        write_state(tmp_path / "missing" / "alarms.json", [])
    assert caught.value.reason == "disk"


class Shown:
    def __init__(self) -> None:
        self.lists: list[list[SourceAlarm]] = []

    def put(self, alarms: list[SourceAlarm]) -> None:
        self.lists.append(alarms)


async def test_an_alarm_is_shown_after_its_commit_and_known_to_the_next_gateway(tmp_path: Path) -> None:
    store, shown, counters = SlowStore(), Shown(), Counters()
    keeper = AlarmKeeper(store, tmp_path / "alarms.json", ["ais"], shown.put, counters)
    await keeper.load()
    assert await keeper.append("ais", "r", 1, [alarm()]) == Appended(1)
    assert await keeper.stored_no("ais", "r") == 1
    assert [len(alarms) for alarms in shown.lists] == [0, 1]
    following = AlarmKeeper(store, tmp_path / "alarms.json", ["ais"], shown.put, counters)
    await following.load()
    assert [each.alarm.is_active for each in following.active_alarms("ais")] == [True]
    without_it = AlarmKeeper(store, tmp_path / "alarms.json", ["wind"], shown.put, counters)
    await without_it.load()
    assert shown.lists[-1] == []
    assert counters.total("alarms_of_removed_sources") == 1


async def test_an_alarm_that_is_not_on_disk_is_not_shown(tmp_path: Path) -> None:
    store, shown = SlowStore(), Shown()
    keeper = AlarmKeeper(store, tmp_path / "alarms.json", ["ais"], shown.put, Counters())
    store.is_broken = True
    with pytest.raises(LinkError):
        await keeper.append("ais", "r", 1, [alarm()])
    assert shown.lists == []


async def test_a_file_that_cannot_be_written_costs_no_record(tmp_path: Path) -> None:
    shown, counters = Shown(), Counters()
    keeper = AlarmKeeper(SlowStore(), tmp_path / "missing" / "alarms.json", ["ais"], shown.put, counters)
    assert await keeper.append("ais", "r", 1, [alarm()]) == Appended(1)
    assert counters.total("alarm_state_unwritten") == 1
    assert len(shown.lists[-1]) == 1


def test_the_largest_state_is_below_its_cap() -> None:
    each = SourceAlarm(source="s" * 40, place="p" * 40, alarm=msgspec.structs.replace(ALARM, subject="hook 64"))
    assert len(msgspec.json.encode([each] * active_module.MAX_ACTIVE)) < state_file.MAX_BYTES


ALARM = Alarm(
    alarm="mooring_tension_imbalance", severity="warning", is_active=True, value=123.456, limit=123.456, unit="kN",
    raised_at_ns=1_800_000_000_000_000_000,
)  # fmt: skip
