from hypothesis import given
from hypothesis import strategies as st

from edge_agent.backoff import FullJitter
from gateway.supervisor.lifecycle import HELLO_TIMEOUT_S, STABLE_S, DriverLife, Phase


def life(hang_timeout_s: float = 10) -> DriverLife:
    return DriverLife(hang_timeout_s, FullJitter(0.5, 30, draw=lambda: 1.0))


def test_a_process_that_never_says_hello_is_overdue() -> None:
    driver = life()
    driver.started(0)
    assert driver.overdue(HELLO_TIMEOUT_S - 0.1) == ""
    assert driver.overdue(HELLO_TIMEOUT_S) == "no hello"


def test_a_driver_that_falls_silent_is_overdue_after_the_hang_timeout() -> None:
    driver = life()
    driver.started(0)
    driver.said_hello(2)
    driver.heard(5)
    assert driver.phase is Phase.RUNNING
    assert driver.overdue(14.9) == ""
    assert driver.overdue(15) == "no heartbeat"


def test_a_driver_that_the_gateway_holds_up_may_be_silent() -> None:
    """A disk that stalls for a minute keeps heartbeats waiting behind records: that is not the driver's fault."""
    driver = life()
    driver.started(0)
    driver.said_hello(1)
    driver.held_up(is_held_up=True, now=2)
    assert driver.overdue(62) == ""
    driver.held_up(is_held_up=False, now=62)
    assert driver.overdue(71) == ""
    assert driver.overdue(72) == "no heartbeat"


def test_restarts_back_off_and_a_stable_run_begins_anew() -> None:
    driver = life()
    waits = []
    for start in (0.0, 10.0, 20.0):
        driver.started(start)
        waits.append(driver.ended(start + 1))
    driver.started(30)
    waits.append(driver.ended(30 + STABLE_S))
    assert waits == [0.5, 1.0, 2.0, 0.5]
    assert driver.restarts == 4
    assert driver.phase is Phase.BACKOFF


def test_a_driver_that_is_not_running_is_never_overdue() -> None:
    driver = life()
    assert driver.overdue(10**6) == ""
    driver.started(0)
    driver.ended(1)
    assert driver.overdue(10**6) == ""
    driver.stopped()
    assert driver.phase is Phase.STOPPED


@given(beats=st.lists(st.floats(0, 9.99), max_size=50))
def test_a_driver_that_beats_in_time_is_never_killed(beats: list[float]) -> None:
    driver = life(10)
    driver.started(0)
    driver.said_hello(1)
    now = 1.0
    for step_s in beats:
        now += step_s
        assert driver.overdue(now) == ""
        driver.heard(now)
