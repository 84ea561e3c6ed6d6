"""Judgement of looks at a broker: 2 s apart in the product, none here."""

from fleet_deploy.broker.watch import HANG_AFTER, Action, Look, Watch

CAP = 1000
WELL = Look(is_healthy=True, store_bytes=10)
SILENT = Look(is_healthy=False)


def test_ready_is_said_once() -> None:
    watch = Watch(CAP)
    assert [watch.judge(look) for look in (SILENT, SILENT, WELL, WELL)] == [
        Action.NOTHING,
        Action.NOTHING,
        Action.SAY_READY,
        Action.NOTHING,
    ]


def test_a_broker_that_was_never_ready_is_left_to_the_start_timeout() -> None:
    watch = Watch(CAP)
    assert {watch.judge(SILENT) for _ in range(HANG_AFTER * 3)} == {Action.NOTHING}


def test_silence_is_said_once_and_ended_after_five_looks() -> None:
    watch = Watch(CAP)
    watch.judge(WELL)
    assert [watch.judge(SILENT) for _ in range(HANG_AFTER)] == [
        Action.SAY_SILENT,
        *[Action.NOTHING] * (HANG_AFTER - 2),
        Action.END,
    ]


def test_an_answer_in_time_is_a_recovery_and_the_count_begins_again() -> None:
    watch = Watch(CAP)
    watch.judge(WELL)
    for _ in range(HANG_AFTER - 1):
        watch.judge(SILENT)
    assert watch.judge(WELL) is Action.SAY_READY
    assert [watch.judge(SILENT) for _ in range(HANG_AFTER)][-1] is Action.END


def test_a_store_over_half_its_cap_is_cleared() -> None:
    watch = Watch(CAP)
    assert watch.judge(Look(is_healthy=True, store_bytes=500)) is Action.SAY_READY
    assert watch.judge(Look(is_healthy=True, store_bytes=501)) is Action.END_AND_CLEAR


def test_an_unknown_store_size_is_no_reason_to_act() -> None:
    assert Watch(CAP).judge(Look(is_healthy=True)) is Action.SAY_READY
