from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.window import MAX_WINDOW_BYTES, Window


def test_the_window_closes_at_its_limit_and_opens_with_a_receipt() -> None:
    window = Window(limit=2, timeout_s=5, cap_s=60)
    window.sent(1, "a", 10, now=0)
    window.sent(2, "b", 10, now=0)
    assert window.room()[0] == 0
    window.gone(1)
    assert window.room() == (1, MAX_WINDOW_BYTES - 10)
    assert window.ids() == frozenset({2})


def test_the_window_closes_when_the_bytes_in_flight_reach_the_cap() -> None:
    window = Window(limit=256, timeout_s=5, cap_s=60)
    window.sent(1, "a", MAX_WINDOW_BYTES, now=0)
    assert window.room()[0] == 0


def test_a_batch_without_a_receipt_is_due_after_waits_that_double_up_to_the_cap() -> None:
    """Sent at 0, again at 5, 15, 35, 60 + 35 …"""
    window = Window(limit=2, timeout_s=5, cap_s=20)
    now = 0.0
    waits = []
    for _ in range(5):
        window.sent(1, "a", 10, now)
        wake_at = window.wake_at()
        assert wake_at is not None
        assert window.due(wake_at - 0.001) == []
        assert window.due(wake_at) == [1]
        waits.append(wake_at - now)
        now = wake_at
    assert waits == [5, 10, 20, 20, 20]


def test_a_new_connection_makes_all_due_but_their_waits_go_on_growing() -> None:
    window = Window(limit=4, timeout_s=5, cap_s=60)
    window.sent(2, "b", 10, now=0)
    window.sent(1, "a", 10, now=0)
    window.reconnected(1)
    assert window.due(1) == [1, 2]
    window.sent(1, "a", 10, now=1)
    window.sent(2, "b", 10, now=1)
    assert window.wake_at() == 11


def test_a_batch_is_found_by_its_digest_while_in_flight() -> None:
    window = Window(limit=4, timeout_s=5, cap_s=60)
    window.sent(1, "a", 10, now=0)
    assert window.find("a") == 1
    assert window.find("b") is None


@given(silent_s=st.floats(1, 100_000), step_s=st.floats(0.05, 5))
def test_a_silent_cloud_never_meets_a_storm(silent_s: float, step_s: float) -> None:
    window = Window(limit=1, timeout_s=5, cap_s=60)
    now, sends = 0.0, 0
    window.sent(1, "a", 10, now)
    for _ in range(min(400, int(silent_s / step_s))):
        now += step_s
        for batch_id in window.due(now):
            window.sent(batch_id, "a", 10, now)
            sends += 1
    assert sends <= 4 + now / 60
