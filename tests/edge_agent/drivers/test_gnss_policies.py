"""A GNSS receiver's time against the gateway's clock, and an antenna that is moved."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.payloads import Alarm, GnssFix
from edge_agent.drivers.nmea import gnss_time_policy
from edge_agent.drivers.nmea.antenna_policy import HOLD_NS, AntennaPolicy
from edge_agent.drivers.nmea.gnss_time_policy import MAX_SAMPLES, GnssTimePolicy

S = 1_000_000_000
MS = 1_000_000
UTC_NS = 1_800_000_000 * S
PLACE = GnssFix(lon_deg=-0.2075, lat_deg=39.6414, quality=1)


def fix(second: float) -> GnssFix:
    return GnssFix(lon_deg=-0.2075, lat_deg=39.6414, quality=1, utc_ns=UTC_NS + round(second * S))


def told(policy: GnssTimePolicy, seconds: int, delay_ms: list[float], mono_offset_ns: int = 0) -> None:
    for second in range(seconds):
        delay_ns = round(delay_ms[second % len(delay_ms)] * MS)
        policy.observe(fix(second), second * S + mono_offset_ns + delay_ns, 0)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(0, 10**6), st.floats(0, 400))
def test_true_utc_is_always_within_the_bound(seed: int, boot_s: int, latency_ms: float) -> None:
    """A receiver that is 0 to 500 ms late, each sentence otherwise, with 150 ms of bytes on the wire."""
    draw = random.Random(seed)
    policy = GnssTimePolicy("gnss", 500 * MS)
    wire_ns = 150 * MS
    for second in range(60):
        late_ns = round((latency_ms + draw.uniform(0, 99)) * MS)
        policy.observe(fix(second), (boot_s + second) * S + late_ns + wire_ns, wire_ns)
    reference = policy.reference()
    assert reference is not None
    true_ns = UTC_NS + reference.mono_ns - boot_s * S
    assert abs(reference.utc_ns - true_ns) / MS <= reference.bound_ms
    assert 250 <= reference.bound_ms <= 254


def test_one_prompt_sentence_among_late_ones_makes_the_estimate() -> None:
    policy = GnssTimePolicy("gnss", 500 * MS)
    told(policy, 30, [900, 900, 900, 450, 900])
    reference = policy.reference()
    assert reference is not None
    assert (reference.utc_ns - UTC_NS - reference.mono_ns) / MS == pytest.approx(-200, abs=1)


def test_a_link_that_delays_more_than_the_receiver_may_widens_the_bound() -> None:
    policy = GnssTimePolicy("gnss", 100 * MS)
    told(policy, 30, [50, 150, 130, 140, 120])
    small = policy.reference()
    assert small is not None
    assert small.bound_ms == pytest.approx(50, abs=4)


def test_a_second_that_the_receiver_stumbled_over_is_left_out() -> None:
    policy = GnssTimePolicy("gnss", 500 * MS)
    told(policy, 20, [100])
    policy.observe(fix(21), 20 * S + 100 * MS, 0)
    reference = policy.reference()
    assert reference is not None
    assert abs(reference.utc_ns - UTC_NS - reference.mono_ns) / MS <= reference.bound_ms


def test_the_wire_s_share_is_taken_off() -> None:
    policy = GnssTimePolicy("gnss", 0)
    for second in range(5):
        policy.observe(fix(second), second * S + 146 * MS, 146 * MS)
    reference = policy.reference()
    assert reference is not None
    assert reference.utc_ns - reference.mono_ns == UTC_NS
    assert reference.bound_ms < 1


def test_zda_counts_only_behind_a_valid_fix() -> None:
    """The receiver loses the sky after 10 s; its own clock runs on, and drifts."""
    policy = GnssTimePolicy("gnss", 500 * MS)
    for second in range(10):
        policy.observe(GnssFix(utc_ns=UTC_NS + second * S), second * S, 0)
    assert policy.reference() is None
    for second in range(10, 20):
        policy.observe(PLACE, second * S, 0)
        policy.observe(GnssFix(utc_ns=UTC_NS + second * S), second * S, 0)
    before = policy.reference()
    for second in range(20, 60):
        policy.observe(GnssFix(utc_ns=UTC_NS + second * S), second * S, 0)
    after = policy.reference()
    assert before is not None
    assert after is not None
    assert after.mono_ns == before.mono_ns + 5 * S


@pytest.mark.parametrize("quality", [6, 7, 8])
def test_an_estimated_typed_or_simulated_fix_tells_no_time(quality: int) -> None:
    policy = GnssTimePolicy("gnss", 500 * MS)
    for second in range(20):
        policy.observe(GnssFix(lon_deg=0, lat_deg=0, quality=quality, utc_ns=UTC_NS + second * S), second * S, 0)
    assert policy.reference() is None


def test_a_receiver_that_lost_1024_weeks_tells_no_time() -> None:
    policy = GnssTimePolicy("gnss", 500 * MS)
    for second in range(20):
        old = GnssFix(lon_deg=0, lat_deg=0, utc_ns=UTC_NS - 1024 * 7 * 86_400 * S + second * S)
        policy.observe(old, second * S, 0)
    assert policy.reference() is None


def test_a_fast_receiver_fills_no_memory() -> None:
    policy = GnssTimePolicy("gnss", 500 * MS)
    for number in range(10 * MAX_SAMPLES):
        policy.observe(fix(number / 100), number * 10 * MS, 0)
    assert len(policy._samples) == MAX_SAMPLES


def test_without_the_rule_for_zda_a_drifting_receiver_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the fix that must stand behind ZDA."""
    monkeypatch.setattr(gnss_time_policy, "FIX_HOLD_NS", 10**18)
    policy = GnssTimePolicy("gnss", 500 * MS)
    policy.observe(PLACE, 0, 0)
    for second in range(60, 120):
        policy.observe(GnssFix(utc_ns=UTC_NS + 2 * second * S), second * S, 0)
    assert policy.reference() is not None


# the antenna


def walk(
    policy: AntennaPolicy, *legs: tuple[int, float], noise_m: float = 2.0, seed: int = 1
) -> list[tuple[int, Alarm]]:
    """Feed one fix a second: (seconds, metres north of home) a leg; returns what was told, with its second."""
    draw, told_alarms, second = random.Random(seed), [], 0
    for seconds, north_m in legs:
        for _ in range(seconds):
            lat = 39.6414 + (north_m + draw.gauss(0, noise_m)) / 111_195
            lon = -0.2075 + draw.gauss(0, noise_m) / 85_600
            at = GnssFix(lon_deg=lon, lat_deg=lat, quality=1, hdop=0.8)
            alarm = policy.observe(at, UTC_NS + second * S, second * S)
            if alarm is not None:
                told_alarms.append((second, alarm))
            second += 1
    return told_alarms


def test_an_antenna_that_was_moved_is_told_once_and_cleared_when_it_is_back() -> None:
    """In place for 2 min, 60 m away for 5 min, and back."""
    told_alarms = walk(AntennaPolicy(-0.2075, 39.6414, 25.0), (120, 0), (300, 60), (120, 0))
    (raised_s, raised), (cleared_s, cleared) = told_alarms
    assert (raised.alarm, raised.is_active, raised.unit, raised.limit) == ("antenna_moved", True, "m", 25.0)
    assert raised.value == pytest.approx(60, abs=4)
    assert 150 <= raised_s <= 165
    assert (cleared.is_active, cleared.raised_at_ns) == (False, raised.raised_at_ns)
    assert 450 <= cleared_s <= 465


def test_without_a_position_in_the_profile_the_first_fixes_are_home() -> None:
    told_alarms = walk(AntennaPolicy(None, None, 25.0), (120, 500), (300, 560))
    assert [alarm.is_active for _, alarm in told_alarms] == [True]


def test_a_reflection_of_half_a_minute_is_no_move() -> None:
    assert walk(AntennaPolicy(-0.2075, 39.6414, 25.0), (120, 0), (29, 200), (120, 0)) == []


def test_between_half_the_limit_and_the_limit_nothing_changes() -> None:
    told_alarms = walk(AntennaPolicy(-0.2075, 39.6414, 25.0), (60, 0), (120, 60), (600, 18), noise_m=1.0)
    assert [alarm.is_active for _, alarm in told_alarms] == [True]


def test_a_receiver_that_knows_its_own_error_is_judged_by_it() -> None:
    """60 m away, but its own deviation is 20 m: five times that is 141 m."""
    policy = AntennaPolicy(-0.2075, 39.6414, 25.0)
    policy.observe(GnssFix(lon_error_m=20.0, lat_error_m=20.0), UTC_NS, 0)
    told_alarms = []
    for second in range(300):
        policy.observe(GnssFix(lon_error_m=20.0, lat_error_m=20.0), UTC_NS, second * S)
        moved = GnssFix(lon_deg=-0.2075, lat_deg=39.6414 + 60 / 111_195, quality=1, hdop=0.8)
        told_alarms.append(policy.observe(moved, UTC_NS, second * S))
    assert not any(told_alarms)


def test_a_gap_begins_the_time_anew() -> None:
    policy = AntennaPolicy(-0.2075, 39.6414, 25.0)
    away = GnssFix(lon_deg=-0.2075, lat_deg=39.65, quality=1)
    for second in range(16):
        assert policy.observe(away, UTC_NS, second * S) is None
    later_ns = 16 * S + HOLD_NS + S
    assert policy.observe(away, UTC_NS, later_ns) is None


def test_the_date_line_is_no_move_around_the_world() -> None:
    policy = AntennaPolicy(180.0, 0.0, 25.0)
    alarms = [policy.observe(GnssFix(lon_deg=-179.99999, lat_deg=0.0), UTC_NS, second * S) for second in range(120)]
    assert not any(alarms)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.floats(0.5, 4.0))
def test_a_still_antenna_raises_no_alarm(seed: int, noise_m: float) -> None:
    assert walk(AntennaPolicy(-0.2075, 39.6414, 25.0), (600, 0), noise_m=noise_m, seed=seed) == []
