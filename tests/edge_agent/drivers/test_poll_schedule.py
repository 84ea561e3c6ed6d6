from hypothesis import given
from hypothesis import strategies as st

from edge_agent.drivers.poll_schedule import PollSchedule


def test_slots_keep_their_phase_whatever_a_poll_takes() -> None:
    schedule = PollSchedule(200, 1000)
    assert [schedule.next_due(now) for now in (1030, 1210, 1599)] == [1200, 1400, 1600]
    assert schedule.take_missed() == 0


def test_a_slot_that_passed_is_missed_and_not_made_up() -> None:
    """A poll took 650 of 200: the slots at 1200, 1400 and 1600 are gone."""
    schedule = PollSchedule(200, 1000)
    assert schedule.next_due(1650) == 1800
    assert schedule.take_missed() == 3
    assert schedule.take_missed() == 0


@given(st.integers(1, 10**9), st.integers(0, 10**12), st.lists(st.integers(0, 10**10), min_size=1, max_size=50))
def test_every_slot_is_on_the_grid_ahead_and_accounted_for(period: int, start: int, steps: list[int]) -> None:
    schedule = PollSchedule(period, start)
    now, last, missed = start, start, 0
    for step in steps:
        now += step
        due = schedule.next_due(now)
        missed += schedule.take_missed()
        assert due >= now
        assert due > last
        assert (due - start) % period == 0
        now, last = due, due
    assert (last - start) // period == len(steps) + missed
