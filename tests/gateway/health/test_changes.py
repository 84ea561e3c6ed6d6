from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.health.changes import MAX_SUBJECTS, HealthChanges


def test_only_transitions_are_news() -> None:
    changes = HealthChanges()
    first = changes.judge("uplink", is_healthy=False, reason="refused")
    assert first is not None
    assert (first.subject, first.is_healthy, first.reason) == ("uplink", False, "refused")
    assert changes.judge("uplink", is_healthy=False, reason="another") is None
    recovered = changes.judge("uplink", is_healthy=True, reason="refused")
    assert recovered is not None
    assert recovered.reason == ""


def test_the_table_is_bounded() -> None:
    changes = HealthChanges()
    for number in range(MAX_SUBJECTS + 5):
        changes.judge(f"s{number}", is_healthy=True)
    assert changes.judge("one-more", is_healthy=False) is None
    assert changes.judge("s0", is_healthy=False) is not None


@given(states=st.lists(st.booleans()))
def test_events_of_one_subject_alternate(states: list[bool]) -> None:
    changes = HealthChanges()
    events = [event.is_healthy for state in states if (event := changes.judge("x", is_healthy=state))]
    assert all(first is not second for first, second in pairwise(events))
    assert not states or events[-1] is states[-1]
