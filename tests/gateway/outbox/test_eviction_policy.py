from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.records import RecordClass
from gateway.outbox import eviction_policy
from gateway.outbox.eviction_policy import (
    EVICTION_ORDER,
    Bound,
    Cap,
    ClassLoad,
    EvictionPolicy,
    Sacrifice,
)

CAP = Cap(1000)
NO_BOUND = Bound(10**9, 10**9)


def policy(**bounds: Bound) -> EvictionPolicy:
    return EvictionPolicy({name: bounds.get(name.value, NO_BOUND) for name in RecordClass})


def load(name: RecordClass, size_bytes: int = 100, **values: object) -> ClassLoad:
    return ClassLoad(name, size_bytes, **({"is_droppable": True} | values))  # type: ignore[arg-type]


def everything(*, is_thinnable: bool) -> list[ClassLoad]:
    thinnable = (RecordClass.TELEMETRY, RecordClass.TRACK)
    return [load(name, is_thinnable=is_thinnable and name in thinnable) for name in RecordClass]


def sacrifices(choose: EvictionPolicy, loads: Sequence[ClassLoad], used_bytes: int) -> list[tuple[RecordClass, bool]]:
    """Follow the policy until nothing is left: what is thinned stays droppable, what is dropped is gone."""
    found = []
    left = {each.record_class: each for each in loads}
    while (choice := choose.choose(list(left.values()), used_bytes, CAP)) is not None:
        name = choice.record_class
        found.append((name, choice.is_thinning))
        left[name] = load(name, is_droppable=choice.is_thinning)
    return found


def test_nothing_goes_below_the_high_water_mark() -> None:
    assert policy().choose(everything(is_thinnable=True), 980, CAP) is None


def test_everything_is_thinned_before_anything_is_dropped_and_alarms_stay() -> None:
    assert sacrifices(policy(), everything(is_thinnable=True), 2000) == [
        (RecordClass.TELEMETRY, True),
        (RecordClass.TRACK, True),
        (RecordClass.LOG, False),
        (RecordClass.TELEMETRY, False),
        (RecordClass.TRACK, False),
        (RecordClass.CRANE_CYCLE, False),
    ]


def test_with_alarms_in_the_order_others_would_push_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the one above."""
    monkeypatch.setattr(eviction_policy, "EVICTION_ORDER", (*EVICTION_ORDER, RecordClass.ALARM))
    assert (RecordClass.ALARM, False) in sacrifices(policy(), everything(is_thinnable=True), 2000)


def test_room_is_made_at_once_down_to_the_high_water_mark_then_little_by_little() -> None:
    choose = policy()
    loads = [load(RecordClass.LOG)]
    urgent = choose.choose(loads, 990, CAP)
    gently = choose.choose(loads, 970, CAP)
    assert urgent is not None
    assert urgent.is_urgent
    assert gently is not None
    assert not gently.is_urgent
    assert choose.choose(loads, 950, CAP) is None
    assert choose.choose(loads, 970, CAP) is None


def test_alarms_pay_for_their_own_cap_only() -> None:
    choose = policy(alarm=Bound(1000, 10**9))
    assert choose.choose([load(RecordClass.ALARM, 970), load(RecordClass.LOG)], 500, CAP) is None
    choice = choose.choose([load(RecordClass.ALARM, 1001), load(RecordClass.LOG)], 500, CAP)
    assert choice == Sacrifice(RecordClass.ALARM, False, "capacity")


def test_a_class_over_its_cap_is_thinned_first_and_others_are_left_alone() -> None:
    choose = policy(track=Bound(1000, 10**9))
    choice = choose.choose([load(RecordClass.TRACK, 1001, is_thinnable=True), load(RecordClass.LOG)], 500, CAP)
    assert choice == Sacrifice(RecordClass.TRACK, True, "capacity")


def test_what_is_too_old_goes_whatever_room_there_is_and_what_has_no_age_stays() -> None:
    choose = policy(telemetry=Bound(10**9, 60))
    old = load(RecordClass.TELEMETRY, is_thinnable=True, oldest_age_s=61.0)
    assert choose.choose([old], 0, CAP) == Sacrifice(RecordClass.TELEMETRY, False, "age")
    assert choose.choose([load(RecordClass.TELEMETRY, oldest_age_s=60.0)], 0, CAP) is None
    assert choose.choose([load(RecordClass.TELEMETRY)], 0, CAP) is None


def test_gaps_are_not_given_up_again() -> None:
    assert (
        policy().choose([load(name, is_droppable=False, oldest_age_s=1e12) for name in RecordClass], 5000, CAP) is None
    )


def test_the_disk_is_named_when_it_was_the_disk() -> None:
    choice = policy().choose([load(RecordClass.LOG)], 1001, Cap(1000, "disk_space"))
    assert choice == Sacrifice(RecordClass.LOG, False, "disk_space")


@given(
    st.lists(
        st.builds(
            ClassLoad,
            st.sampled_from(list(RecordClass)),
            st.integers(0, 3000),
            st.booleans(),
            st.booleans(),
            st.one_of(st.none(), st.floats(0, 200)),
        ),
        unique_by=lambda each: each.record_class,
    ),
    st.integers(0, 3000),
)
def test_only_what_is_there_is_given_up_and_alarms_never_for_others(loads: list[ClassLoad], used_bytes: int) -> None:
    bounds = {name: Bound(1000, 100.0) for name in RecordClass}
    choice = EvictionPolicy(bounds).choose(loads, used_bytes, CAP)
    if choice is None:
        return
    (chosen,) = [each for each in loads if each.record_class is choice.record_class]
    assert chosen.is_thinnable if choice.is_thinning else chosen.is_droppable
    if choice.record_class is RecordClass.ALARM and choice.reason != "age":
        assert chosen.size_bytes > 980
