"""A gateway whose streams are moved by hand, reported every 2 s."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.health import StreamStatus
from contracts.records import RecordClass
from gateway.health.headroom_policy import Fill, Headroom, HeadroomPolicy

STEP_S = 2.0
TRACK = "s.g.0123456789abcdef.track"
ALARM = "s.g.0123456789abcdef.alarm"
NEW_TRACK = "s.g.fedcba9876543210.track"


@dataclass
class Device:
    policy: HeadroomPolicy = field(default_factory=HeadroomPolicy)
    capacity_bytes: int = 1_000_000
    bounds: dict[RecordClass, int] = field(default_factory=dict)
    now_s: float = 50.0
    numbers: dict[str, list[int]] = field(default_factory=dict)

    def report(self, steps: int, came: int = 0, went: int = 0, stream_id: str = TRACK) -> Headroom:
        """Let so many records come and go in each of so many steps; a record is 100 bytes."""
        newest = Headroom()
        for _ in range(steps):
            total = self.numbers.setdefault(stream_id, [0, 0])
            total[0] += came
            total[1] = max(0, total[1] + came - went)
            streams = [
                StreamStatus(
                    stream_id=name, next_seq=produced + 1, buffered_records=held, buffered_bytes=100 * held,
                    oldest_age_s=7.0 if held else None,
                )
                for name, (produced, held) in self.numbers.items()
            ]  # fmt: skip
            used_bytes = sum(item.buffered_bytes for item in streams)
            newest = self.policy.note(Fill(streams, used_bytes, self.capacity_bytes, self.bounds), self.now_s)
            self.now_s += STEP_S
        return newest


def test_at_the_first_report_nothing_is_known() -> None:
    found = Device().report(1, came=150)
    assert (found.headroom_s, found.replay_records_per_s, found.drain_s) == (None, None, None)
    assert found.classes[0].bytes_per_s is None
    assert found.classes[0].buffered_records == 150


def test_offline_the_headroom_is_the_room_over_what_comes_in() -> None:
    """75 records a second of 100 bytes into 1 MB: 133 s from empty, less what has passed."""
    device = Device()
    found = device.report(30, came=150)
    assert found.classes[0].records_per_s == pytest.approx(75)
    assert found.classes[0].bytes_per_s == pytest.approx(7500)
    assert found.headroom_s == pytest.approx((1_000_000 - 30 * 150 * 100) / 7500)
    assert found.drain_s is None, "it does not get less"
    assert found.classes[0].oldest_age_s == 7.0


def test_online_it_says_what_an_outage_would_find() -> None:
    found = Device().report(30, came=150, went=150)
    assert found.headroom_s is None, "the size of a record was never seen"
    device = Device()
    device.report(1, came=150)
    found = device.report(30, came=150, went=150)
    assert found.headroom_s == pytest.approx((1_000_000 - 15_000) / 7500, rel=0.01)
    assert found.drain_s == 0.0, "what came in the last seconds is not a backlog"
    assert found.replay_records_per_s == pytest.approx(75, rel=0.2)


def test_a_backlog_drains_by_what_goes_more_than_comes() -> None:
    device = Device(capacity_bytes=10**9)
    device.report(30, came=1500)
    found = device.report(60, came=150, went=750)
    held = device.numbers[TRACK][1]
    assert held == 9000
    assert found.replay_records_per_s == pytest.approx(375, rel=0.05)
    assert found.drain_s == pytest.approx(9000 / (375 - 75), rel=0.3)


def test_the_bound_of_a_class_counts_where_it_is_reached_first() -> None:
    device = Device(bounds={RecordClass.TRACK: 500_000})
    found = device.report(30, came=150)
    assert found.classes[0].capacity_bytes == 500_000
    assert found.classes[0].headroom_s == pytest.approx((500_000 - 450_000) / 7500)
    assert found.headroom_s == found.classes[0].headroom_s


def test_a_full_buffer_has_no_headroom() -> None:
    assert Device(capacity_bytes=1000).report(30, came=150).headroom_s == 0.0


def test_nothing_that_comes_in_is_no_end_and_no_error() -> None:
    found = Device().report(60)
    assert found.headroom_s is None
    assert found.drain_s == 0.0


def test_a_class_that_was_never_seen_waiting_does_not_hide_the_headroom() -> None:
    device = Device()
    device.report(30, came=150)
    device.report(1, came=1, went=1, stream_id=ALARM)
    assert device.report(30, came=150).headroom_s is not None


def test_a_new_store_begins_new_numbers_and_the_old_one_drains() -> None:
    device = Device(capacity_bytes=10**9)
    device.report(30, came=150)
    found = device.report(20, came=150, stream_id=NEW_TRACK)
    assert found.classes[0].records_per_s == pytest.approx(75)
    assert found.classes[0].buffered_records == 30 * 150 + 20 * 150
    del device.numbers[TRACK]
    found = device.report(1, came=150, stream_id=NEW_TRACK)
    assert (found.replay_records_per_s or 0) > 100, "what was in it has gone up"


@example([(0, 0, 0, 0.0), (1, 0, 0, 5e-324)], 1)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**15), st.floats(0, 1e6)),
        max_size=12,
    ),
    st.integers(0, 10**15),
)
def test_any_figures_give_figures_or_none(reports: list[tuple[int, int, int, float]], capacity_bytes: int) -> None:
    policy, now_s = HeadroomPolicy(), 0.0
    for produced, held, size, passed_s in reports:
        now_s += passed_s
        stream = StreamStatus(stream_id=TRACK, next_seq=produced + 1, buffered_records=held, buffered_bytes=size)
        found = policy.note(Fill([stream], size, capacity_bytes), now_s)
        for figure in (found.headroom_s, found.drain_s, found.replay_records_per_s):
            assert figure is None or figure >= 0
