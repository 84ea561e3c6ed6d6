import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.brokers_policy import (
    PERSON_BASE_S,
    PERSON_CAP_S,
    PROBES,
    STABLE_S,
    BrokerChoice,
    Reconnect,
    spread_s,
)
from gateway.uplink.reactions_policy import Patience


def largest() -> float:
    return 1.0


def peak_per_s(arrivals: list[float]) -> int:
    """Most arrivals in any second, wherever it begins."""
    ordered = sorted(arrivals)
    first, peak = 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - 1:
            first += 1
        peak = max(peak, last - first + 1)
    return peak


def arrivals(fleet: int, spread: float, away_s: float, seed: int) -> list[float]:
    """Times at which a fleet that lost its broker together, and for ``away_s``, is connected again."""
    draw = random.Random(seed).random
    found = []
    for _ in range(fleet):
        reconnect = Reconnect(0.5, 10.0, spread, draw)
        now = reconnect.lost_s(3600, Patience.WEATHER)
        while now < away_s:
            now += reconnect.failed_s(Patience.WEATHER)
        found.append(now)
    return found


@pytest.mark.parametrize("away_s", [0, 3, 8, 13, 20, 67])
@pytest.mark.parametrize(("fleet", "limit"), [(500, 150), (500, 100), (60, 40), (5000, 200)])
def test_a_fleet_that_lost_its_broker_together_comes_back_below_the_limit(
    fleet: int, limit: int, away_s: float
) -> None:
    spread = spread_s(fleet, limit)
    for seed in range(20):
        assert peak_per_s(arrivals(fleet, spread, away_s, seed)) <= limit


def test_without_the_spread_the_fleet_storms() -> None:
    """Mutation proof of the test above."""
    assert peak_per_s(arrivals(500, 0.0, 0, 1)) > 150


def test_a_single_gateway_waits_no_longer_than_its_base() -> None:
    assert spread_s(1, 1) == 0
    assert Reconnect(0.5, 30, 0, largest).first_s() <= 0.5


@given(fleet=st.integers(2, 100_000), limit=st.floats(1, 10_000))
def test_the_mean_of_the_spread_is_below_the_limit(fleet: int, limit: float) -> None:
    assert fleet / spread_s(fleet, limit) < limit


def test_each_patience_has_steps_of_its_own_and_a_success_ends_them() -> None:
    reconnect = Reconnect(0.5, 30, 0, largest)
    assert [reconnect.failed_s(Patience.WEATHER) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [reconnect.failed_s(Patience.BUSY) for _ in range(4)] == [5, 10, 20, 30]
    assert [reconnect.failed_s(Patience.PERSON) for _ in range(5)] == [30, 60, 120, 240, 300]
    assert (PERSON_BASE_S, PERSON_CAP_S) == (30, 300)
    assert reconnect.lost_s(STABLE_S - 1, Patience.WEATHER) == 30
    assert reconnect.lost_s(STABLE_S, Patience.WEATHER) <= 0.5
    assert reconnect.failed_s(Patience.WEATHER) == 0.5


def test_brokers_go_in_turn_and_the_wait_is_by_the_mildest_of_a_round() -> None:
    choice = BrokerChoice(2, 300, largest)
    assert choice.failed(Patience.PERSON) is Patience.WEATHER
    assert choice.current == 1
    assert choice.failed(Patience.BUSY) is Patience.BUSY
    assert choice.current == 0
    assert choice.failed(Patience.PERSON) is Patience.WEATHER
    assert choice.failed(Patience.PERSON) is Patience.PERSON


def test_a_round_is_over_when_every_broker_has_failed() -> None:
    choice = BrokerChoice(3, 300, largest)
    seen = []
    for _ in range(6):
        choice.failed(Patience.WEATHER)
        seen.append(choice.is_round_over)
    assert seen == [False, False, True] * 2


@pytest.mark.parametrize("away_s", [0, 3, 20])
def test_a_fleet_whose_node_died_arrives_at_the_next_below_the_limit(away_s: float) -> None:
    """The next is tried at once after the dead one has refused; both are away for a while, then the next is back."""
    fleet, limit = 500, 150
    spread = spread_s(fleet, limit)
    for seed in range(20):
        draw = random.Random(seed).random
        found = []
        for _ in range(fleet):
            reconnect, choice = Reconnect(0.5, 10.0, spread, draw), BrokerChoice(2, 300, draw)
            now = reconnect.lost_s(3600, Patience.WEATHER)
            while choice.current == 0 or now < away_s:
                patience = choice.failed(Patience.WEATHER)
                now += reconnect.failed_s(patience) if choice.is_round_over else 0.0
            found.append(now)
        assert peak_per_s(found) <= limit


def test_a_single_broker_is_waited_for_by_what_it_asks() -> None:
    choice = BrokerChoice(1, 300, largest)
    assert choice.failed(Patience.PERSON) is Patience.PERSON
    assert choice.current == 0
    assert choice.probe_in_s() is None


@pytest.mark.parametrize("draw", [lambda: 0.0, lambda: 1.0])
def test_the_first_broker_is_gone_back_to_when_it_has_answered_for_the_whole_time(draw: Callable[[], float]) -> None:
    choice = BrokerChoice(2, 300, draw)
    choice.failed(Patience.WEATHER)
    choice.connected()
    assert not choice.probed(has_answered=True)
    assert not choice.probed(has_answered=True)
    assert not choice.probed(has_answered=False)
    waited_s = 0.0
    for _ in range(PROBES):
        waited_s += choice.probe_in_s() or 0.0
        is_time = choice.probed(has_answered=True)
    assert is_time
    assert 300 <= waited_s <= 450
    assert choice.current == 0
