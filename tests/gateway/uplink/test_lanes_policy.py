"""The lanes over simulated links: live within its time on each of them, and the backlog in what is left."""

import pytest

from firmware_configs.device import Uplink as UplinkSettings
from gateway.outbox.models import Lane
from gateway.uplink.lanes_policy import ALARM_SLOTS, Lanes
from gateway.uplink.pace_policy import Pace
from gateway.uplink.window import Window
from tests.support.simulated_link import SimulatedLink
from tests.support.uplink_doubles import stored


def settings(**values: float) -> UplinkSettings:
    return UplinkSettings.model_validate(values)


@pytest.mark.parametrize("bytes_per_s", [6_000, 12_500, 50_000, 250_000])
def test_live_comes_within_two_seconds_on_a_link_whose_rate_nobody_has_configured(bytes_per_s: int) -> None:
    """48 kbit/s to 2 Mbit/s, five minutes of draining; a batch of the backlog is 18 kB, live takes 3.6 kB/s."""
    link = SimulatedLink(bytes_per_s, settings())
    link.run(300)
    assert link.live_p95_s() <= 2.0
    left = bytes_per_s - 4 * link.live_bytes
    used = link.backlog_done * link.backlog_bytes / 300
    assert used >= (0.5 if bytes_per_s > 6_000 else 0.03) * left


@pytest.mark.parametrize("bytes_per_s", [12_500, 50_000])
def test_without_the_pace_the_backlog_would_hold_live_up(bytes_per_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(Pace, "allows", lambda _self, in_flight, _now: 12 - in_flight)
    link = SimulatedLink(bytes_per_s, settings())
    link.run(60)
    assert link.live_p95_s() > 2.0


def test_on_a_satellite_link_the_backlog_drains_too() -> None:
    """700 ms there and back, and a cloud that takes 600 ms to commit: over the goal without any queue."""
    link = SimulatedLink(500_000, settings(), delay_s=1.3)
    link.run(120)
    assert link.live_p95_s() <= 2.0
    assert link.backlog_done * link.backlog_bytes / 120 >= 30_000


def test_a_configured_rate_is_kept_and_the_backlog_keeps_to_its_share() -> None:
    link = SimulatedLink(10**7, settings(link_bytes_per_s=20_000, backlog_share=0.5, burst_bytes=16_384))
    link.run(200)
    total = sum(size for _, size in link.sent_bytes)
    assert total <= 20_000 * 200 + 16_384 + link.backlog_bytes
    backlog = link.backlog_done * link.backlog_bytes
    assert 0.4 * 20_000 * 200 <= backlog <= 0.5 * 20_000 * 200 + 2 * link.backlog_bytes
    assert link.live_p95_s() <= 1.0


@pytest.mark.parametrize("floor", [0.02, 0.1])
def test_while_live_takes_all_the_backlog_still_gets_its_floor(floor: float) -> None:
    """Live makes 3.6 kB/s on a link of 3 kB/s."""
    values = settings(link_bytes_per_s=3_000, burst_bytes=4096, backlog_floor_share=floor)
    link = SimulatedLink(10**7, values, backlog_bytes=4000)
    link.run(800)
    got = link.backlog_done * link.backlog_bytes / 800
    assert 0.6 * floor * 3_000 <= got <= 1.6 * floor * 3_000 + 5


def test_without_a_floor_the_backlog_gets_nothing_while_live_takes_all() -> None:
    values = settings(link_bytes_per_s=3_000, burst_bytes=4096, backlog_floor_share=0)
    link = SimulatedLink(10**7, values, backlog_bytes=4000)
    link.run(60)
    done = link.backlog_done
    link.run(400)
    assert link.backlog_done - done <= 1


def test_alarms_wait_for_neither_lane_nor_bucket() -> None:
    values = settings(link_bytes_per_s=3_000, burst_bytes=4096)
    link = SimulatedLink(10**7, values)
    link.run(600, alarm_every_s=7)
    assert len(link.alarm_s) >= 80
    assert max(link.alarm_s) <= 0.2


def test_the_backlog_can_never_fill_the_window_for_live_nor_live_for_alarms() -> None:
    window = Window(5, 60)
    lanes = Lanes(settings(window_batches=16), window)
    lanes.reconnected(0)
    number = 0
    for _ in range(200):
        for _ in range(lanes.room(Lane.BACKLOG, 0)[0]):
            number += 1
            lanes.sent(stored(number, Lane.BACKLOG, 100), 0)
        backlog = [item.batch_id for item in window.flights(Lane.BACKLOG)]
        lanes.answered(backlog[0], 0.01)
    assert lanes.pace == 12
    for _ in range(lanes.room(Lane.BACKLOG, 0)[0]):
        number += 1
        lanes.sent(stored(number, Lane.BACKLOG, 100), 0)
    assert window.in_flight(Lane.BACKLOG) == 12
    assert lanes.room(Lane.LIVE, 0)[0] == 4
    for _ in range(4):
        number += 1
        lanes.sent(stored(number, Lane.LIVE, 100), 0)
    assert lanes.room(Lane.LIVE, 0) == (0, 0)
    assert lanes.room(Lane.ALARM, 0)[0] == ALARM_SLOTS


def test_a_pause_is_of_the_lanes_that_the_broker_means_and_ends_by_itself() -> None:
    lanes = Lanes(settings(), Window(5, 60))
    lanes.reconnected(0)
    lanes.pause(frozenset({Lane.BACKLOG}), 15, 0)
    assert lanes.room(Lane.BACKLOG, 14.9) == (0, 0)
    assert lanes.room(Lane.LIVE, 1)[0] > 0
    assert lanes.wake_at(1) == 15
    assert lanes.room(Lane.BACKLOG, 15)[0] == 1


def test_the_backlog_begins_small_on_each_connection() -> None:
    link = SimulatedLink(10**7, settings())
    link.run(30)
    assert link.lanes.pace == 12
    link.lanes.reconnected(link.now)
    assert link.lanes.pace == 1


def test_figures_tell_each_lane() -> None:
    link = SimulatedLink(100_000, settings())
    link.run(60)
    by_lane = {item.lane: item for item in link.lanes.figures(link.now)}
    assert by_lane[Lane.LIVE].batches >= 235
    assert by_lane[Lane.BACKLOG].size_bytes == by_lane[Lane.BACKLOG].batches * link.backlog_bytes
    assert 0.5 * 96_000 <= by_lane[Lane.BACKLOG].bytes_per_s <= 100_000
    assert by_lane[Lane.BACKLOG].records_per_s > 0
    assert by_lane[Lane.ALARM].batches == 0
    assert 0 <= by_lane[Lane.LIVE].oldest_s < 2


@pytest.mark.parametrize("is_told", [True, False])
def test_what_a_lost_connection_took_with_it_does_not_slow_the_backlog_of_the_next(*, is_told: bool) -> None:
    """With its mutation proof: as misses, the resends would end the slow start of the new connection at once."""
    window = Window(5, 60)
    lanes = Lanes(settings(), window)
    lanes.reconnected(0)
    live = [stored(number, Lane.LIVE, 100) for number in (1, 2, 3)]
    for batch in live:
        lanes.sent(batch, 0)
    lanes.lost(1)
    lanes.reconnected(2)
    if not is_told:
        for flight in window.flights():
            flight.is_on_wire = True
    for batch in live:
        lanes.timed_out(batch.batch_id, 2)
        lanes.sent(batch, 2)
    for number in range(10, 22):
        lanes.sent(stored(number, Lane.BACKLOG, 100), 2.0 + number / 10)
        while (count := lanes.room(Lane.BACKLOG, 2.0 + number / 10)[0]) > 0:
            lanes.sent(stored(100 * number + count, Lane.BACKLOG, 100), 2.0 + number / 10)
        lanes.answered(number, 2.05 + number / 10)
    assert (lanes.pace >= 12) is is_told
