"""A bus in virtual time: what dead units cost those that answer."""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.drivers import bus_policy
from edge_agent.drivers.bus_policy import BACKOFF_BASE_NS, BACKOFF_CAP_NS, BusPolicy

MS = 1_000_000
SECOND = 1000 * MS
READ_NS = 15 * MS
TIMEOUT_NS = 300 * MS


@dataclass
class Run:
    polls: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    timeouts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))


def drive(units: int, dead: set[int], for_s: int, period_ns: int = SECOND) -> Run:
    """Run a bus: an answer takes 15 ms, a dead unit 300 ms."""
    policy, run, now_ns = BusPolicy(range(1, units + 1), period_ns, 0), Run(), 0
    while now_ns < for_s * SECOND:
        turn = policy.next_turn(now_ns)
        if turn.unit_id is None:
            assert turn.wake_ns > now_ns
            now_ns = turn.wake_ns
        elif turn.unit_id in dead:
            now_ns += TIMEOUT_NS
            run.timeouts[turn.unit_id].append(now_ns)
            policy.timed_out(turn.unit_id, now_ns)
        else:
            run.polls[turn.unit_id].append(now_ns)
            now_ns += READ_NS
            policy.answered(turn.unit_id, now_ns)
    return run


@given(st.integers(2, 12), st.sets(st.integers(1, 12), max_size=8), st.sampled_from([200 * MS, SECOND, 5 * SECOND]))
@settings(max_examples=60, deadline=None)
def test_dead_units_cost_a_neighbour_one_timeout_between_two_polls(units: int, dead: set[int], period_ns: int) -> None:
    dead = {unit for unit in dead if unit < units}
    run = drive(units, dead, 180, period_ns)
    for unit in set(range(1, units + 1)) - dead:
        # its own period, one timeout, and a round of the others; several dead ones are asked when all is polled
        slack = TIMEOUT_NS + units * READ_NS
        later = [at for at in run.polls[unit] if at > 10 * SECOND]
        gaps = [b - a for a, b in itertools.pairwise(later)]
        assert max(gaps) <= max(period_ns, TIMEOUT_NS) + slack


@given(st.integers(2, 12), st.sets(st.integers(1, 11), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_dead_unit_is_asked_once_a_backoff(units: int, dead: set[int]) -> None:
    dead = {unit for unit in dead if unit < units}
    run = drive(units, dead, 600)
    for unit in dead:
        times = run.timeouts[unit]
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert all(gap >= min(BACKOFF_CAP_NS, BACKOFF_BASE_NS * 2**index) for index, gap in enumerate(gaps))
        assert max(gaps) <= 2 * BACKOFF_CAP_NS + 2 * SECOND, "it is not forgotten"
        assert len(times) <= 4 + 600 // 30 + 1


def test_without_backoff_a_dead_unit_takes_the_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof."""
    fair = drive(3, {2}, 60, 200 * MS)
    monkeypatch.setattr(bus_policy, "BACKOFF_BASE_NS", 1)
    monkeypatch.setattr(bus_policy, "BACKOFF_CAP_NS", 1)
    greedy = drive(3, {2}, 60, 200 * MS)
    assert len(fair.polls[1]) > 290
    assert len(greedy.polls[1]) < 210


def test_a_unit_that_answers_again_is_polled_at_its_pace() -> None:
    policy = BusPolicy([1], SECOND, 0)
    policy.timed_out(1, 0)
    assert policy.is_silent
    turn = policy.next_turn(SECOND)
    assert turn.unit_id is None
    assert policy.next_turn(turn.wake_ns).unit_id == 1
    policy.answered(1, turn.wake_ns)
    assert not policy.is_dead(1)
    assert policy.next_turn(turn.wake_ns + SECOND).unit_id == 1


def test_after_a_lost_link_those_that_answered_come_first_and_the_dead_stay_dead() -> None:
    policy = BusPolicy([1, 2], SECOND, 0)
    policy.answered(1, 0)
    policy.timed_out(2, 0)
    policy.restart(100)
    assert policy.next_turn(100).unit_id == 1
    assert policy.is_dead(2)
    policy.timed_out(1, 200)
    assert policy.is_silent
    policy.restart(300)
    assert not policy.is_silent, "a bus that came back is asked at once, all of it"


def test_slots_that_a_long_poll_missed_are_counted() -> None:
    policy = BusPolicy([1], SECOND, 0)
    policy.answered(1, 3 * SECOND + 1)
    assert policy.missed == 3
