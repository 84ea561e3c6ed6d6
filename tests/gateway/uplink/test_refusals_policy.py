from gateway.uplink.refusals_policy import MAX_REMEMBERED, SUSPECT, Refusals
from gateway.uplink.refusals_policy import SURE as SURELY


def test_a_batch_is_set_aside_once_every_broker_has_refused_it_while_others_get_through() -> None:
    refusals = Refusals(2)
    refusals.answered(7)
    assert not refusals.note(1, 0, SURELY)
    assert not refusals.note(1, 0, SURELY)
    assert refusals.note(1, 1, SURELY)


def test_a_broker_that_takes_nothing_sets_nothing_aside() -> None:
    refusals = Refusals(1)
    assert not any(refusals.note(number, 0, SURELY) for number in range(100))
    refusals.answered(200)
    assert refusals.note(1, 0, SURELY)
    assert not refusals.note(2, 0, SURELY)


def test_a_suspect_is_believed_at_the_third_time() -> None:
    refusals = Refusals(1)
    refusals.answered(7)
    assert [refusals.note(1, 0, SUSPECT) for _ in range(3)] == [False, False, True]


def test_what_is_remembered_is_bounded() -> None:
    refusals = Refusals(1)
    for number in range(2 * MAX_REMEMBERED):
        refusals.note(number, 0, SUSPECT)
    assert len(refusals._scores) == MAX_REMEMBERED
