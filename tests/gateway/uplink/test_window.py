from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.models import Lane, StoredBatch
from gateway.uplink.window import MAX_STRAGGLERS, STRAGGLER_CAP_S, STRAGGLER_GAP_S, Window
from tests.support.uplink_doubles import stored


def batch(number: int, lane: Lane = Lane.BACKLOG) -> StoredBatch:
    return stored(number, lane, 10)


def test_a_flight_ends_with_an_answer_and_counts_against_its_lane_until_then() -> None:
    window = Window(timeout_s=5, cap_s=60)
    window.sent(batch(1, Lane.LIVE), 0)
    window.sent(batch(2), 0)
    assert (window.in_flight(Lane.LIVE), window.in_flight(Lane.BACKLOG)) == (1, 1)
    assert window.size_bytes() == 20
    assert window.answered(1) is not None
    assert window.answered(1) is None
    assert window.ids() == frozenset({2})


def test_a_batch_without_a_receipt_is_due_after_waits_that_double_up_to_the_cap() -> None:
    """Sent at 0, again at 5, 15, 35, 55 …"""
    window = Window(timeout_s=5, cap_s=20)
    now = 0.0
    waits = []
    for _ in range(5):
        window.sent(batch(1), now)
        wake_at = window.wake_at()
        assert wake_at is not None
        assert window.due(wake_at - 0.001) == []
        assert window.due(wake_at) == [1]
        waits.append(wake_at - now)
        now = wake_at
    assert waits == [5, 10, 20, 20, 20]


def test_a_new_connection_makes_all_due_alarms_first_but_their_waits_go_on_growing() -> None:
    window = Window(timeout_s=5, cap_s=60)
    window.sent(batch(1), 0)
    window.sent(batch(3, Lane.ALARM), 0)
    window.sent(batch(2, Lane.LIVE), 0)
    window.reconnected(1)
    assert window.due(1) == [3, 2, 1]
    for number in (1, 2, 3):
        window.sent(batch(number), 1)
    assert window.wake_at() == 11


def test_a_batch_is_found_by_its_digest_while_in_flight() -> None:
    window = Window(timeout_s=5, cap_s=60)
    window.sent(batch(1), 0)
    assert window.find("digest-1") == 1
    assert window.find("b") is None


def pass_over(window: Window, numbers: list[int], now: float) -> float:
    """Send ``numbers`` whenever due while three others are answered after each send, until they are stragglers."""
    other = 1000
    while set(numbers) - {item.batch_id for item in window.stragglers()}:
        for number in [number for number in numbers if number not in window.ids() or number in window.due(now)]:
            window.sent(batch(number), now)
        for _ in range(3):
            other += 1
            window.sent(batch(other), now)
            window.answered(other)
        wake_at = window.wake_at()
        assert wake_at is not None
        now = max(now, wake_at)
    return now


def test_a_batch_that_others_overtake_at_three_sends_blocks_its_lane_no_longer_and_is_never_given_up() -> None:
    """Sent at 0, 5 and 15 and overtaken each time; at 35 it is sent as a straggler."""
    window = Window(timeout_s=5, cap_s=60)
    now = pass_over(window, [1], 0)
    assert now >= 35
    assert window.in_flight(Lane.BACKLOG) == 0
    assert window.size_bytes() == 0
    assert window.ids() == frozenset({1})
    assert window.due(10**6) == []
    waits = []
    for _ in range(8):
        wake_at = window.wake_at()
        assert wake_at is not None
        assert window.straggler_due(wake_at) == 1
        window.sent(batch(1), wake_at)
        waits.append(window.wake_at() - wake_at)  # type: ignore[operator] # it is in flight
        now = wake_at
    assert max(waits) == STRAGGLER_CAP_S
    assert window.answered(1) is not None


def test_while_nobody_is_answered_nobody_is_a_straggler() -> None:
    """The cloud is away for an hour, then answers the newest batches first."""
    window = Window(timeout_s=5, cap_s=60)
    now = 0.0
    while now < 3600:
        for number in (1, 2, 3, 4, 5):
            if number not in window.ids() or number in window.due(now):
                assert not window.sent(batch(number), now)
        now += 1
    for number in (5, 4, 3, 2):
        window.sent(batch(number), now)
        window.answered(number)
    assert not window.sent(batch(1), now)
    assert window.stragglers() == []


def test_stragglers_go_one_in_five_seconds_and_are_capped() -> None:
    window = Window(timeout_s=5, cap_s=60)
    numbers = list(range(1, MAX_STRAGGLERS + 1))
    now = pass_over(window, numbers, 0)
    window.sent(batch(500), now)
    for number in numbers:
        window.demote(number)
    window.reconnected(now + 100)
    first = window.straggler_due(now + 100)
    assert first is not None
    window.sent(batch(first), now + 100)
    assert window.straggler_due(now + 100 + STRAGGLER_GAP_S - 0.1) is None
    assert window.straggler_due(now + 100 + STRAGGLER_GAP_S) is not None
    for sends in range(1, 6):
        for other in range(3):
            window.sent(batch(600 + 3 * sends + other), now)
            window.answered(600 + 3 * sends + other)
        assert not window.sent(batch(500), now)
    assert window.in_flight(Lane.BACKLOG) == 1


@given(silent_s=st.floats(1, 100_000), step_s=st.floats(0.05, 5))
def test_a_silent_cloud_never_meets_a_storm(silent_s: float, step_s: float) -> None:
    window = Window(timeout_s=5, cap_s=60)
    now, sends = 0.0, 0
    window.sent(batch(1), now)
    for _ in range(min(400, int(silent_s / step_s))):
        now += step_s
        for _ in window.due(now):
            window.sent(batch(1), now)
            sends += 1
    assert sends <= 4 + now / 60
