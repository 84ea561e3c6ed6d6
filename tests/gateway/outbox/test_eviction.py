from hypothesis import given
from hypothesis import strategies as st

from contracts.records import RecordClass
from gateway.outbox.eviction import EVICTION_ORDER, Candidate, Eviction, EvictionPolicy


def candidates(*classes: RecordClass, age_s: float | None = None) -> list[Candidate]:
    return [Candidate(name, number + 1, age_s) for number, name in enumerate(classes)]


def test_nothing_goes_below_the_cap() -> None:
    assert EvictionPolicy(1000, 60).choose(candidates(RecordClass.LOG), 1000) is None


def test_the_least_precious_class_goes_first_and_alarms_last() -> None:
    policy = EvictionPolicy(1000, 60)
    present = list(EVICTION_ORDER)
    gone = []
    while present:
        choice = policy.choose([Candidate(name, EVICTION_ORDER.index(name), None) for name in present], 2000)
        assert choice is not None
        gone.append(EVICTION_ORDER[choice.batch_id])
        present.remove(gone[-1])
    assert gone == list(EVICTION_ORDER)
    assert gone[-1] is RecordClass.ALARM


def test_room_is_made_down_to_the_low_water_mark() -> None:
    policy = EvictionPolicy(1000, 60)
    assert policy.choose(candidates(RecordClass.LOG), 1001) == Eviction(1, "capacity")
    assert policy.choose(candidates(RecordClass.LOG), 980) == Eviction(1, "capacity")
    assert policy.choose(candidates(RecordClass.LOG), 970) is None
    assert policy.choose(candidates(RecordClass.LOG), 980) is None


def test_what_is_too_old_goes_although_there_is_room() -> None:
    policy = EvictionPolicy(1000, 60)
    assert policy.choose(candidates(RecordClass.TRACK, age_s=61), 1) == Eviction(1, "age")
    assert policy.choose(candidates(RecordClass.TRACK, age_s=60), 1) is None


def test_an_age_that_is_not_known_gives_nothing_up() -> None:
    assert EvictionPolicy(1000, 60).choose(candidates(RecordClass.TRACK, age_s=None), 1) is None


def test_full_of_gaps_there_is_nothing_left_to_give_up() -> None:
    assert EvictionPolicy(1000, 60).choose([], 5000) is None


@given(
    classes=st.sets(st.sampled_from(list(RecordClass)), min_size=1),
    used=st.integers(1001, 10_000),
)
def test_an_alarm_never_goes_while_anything_else_is_left(classes: set[RecordClass], used: int) -> None:
    listed = sorted(classes)
    choice = EvictionPolicy(1000, 60).choose(candidates(*listed), used)
    assert choice is not None
    if len(classes) > 1:
        assert listed[choice.batch_id - 1] is not RecordClass.ALARM
