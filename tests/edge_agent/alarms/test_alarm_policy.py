from collections.abc import Iterator

from contracts.payloads import Alarm, BerthSample, CraneSample, Payload, Wind
from edge_agent.alarms import alarm_policy
from edge_agent.alarms.alarm_policy import AlarmPolicy
from edge_agent.alarms.limits import NS, Limit
from edge_agent.alarms.readings import Reading, readings_of
from firmware_configs.alarms import Alarms, ApproachLimits, MooringLimits, WindLimits

WALL_NS = 1_800_000_000 * NS


def a_policy(**limits: WindLimits | MooringLimits | ApproachLimits) -> AlarmPolicy:
    policy = AlarmPolicy(readings_of(Alarms.model_validate(limits)))
    policy.adopt([])
    return policy


def play(policy: AlarmPolicy, *samples: tuple[float, Payload]) -> list[Alarm]:
    """Feed (s, payload) pairs; returns all alarms."""
    news = []
    for at_s, payload in samples:
        news += policy.feed(payload, round(at_s * NS), WALL_NS + round(at_s * NS))
    return news


def blow(begin_s: float, end_s: float, speed_mps: float, hz: float = 5) -> list[tuple[float, Payload]]:
    count = round((end_s - begin_s) * hz)
    return [(begin_s + number / hz, CraneSample(wind_mps=speed_mps)) for number in range(count)]


def words(alarms: list[Alarm]) -> list[tuple[str, str, bool]]:
    return [(alarm.alarm, alarm.subject, alarm.is_active) for alarm in alarms]


WIND = WindLimits(warning_mps=16, stop_mps=20, clear_after_s=5)


def test_wind_warns_and_stops_by_the_three_second_gust_not_by_a_single_sample() -> None:
    """8 s calm, one sample of 60 m/s (a spike: gust 13.3), 6 s calm, then 21 m/s."""
    samples = [*blow(0, 8, 10), (8.0, CraneSample(wind_mps=60.0)), *blow(8.2, 14, 10), *blow(14, 18, 21)]
    alarms = play(a_policy(wind=WIND), *samples)
    assert words(alarms) == [("crane_wind_warning", "", True), ("crane_wind_stop", "", True)]
    assert [alarm.severity for alarm in alarms] == ["warning", "alarm"]
    assert alarms[1].value is not None
    assert alarms[1].value >= 20 == alarms[1].limit
    assert alarms[1].raised_at_ns - WALL_NS < 17.1 * NS


def test_the_record_that_clears_names_the_moment_that_raised() -> None:
    alarms = play(a_policy(wind=WIND), *blow(0, 6, 18), *blow(6, 20, 5))
    assert words(alarms) == [("crane_wind_warning", "", True), ("crane_wind_warning", "", False)]
    assert alarms[0].raised_at_ns == alarms[1].raised_at_ns
    assert alarms[1].value is not None
    assert alarms[1].value < 14


def test_an_anemometer_that_falls_silent_clears_nothing() -> None:
    samples = [*blow(0, 6, 25), *[(6 + number, CraneSample()) for number in range(300)]]
    assert all(alarm.is_active for alarm in play(a_policy(wind=WIND), *samples))


def test_a_crane_with_an_anemometer_of_sentences_has_the_same_limits() -> None:
    samples = [(number * 1.0, Wind(speed_mps=22.0)) for number in range(5)]
    assert len(play(a_policy(wind=WIND), *samples)) == 2


HOOKS = MooringLimits(high_kn=600, high_pct=50, slack_kn=5, imbalance_pct=60, groups=[[1, 2]])


def hold(
    begin_s: int, end_s: int, *tensions: float | None, loads: list[float | None] | None = None
) -> list[tuple[float, Payload]]:
    sample = BerthSample(hook_tension_kn=list(tensions), hook_load_pct=loads)
    return [(float(at_s), sample) for at_s in range(begin_s, end_s)]


def test_a_hook_that_is_too_tight_is_told_within_two_samples() -> None:
    alarms = play(a_policy(mooring=HOOKS), *hold(0, 5, 300, 300), *hold(5, 7, 300, 650))
    assert words(alarms) == [("mooring_tension_high", "hook 2", True)]
    assert (alarms[0].raised_at_ns - WALL_NS, alarms[0].value, alarms[0].unit) == (6 * NS, 650, "kN")


def test_load_in_percent_of_the_breaking_load_has_its_own_limit() -> None:
    alarms = play(a_policy(mooring=HOOKS), *hold(0, 3, 300, 300, loads=[20, 55]))
    assert words(alarms) == [("mooring_load_high", "hook 2", True)]


def test_a_line_that_held_and_hangs_is_slack_while_the_ship_is_there() -> None:
    alarms = play(a_policy(mooring=HOOKS), *hold(0, 5, 100, 100, 0), *hold(5, 17, 100, 1, 0))
    assert ("mooring_tension_slack", "hook 2", True) in words(alarms)
    assert not [alarm for alarm in alarms if alarm.subject == "hook 3"]


def test_a_ship_that_casts_off_leaves_no_slack_lines_behind() -> None:
    samples = [*hold(0, 5, 100, 100), *hold(5, 20, 100, 1), *hold(20, 60, 0, 0)]
    alarms = play(a_policy(mooring=HOOKS), *samples)
    assert {word for word in words(alarms) if word[2]} == {
        ("mooring_tension_slack", "hook 2", True), ("mooring_tension_imbalance", "group 1", True),
    }  # fmt: skip
    assert {word[:2] for word in words(alarms) if not word[2]} == {word[:2] for word in words(alarms) if word[2]}


def test_a_lost_load_cell_is_neither_slack_nor_balance_and_clears_nothing() -> None:
    samples = [*hold(0, 5, 100, 100), *hold(5, 20, 100, 650), *hold(20, 90, 100, None)]
    alarms = play(a_policy(mooring=HOOKS), *samples)
    assert [word for word in words(alarms) if not word[2]] == []


def test_approach_counts_only_near_the_quay() -> None:
    limits = ApproachLimits(warning_mps=0.1, high_mps=0.2, within_m=100)
    far = [(float(at_s), BerthSample(distance_m=150.0, approach_speed_mps=0.5)) for at_s in range(3)]
    near = [(float(at_s), BerthSample(distance_m=90.0, approach_speed_mps=0.15)) for at_s in range(3, 5)]
    fast = [(float(at_s), BerthSample(distance_m=80.0, approach_speed_mps=0.25)) for at_s in range(5, 7)]
    alarms = play(a_policy(approach=limits), *far, *near, *fast)
    assert words(alarms) == [("approach_speed_warning", "", True), ("approach_speed", "", True)]


def test_hooks_and_laser_in_sentences_of_their_own_do_not_disturb_each_other() -> None:
    policy = a_policy(mooring=HOOKS, approach=ApproachLimits(high_mps=0.2))
    hooks, laser = BerthSample(hook_tension_kn=[650.0]), BerthSample(distance_m=50.0, approach_speed_mps=0.3)
    samples = [(number * 0.5, laser if number % 2 else hooks) for number in range(6)]
    assert {word[0] for word in words(play(policy, *samples))} == {"mooring_tension_high", "approach_speed"}


def test_wind_sentences_without_a_speed_do_not_disturb_the_gust() -> None:
    samples = [(number * 0.5, Wind(speed_mps=22.0) if number % 2 else Wind(direction_deg=5.0)) for number in range(12)]
    assert len(play(a_policy(wind=WindLimits(stop_mps=20, raise_after_s=1)), *samples)) == 1


RAISED = Alarm(alarm="crane_wind_stop", severity="alarm", is_active=True, value=21.0, limit=20.0, raised_at_ns=7)


def test_a_driver_that_starts_anew_raises_nothing_twice_and_still_clears() -> None:
    policy = AlarmPolicy(readings_of(Alarms(wind=WindLimits(stop_mps=20, clear_after_s=5))))
    policy.adopt([RAISED])
    assert play(policy, *blow(0, 6, 25)) == []
    cleared = play(policy, *blow(6, 20, 5))
    assert words(cleared) == [("crane_wind_stop", "", False)]
    assert cleared[0].raised_at_ns == 7


def test_what_was_judged_before_the_welcome_is_told_after_it_once() -> None:
    policy = AlarmPolicy(readings_of(Alarms(wind=WindLimits(stop_mps=20))))
    assert play(policy, *blow(0, 6, 25)) == []
    policy.adopt([])
    assert words(play(policy, *blow(6, 7, 25))) == [("crane_wind_stop", "", True)]
    known = AlarmPolicy(readings_of(Alarms(wind=WindLimits(stop_mps=20))))
    play(known, *blow(0, 6, 25))
    known.adopt([RAISED])
    assert play(known, *blow(6, 7, 25)) == []


def test_without_adoption_the_alarm_would_be_raised_a_second_time() -> None:
    assert len(play(a_policy(wind=WindLimits(stop_mps=20)), *blow(0, 6, 25))) == 1


def test_an_alarm_whose_limit_is_gone_from_the_profile_is_cleared_without_a_value() -> None:
    policy = AlarmPolicy(readings_of(Alarms(wind=WindLimits(stop_mps=20))))
    policy.adopt([Alarm(alarm="mooring_tension_high", severity="alarm", is_active=True, subject="hook 1", value=9.0)])
    cleared = play(policy, *blow(0, 1, 5))
    assert words(cleared) == [("mooring_tension_high", "hook 1", False)]
    assert cleared[0].value is None


class Endless:
    """More subjects than any berth has."""

    kinds = frozenset({"a"})

    def read(self, payload: Payload, now_ns: int) -> Iterator[Reading]:
        del payload, now_ns
        limit = Limit("a", "alarm", "kN", 1.0, 1.0, 0, 0)
        return (Reading(limit, f"hook {number}", 2.0) for number in range(1000))


def test_subjects_have_a_cap_and_what_is_beyond_is_counted() -> None:
    policy = AlarmPolicy([Endless()])
    policy.adopt([])
    assert len(policy.feed(Wind(), 0, 0)) == alarm_policy.MAX_STATES
    assert policy.refused == 1000 - alarm_policy.MAX_STATES
