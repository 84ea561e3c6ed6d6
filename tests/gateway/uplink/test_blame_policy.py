"""What the backlog is blamed for, and what not."""

from gateway.uplink.blame_policy import MAKING_UP_S, Blame

GOAL_S = 1.0


def draining(took_s: float, rounds: int = 3) -> tuple[Blame, float]:
    """The backlog goes batch by batch, each answered after ``took_s``; returns it and when the last was answered."""
    blame, now = Blame(), 100.0
    for _ in range(rounds):
        blame.sent(now)
        now += took_s
        blame.heard(took_s, now, GOAL_S, is_backlog=True)
    blame.sent(now)
    return blame, now


def late(blame: Blame, took_s: float, now: float) -> bool:
    """Live is answered late; tells whether the backlog rests for it."""
    blame.heard(took_s, now, GOAL_S, is_backlog=False)
    blame.count(took_s, now, is_late=True)
    return blame.is_late(now)


def test_live_that_waited_behind_a_batch_of_a_thin_link_is_its_fault() -> None:
    blame, now = draining(3.0)
    assert late(blame, 3.0, now + 3.2)


def test_so_it_is_behind_the_first_batch_of_a_connection() -> None:
    blame = Blame()
    blame.sent(100.0)
    assert late(blame, 3.0, 103.0)


def test_a_gap_that_no_batch_explains_is_the_cloud_s() -> None:
    blame, now = draining(0.1)
    assert not late(blame, 3.0, now + 3.2)


def test_a_round_that_a_silence_made_long_does_not_explain_the_next_silence() -> None:
    blame, now = draining(0.1)
    blame.heard(8.0, now + 8.0, GOAL_S, is_backlog=True)
    blame.sent(now + 8.0)
    assert not late(blame, 8.0, now + 16.0)


def test_after_a_silence_the_cloud_may_make_up_for_it_and_no_longer() -> None:
    for silent_s, until_s in ((4.0, 4.0), (60.0, MAKING_UP_S)):
        for is_over in (False, True):
            blame, now = draining(0.1)
            now += silent_s
            blame.heard(silent_s, now, GOAL_S, is_backlog=True)
            blame.sent(now)
            now += until_s + (0.5 if is_over else -0.5)
            blame.heard(0.5, now - 0.1, GOAL_S, is_backlog=True)
            assert late(blame, 2.5, now) is is_over


def test_what_had_nothing_of_the_backlog_before_it_is_not_its_fault() -> None:
    blame, now = draining(3.0)
    blame.heard(3.0, now + 3.0, GOAL_S, is_backlog=True)
    blame.heard(0.1, now + 19.0, GOAL_S, is_backlog=False)
    assert not late(blame, 3.0, now + 20.0)


def test_a_miss_counts_unless_it_was_overtaken_or_nothing_is_answered() -> None:
    for is_overtaken, heard_s, is_blamed in ((False, 0.5, True), (True, 0.5, False), (False, 7.0, False)):
        blame, now = draining(3.0)
        now += 8.0
        blame.sent(now - 5.0)
        blame.heard(0.1, now - heard_s, GOAL_S, is_backlog=False)
        blame.missed(7.0, now, GOAL_S, is_overtaken=is_overtaken)
        assert blame.is_late(now) is is_blamed


def test_live_that_is_gone_is_not_rested_for() -> None:
    blame, now = draining(3.0)
    assert late(blame, 3.0, now + 3.2)
    assert not blame.is_late(blame.live_gone_at)
