"""The backlog's pace: what makes it rest, and what must not."""

import pytest

from firmware_configs.device import Uplink as UplinkSettings
from gateway.uplink import blame_policy
from gateway.uplink.blame_policy import LIVE_GONE_S
from gateway.uplink.pace_policy import STARVED_S, Pace
from tests.support.simulated_link import SimulatedLink

GOAL_S = 0.5


def made_late() -> Pace:
    """Live was answered late twice in a row at 1 s and 2 s."""
    pace = Pace(GOAL_S, 12)
    pace.sent(0.0)
    for number in range(40):
        pace.answered(0.1, number / 100, is_backlog=False, was_full=False)
    for at in (1.0, 2.0):
        pace.heard(3.0, at, is_backlog=False)
        pace.answered(3.0, at, is_backlog=False, was_full=False)
    return pace


def test_the_backlog_rests_while_live_is_late() -> None:
    pace = made_late()
    pace.sent(2.0)
    assert pace.allows(0, 3.0) == 0
    assert pace.rests_until(3.0) == 2.0 + LIVE_GONE_S


def test_it_does_not_rest_for_a_live_that_is_gone() -> None:
    pace = made_late()
    pace.sent(2.0)
    assert pace.allows(0, 2.0 + LIVE_GONE_S - 0.1) == 0
    assert pace.allows(0, 2.0 + LIVE_GONE_S) >= 1


def test_without_that_rule_the_last_batches_would_lie_for_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blame_policy, "LIVE_GONE_S", float("inf"))
    pace = made_late()
    pace.sent(2.0)
    assert pace.allows(0, 2.0 + STARVED_S - 1.0) == 0


@pytest.mark.parametrize("is_measured", [True, False])
def test_a_cloud_that_is_slow_by_itself_does_not_stop_the_backlog(
    monkeypatch: pytest.MonkeyPatch, *, is_measured: bool
) -> None:
    """With its mutation proof: one batch went in a quarter of an hour while receipts took three seconds."""
    if not is_measured:
        monkeypatch.setattr(Pace, "_measure_alone", lambda *_, **__: None)
    link = SimulatedLink(1_000_000, UplinkSettings())
    link.run(30)
    link.delay_s = 3.0
    link.run(30)
    before = link.backlog_done
    link.run(600)
    assert (link.backlog_done - before > 150) is is_measured
    assert link.live_p95_s() < 4.5


def test_what_was_learned_of_a_slow_cloud_is_forgotten_when_it_is_quick() -> None:
    link = SimulatedLink(1_000_000, UplinkSettings())
    link.run(30)
    link.delay_s = 3.0
    link.run(120)
    assert link.lanes._pace._slow_goal_s > 3.0
    link.delay_s = 0.1
    link.run(120)
    assert link.lanes._pace._slow_goal_s < 1.5
