from contracts.records import ClockState
from gateway.timekeeping.floor_policy import RIGHT_WITHIN_NS, BelievedTime, JudgeBy, TimeFloor

NS = 1_000_000_000
DAY = 86_400 * NS
KNOWN = 20_000 * DAY


def believed(utc_ns: int, mono_ns: int, error_ms: float = 0.0) -> BelievedTime:
    return BelievedTime(utc_ns, mono_ns, error_ms, ClockState.NTP)


def test_a_clock_of_1970_is_replaced_by_the_floor_which_runs_on() -> None:
    floor = TimeFloor(KNOWN, 5 * NS)
    assert floor.judge_by(0, 5 * NS, None) == JudgeBy(KNOWN, is_floor=True)
    assert floor.judge_by(3600 * NS, 3605 * NS, None) == JudgeBy(KNOWN + 3600 * NS, is_floor=True)


def test_a_clock_past_the_floor_is_left_to_openssl_although_nobody_steers_it() -> None:
    assert TimeFloor(KNOWN, 0).judge_by(KNOWN + DAY, NS, None) is None


def test_a_believed_and_right_clock_is_left_to_openssl_also_below_a_floor_that_is_too_late() -> None:
    floor = TimeFloor(KNOWN + 300 * DAY, 0)
    assert floor.judge_by(KNOWN, NS, believed(KNOWN, NS)) is None
    floor.believe(believed(KNOWN, NS))
    assert floor.floor_ns(NS) == KNOWN, "it corrects itself"


def test_a_wrong_clock_is_replaced_by_the_time_that_is_known_in_both_directions() -> None:
    floor = TimeFloor(KNOWN, 0)
    for wall_ns in (0, KNOWN + 9000 * DAY):
        assert floor.judge_by(wall_ns, 3 * NS, believed(KNOWN, 2 * NS)) == JudgeBy(KNOWN + NS, is_floor=False)
    assert floor.judge_by(KNOWN + RIGHT_WITHIN_NS, 2 * NS, believed(KNOWN, 2 * NS)) is None


def test_what_is_believed_is_past_for_sure_less_its_error() -> None:
    floor = TimeFloor(0, 0)
    floor.believe(believed(KNOWN, NS, 500.0))
    assert floor.floor_ns(2 * NS) == KNOWN + NS // 2


def test_a_floor_is_only_raised() -> None:
    floor = TimeFloor(KNOWN, 0)
    floor.raise_to(KNOWN - DAY, NS)
    assert floor.floor_ns(NS) == KNOWN + NS
    floor.raise_to(KNOWN + DAY, NS)
    assert floor.floor_ns(NS) == KNOWN + DAY
