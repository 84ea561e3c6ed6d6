"""Gusts of a mast as its driver puts them into wind records."""

from collections.abc import Sequence

from contracts.payloads import Wind
from edge_agent.drivers.nmea.derivation import Derivation
from edge_agent.drivers.nmea.gust_policy import MAX_BUCKETS, GustPolicy
from edge_agent.parsers.nmea_decoder import Decoded
from firmware_configs.hardware_profile import NmeaSource

S = 1_000_000_000


def run(speeds: Sequence[float | None], step_ns: int = S) -> list[Wind]:
    policy = GustPolicy()
    return [policy.sample(Wind(speed_mps=speed), number * step_ns) for number, speed in enumerate(speeds)]


def test_the_gust_is_the_mean_of_three_seconds() -> None:
    winds = run([5.0, 5.0, 5.0, 5.0, 17.0, 5.0])
    assert [wind.gust_3s_mps for wind in winds] == [None, None, None, 5.0, 9.0, 9.0]
    assert winds[4].speed_mps == 17.0


def test_the_highest_gust_is_kept_for_ten_minutes() -> None:
    winds = run([5.0] * 10 + [20.0] * 3 + [5.0] * 700)
    assert winds[13].gust_10min_mps == 20.0
    assert winds[600].gust_10min_mps == 20.0
    assert winds[640].gust_10min_mps == 5.0


def test_a_mast_that_is_silent_too_long_has_no_gust_until_three_seconds_are_covered() -> None:
    policy = GustPolicy()
    for second in range(5):
        policy.sample(Wind(speed_mps=8.0), second * S)
    assert policy.told(Wind(direction_deg=90.0), 4 * S + S).gust_3s_mps == 8.0
    assert policy.told(Wind(direction_deg=90.0), 8 * S) == Wind(direction_deg=90.0)
    gusts = [policy.sample(Wind(speed_mps=8.0), second * S).gust_3s_mps for second in range(8, 13)]
    assert gusts == [None, None, None, 8.0, 8.0]


def test_a_slow_mast_has_no_gust() -> None:
    assert all(wind.gust_3s_mps is None for wind in run([5.0] * 20, 2 * S))


def test_a_sentence_without_speed_is_no_sample() -> None:
    assert run([5.0, 5.0, 5.0, 5.0, None])[-1] == Wind(gust_3s_mps=5.0, gust_10min_mps=5.0)


def test_memory_is_bounded_whatever_the_rate() -> None:
    policy = GustPolicy()
    for number in range(20_000):
        policy.sample(Wind(speed_mps=5.0), number * 100_000_000)
    assert len(policy._peaks) <= MAX_BUCKETS


def test_only_mwv_is_sampled_whatever_stands_before_it() -> None:
    """MWD of a mast that averages, an MDA of the same wind, and MWV behind a TAG block."""
    source = NmeaSource.model_validate({"source": "wind", "driver": "nmea", "link": {"kind": "udp", "port": 10110}})
    derivation, gusts = Derivation(source), []
    for second in range(6):
        for raw, speed in (("\\s:MAST*5B\\$WIMWV,…", 8.0), ("$WIMWD,…", 2.0), ("$WIMDA,…", 2.0)):
            payload, alarm = derivation.apply(Decoded(Wind(speed_mps=speed), raw), 0, second * S)
            assert isinstance(payload, Wind)
            assert alarm is None
            gusts.append(payload.gust_3s_mps)
    assert gusts == [None] * 9 + [8.0] * 9
    assert derivation.reference() is None
