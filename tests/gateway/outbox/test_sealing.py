from hypothesis import given
from hypothesis import strategies as st

from contracts.records import RecordClass
from gateway.outbox.sealing import SealingPolicy


def test_a_full_batch_is_due_at_once() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.pending_is(RecordClass.TRACK, 10, now=0)
    assert policy.due(0) == [RecordClass.TRACK]


def test_a_batch_that_is_not_full_waits_for_its_age_counted_from_its_first_record() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.pending_is(RecordClass.TRACK, 1, now=0)
    policy.pending_is(RecordClass.TRACK, 2, now=4)
    assert policy.due(4.9) == []
    assert policy.wake_at() == 5
    assert policy.due(5) == [RecordClass.TRACK]


def test_urgent_classes_are_due_at_once_and_come_first() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.pending_is(RecordClass.TRACK, 10, now=0)
    policy.pending_is(RecordClass.ALARM, 1, now=0)
    assert policy.due(0) == [RecordClass.ALARM, RecordClass.TRACK]


def test_what_was_sealed_is_not_due_any_more() -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=5)
    policy.pending_is(RecordClass.TRACK, 10, now=0)
    policy.pending_is(RecordClass.TRACK, 0, now=0)
    assert policy.due(100) == []
    assert policy.wake_at() is None


@given(
    facts=st.lists(st.tuples(st.sampled_from(list(RecordClass)), st.integers(0, 20), st.floats(0, 1)), max_size=30),
)
def test_at_its_wake_time_something_is_always_due(facts: list[tuple[RecordClass, int, float]]) -> None:
    policy = SealingPolicy(seal_records=10, seal_after_s=0.25)
    now = 0.0
    for name, count, step_s in facts:
        now += step_s
        policy.pending_is(name, count, now)
    wake_at = policy.wake_at()
    if wake_at is not None:
        assert policy.due(wake_at)
    else:
        assert policy.due(now + 1) == []
