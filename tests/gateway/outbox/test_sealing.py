from hypothesis import given
from hypothesis import strategies as st

from contracts.records import RecordClass
from gateway.outbox.models import URGENT_CLASSES
from gateway.outbox.sealing import SealingPolicy

TRACK, LOG = 1, 2


def test_records_that_make_a_full_batch_are_due() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.open_is(TRACK, 9, now=0)
    assert policy.due(0) == []
    policy.open_is(TRACK, 10, now=0)
    assert policy.due(0) == [TRACK]


def test_fewer_wait_for_their_age_counted_from_the_first_record() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.open_is(TRACK, 1, now=0)
    policy.open_is(TRACK, 2, now=4)
    assert policy.due(4.9) == []
    assert policy.wake_at() == 5
    assert policy.due(5) == [TRACK]


def test_urgent_classes_are_always_sealed_and_others_while_the_uplink_is_hungry() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    assert {name for name in RecordClass if policy.is_sealed_at_once(name)} == URGENT_CLASSES
    policy.is_hungry = True
    assert all(policy.is_sealed_at_once(name) for name in RecordClass)


def test_what_was_sealed_is_not_due_any_more() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.open_is(TRACK, 10, now=0)
    policy.open_is(LOG, 1, now=0)
    policy.open_is(TRACK, 0, now=0)
    assert policy.open_streams() == [LOG]
    assert policy.open_records(TRACK) == 0
    assert policy.due(1) == []


@given(facts=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 20), st.floats(0, 1)), max_size=30))
def test_at_its_wake_time_something_is_always_due(facts: list[tuple[int, int, float]]) -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=0.25)
    now = 0.0
    for stream, count, step_s in facts:
        now += step_s
        policy.open_is(stream, count, now)
    wake_at = policy.wake_at()
    if wake_at is not None:
        assert policy.due(wake_at)
    else:
        assert policy.due(now + 1) == []
