from typing import Any

from pydantic import TypeAdapter

from contracts.payloads import Alarm, CraneSample, Payload
from edge_agent.alarms.limits import NS
from edge_agent.alarms.readings import KINDS, readings_of
from edge_agent.alarms.sink import AlarmSink
from edge_agent.clock import Moment
from edge_agent.handover.protocol import ActiveAlarm
from firmware_configs.alarms import Alarms
from firmware_configs.hardware_profile import Source
from gateway.local.html import ALARM_NAMES

SOURCE = TypeAdapter[Source](Source).validate_python(
    {
        "source": "cranes", "driver": "quay_crane", "sample_hz": 5,
        "link": {"kind": "serial", "device": "/dev/x", "baud": 19200},
        "units": [
            {"unit_id": 1, "registers": "sts-plc-a", "place": "sts-1"},
            {"unit_id": 2, "registers": "sts-plc-a", "place": "sts-2"},
        ],
        "alarms": {"wind": {"stop_mps": 20}},
        "place_alarms": {"sts-2": {"wind": {"stop_mps": 30}}},
    }
)  # fmt: skip


class Kept:
    def __init__(self) -> None:
        self.items: list[tuple[Payload, str | None]] = []

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        assert raw is None or at
        self.items.append((payload, place))

    async def room(self) -> None:
        return

    def alarms(self) -> list[tuple[str | None, bool]]:
        return [(place, payload.is_active) for payload, place in self.items if isinstance(payload, Alarm)]


def blow(sink: AlarmSink, place: str, speed_mps: float) -> None:
    for number in range(20):
        at = Moment(number * NS // 5, number * NS // 5)
        sample = CraneSample(wind_mps=speed_mps)
        if number % 5:
            sink.watch(sample, at, place)
        else:
            sink.put(sample, None, at, place)


def test_limits_are_kept_on_samples_that_are_not_published_and_by_place() -> None:
    kept = Kept()
    sink = AlarmSink(kept, SOURCE)
    sink.adopt([])
    for place in ("sts-1", "sts-2"):
        blow(sink, place, 25.0)
    assert kept.alarms() == [("sts-1", True)]
    assert len(kept.items) == 9
    assert sink.counts() == {"alarm_subjects": 0, "alarm_known": 0}


def test_only_the_first_welcome_counts_and_places_that_are_gone_are_cleared() -> None:
    kept = Kept()
    sink = AlarmSink(kept, SOURCE)
    alarm = Alarm(alarm="crane_wind_stop", severity="alarm", is_active=True, value=22.0, raised_at_ns=3)
    sink.adopt([ActiveAlarm(alarm, "sts-1"), ActiveAlarm(alarm, "sts-9")])
    assert kept.alarms() == [("sts-9", False)]
    sink.adopt([ActiveAlarm(alarm, "sts-9")])
    blow(sink, "sts-1", 25.0)
    assert kept.alarms() == [("sts-9", False)]


def test_an_alarm_of_the_driver_itself_is_not_told_twice_nor_cleared_by_the_limits() -> None:
    kept = Kept()
    sink = AlarmSink(kept, SOURCE)
    moved = Alarm(alarm="antenna_moved", severity="warning", is_active=True, subject="antenna", raised_at_ns=3)
    sink.adopt([ActiveAlarm(moved, "sts-1")])
    blow(sink, "sts-1", 5.0)
    at = Moment(10 * NS, 10 * NS)
    sink.put(Alarm(**{**_fields(moved), "raised_at_ns": 9}), None, at, "sts-1")
    assert kept.alarms() == []
    assert sink.counts()["alarm_known"] == 1
    sink.put(Alarm(**{**_fields(moved), "raised_at_ns": 9, "is_active": False}), None, at, "sts-1")
    assert kept.alarms() == [("sts-1", False)]


def _fields(alarm: Alarm) -> dict[str, Any]:
    return {name: getattr(alarm, name) for name in alarm.__struct_fields__}


def test_the_kinds_of_the_readings_are_the_closed_set() -> None:
    everything = Alarms.model_validate(
        {
            "wind": {"warning_mps": 1, "stop_mps": 2},
            "mooring": {"high_kn": 1, "high_pct": 1, "slack_kn": 1, "imbalance_pct": 1},
            "approach": {"warning_mps": 1, "high_mps": 2},
        }
    )
    assert set(ALARM_NAMES) >= KINDS
    assert frozenset[str]().union(*(each.kinds for each in readings_of(everything))) == KINDS
