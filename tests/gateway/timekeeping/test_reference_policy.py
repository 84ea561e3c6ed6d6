from contracts.records import ClockState
from gateway.timekeeping.floor_policy import BelievedTime
from gateway.timekeeping.reference_policy import GOOD_ERROR_MS, SETTLE_NS, WORST_ERROR_MS, ReferencePolicy

UTC = 1_790_000_000_000_000_000


def at(mono_ns: int, error_ms: float) -> BelievedTime:
    return BelievedTime(UTC + mono_ns, mono_ns, error_ms, ClockState.NTP)


def test_a_good_time_is_taken_at_once() -> None:
    taken = ReferencePolicy("b").judge(at(7, 3.0))
    assert taken is not None
    assert (taken.boot_id, taken.mono_ns, taken.utc_ns, taken.error_ms) == ("b", 7, UTC + 7, 3.0)
    assert taken.source is ClockState.NTP


def test_a_poor_time_is_given_a_minute_to_get_better() -> None:
    policy = ReferencePolicy("b")
    assert policy.judge(None) is None
    assert policy.judge(at(5, GOOD_ERROR_MS + 1)) is None
    assert policy.judge(at(6, GOOD_ERROR_MS)) is not None


def test_one_that_stays_poor_is_taken_with_the_bound_that_it_states() -> None:
    policy = ReferencePolicy("b")
    assert policy.judge(at(5, 900.0)) is None
    assert policy.judge(at(4 + SETTLE_NS, 900.0)) is None
    taken = policy.judge(at(5 + SETTLE_NS, 900.0))
    assert taken is not None
    assert taken.error_ms == 900.0


def test_belief_that_was_lost_begins_anew_and_a_minutes_error_is_no_reference() -> None:
    policy = ReferencePolicy("b")
    assert policy.judge(at(5, 900.0)) is None
    assert policy.judge(None) is None
    assert policy.judge(at(5 + SETTLE_NS, 900.0)) is None
    assert policy.judge(at(9 + 3 * SETTLE_NS, WORST_ERROR_MS + 1)) is None
