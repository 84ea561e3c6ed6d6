from collections import Counter

from edge_agent.drivers.vitals import SILENCE_S, Vitals


def test_a_driver_that_says_nothing_is_dead_after_three_seconds() -> None:
    vitals = Vitals(100.0)
    assert vitals.is_alive(100.0 + SILENCE_S)
    assert not vitals.is_alive(100.1 + SILENCE_S)
    vitals.touch(104.0)
    assert vitals.is_alive(104.0 + SILENCE_S)


def test_a_driver_that_promised_to_wait_is_alive_for_as_long_and_no_longer() -> None:
    vitals = Vitals(0.0)
    vitals.touch(10.0, expect_s=15.0)
    assert vitals.is_alive(25.0)
    assert not vitals.is_alive(25.1 + SILENCE_S)


def test_a_sign_of_life_ends_a_longer_promise() -> None:
    vitals = Vitals(0.0)
    vitals.touch(10.0, expect_s=60.0)
    vitals.touch(11.0)
    assert not vitals.is_alive(15.0)


def test_only_transitions_are_news() -> None:
    vitals = Vitals(0.0)
    news = [
        vitals.link_down("refused"), vitals.link_down("refused"), vitals.link_down("timed out"),
        vitals.link_up(), vitals.link_up(), vitals.link_down("lost"),
    ]  # fmt: skip
    assert news == [True, False, False, True, False, True]


def test_the_newest_cause_is_shown_and_gone_once_all_is_well() -> None:
    vitals = Vitals(0.0)
    vitals.link_down("refused")
    vitals.link_down("timed out")
    assert (vitals.is_link_up, vitals.last_error) == (False, "timed out")
    vitals.link_up()
    assert (vitals.is_link_up, vitals.last_error) == (True, "")


def test_connected_hardware_that_is_not_understood_is_up_with_an_error() -> None:
    vitals = Vitals(0.0)
    vitals.link_up()
    assert [vitals.note_error("exception 2"), vitals.note_error("exception 4"), vitals.note_error("")] == [
        True, False, True,
    ]  # fmt: skip


def test_the_heartbeat_adds_up_what_all_parts_rejected() -> None:
    vitals = Vitals(0.0)
    parser = Counter(checksum=2, garbage=0)
    vitals.count_from(lambda: parser)
    vitals.count_from(lambda: {"overruns": 1, "checksum": 1})
    parser["checksum"] += 1
    beat = vitals.heartbeat(pending=7)
    assert beat.rejected == {"checksum": 4, "overruns": 1}
    assert (beat.pending, beat.is_link_up, beat.last_error) == (7, False, "")
