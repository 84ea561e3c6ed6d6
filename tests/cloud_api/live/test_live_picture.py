"""The live picture: the newest wins in any order, what is too old goes, and every change can be told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.accounting.models import Verdict
from cloud_api.live import merging
from cloud_api.live.intervals import EXPIRE_MOVING_S, EXPIRE_RESTING_S, EXPIRE_SENSOR_S
from cloud_api.live.models import Origin, Position, Target
from cloud_api.live.picture import MAX_FUTURE_NS, REPLAY_NS, LivePicture
from contracts.payloads import Ais, AisStation
from contracts.records import Record
from tests.support.cloud_observations import NOW_NS, STREAM, S, position, record, static, status, wind
from tests.support.standings import standing

ORIGIN = Origin("demo", "gw-1", "ais")


def see(picture: LivePicture, ais: Ais, at_ns: int = NOW_NS, seq: int = 1, now_ns: int = NOW_NS) -> bool:
    return picture.observe_ais(ais, record(ais, at_ns, seq), ORIGIN, STREAM, now_ns)


def see_wind(picture: LivePicture, speed_mps: float, at_ns: int = NOW_NS, seq: int = 1, now_ns: int = NOW_NS) -> bool:
    payload = wind(speed_mps)
    taken: Record = record(payload, at_ns, seq, place="mast-1")
    return picture.observe_sensor("wind", payload, taken, ORIGIN, STREAM, now_ns)


MESSAGES = st.one_of(
    st.builds(
        position,
        mmsi=st.sampled_from([1, 2, 3]),
        msg_type=st.sampled_from([1, 3, 18, 27]),
        sog_kn=st.sampled_from([None, 0.0, 5.5, 12.0]),
        lon_deg=st.sampled_from([None, -0.31, -0.32]),
        station=st.sampled_from([AisStation.CLASS_A, AisStation.CLASS_B, AisStation.UNKNOWN]),
    ),
    st.builds(
        static,
        mmsi=st.sampled_from([1, 2, 3]),
        msg_type=st.sampled_from([5, 24]),
        name=st.sampled_from([None, "ONE", "TWO"]),
        imo=st.sampled_from([None, 9_811_000, 9_811_001]),
        draught_m=st.sampled_from([None, 7.5, 12.0]),
    ),
)
OBSERVATIONS = st.lists(st.tuples(MESSAGES, st.integers(0, 600)), min_size=1, max_size=25)


def state(target: Target) -> tuple[Any, ...]:
    return (
        target.mmsi,
        target.position,
        target.static_values(),
        target.station,
        target.row,
        target.observed_at_ns,
        target.origin,
        target.expires_at_ns,
    )


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_picture(observations: list[tuple[Ais, int]], random: Any) -> None:
    numbered = [(ais, NOW_NS - age_s * S, seq) for seq, (ais, age_s) in enumerate(observations)]
    shuffled = list(numbered)
    random.shuffle(shuffled)
    pictures = [LivePicture(), LivePicture()]
    for picture, order in zip(pictures, (numbered, shuffled), strict=True):
        for ais, at_ns, seq in order:
            see(picture, ais, at_ns, seq)
    first, second = ({target.mmsi: state(target) for target in picture.targets()} for picture in pictures)
    assert first == second


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 50)), min_size=1, max_size=10), st.randoms())
def test_any_order_of_samples_gives_the_same_sensor(samples: list[tuple[int, float]], random: Any) -> None:
    numbered = [(speed, NOW_NS - age_s * S, seq) for seq, (age_s, speed) in enumerate(samples)]
    shuffled = list(numbered)
    random.shuffle(shuffled)
    pictures = [LivePicture(), LivePicture()]
    for picture, order in zip(pictures, (numbered, shuffled), strict=True):
        for speed, at_ns, seq in order:
            see_wind(picture, speed, at_ns, seq)
    assert pictures[0].sensors() == pictures[1].sensors()


def test_an_older_position_changes_nothing_and_is_counted() -> None:
    picture = LivePicture()
    see(picture, position(sog_kn=9.0))
    assert not see(picture, position(sog_kn=1.0), NOW_NS - 5 * S)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.position is not None
    assert target.position.sog_kn == 9.0
    assert picture.counters["older"] == 1


def test_without_the_rule_an_older_position_would_win(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(target: Target, at: Position) -> None:
        target.precise = at

    monkeypatch.setattr(merging, "_merge_position", overwrite)
    picture = LivePicture()
    see(picture, position(sog_kn=9.0))
    see(picture, position(sog_kn=1.0), NOW_NS - 5 * S)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.position is not None
    assert target.position.sog_kn == 1.0


def test_at_the_same_instant_the_later_number_wins() -> None:
    picture = LivePicture()
    see(picture, position(sog_kn=2.0), seq=2)
    see(picture, position(sog_kn=1.0), seq=1)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.position is not None
    assert target.position.sog_kn == 2.0


def test_a_long_range_position_waits_until_the_precise_one_is_three_minutes_old() -> None:
    picture = LivePicture()
    see(picture, position(lon_deg=1.0), NOW_NS - 300 * S)
    assert not see(picture, position(msg_type=27, lon_deg=1.1), NOW_NS - 120 * S)
    assert see(picture, position(msg_type=27, lon_deg=1.2), NOW_NS - 119 * S)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.position is not None
    assert target.position.lon_deg == 1.2
    assert see(picture, position(lon_deg=1.3), NOW_NS)
    assert target.position.lon_deg == 1.3


def test_a_position_that_is_not_available_does_not_erase_the_last_one() -> None:
    picture = LivePicture()
    see(picture, position())
    assert not see(picture, position(lon_deg=None, lat_deg=None), NOW_NS, 2)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.position is not None


def test_parts_of_static_data_are_merged_and_unknown_values_erase_nothing() -> None:
    picture = LivePicture()
    see(picture, static(msg_type=24, name="PEÑAS", imo=None), NOW_NS - 20 * S, 1)
    see(picture, static(msg_type=24, name=None, imo=None, callsign="EA1", to_bow_m=8), NOW_NS - 19 * S, 2)
    see(picture, static(msg_type=24, name="PENAS II", imo=None), NOW_NS - 30 * S, 0)
    target = picture.target(224_000_001)
    assert target is not None
    assert target.static_values() == {"name": "PEÑAS", "callsign": "EA1", "to_bow_m": 8}
    assert target.position is None
    assert picture.snapshot().rows == []


def test_what_claims_to_be_of_the_future_is_refused() -> None:
    picture = LivePicture()
    assert not see(picture, position(), NOW_NS + MAX_FUTURE_NS + 1)
    assert not see_wind(picture, 5.0, NOW_NS + MAX_FUTURE_NS + 1)
    assert see(picture, position(), NOW_NS + MAX_FUTURE_NS)
    assert picture.counters["from_future"] == 2


def test_targets_leave_when_they_were_not_heard_for_long_and_readers_are_told() -> None:
    picture = LivePicture()
    see(picture, position(1, sog_kn=12.0))
    see(picture, position(2, sog_kn=0.0, nav_status=5))
    tick = picture.advance(0)
    picture.review(NOW_NS + int(EXPIRE_MOVING_S) * S + 1)
    picture.advance(1)
    changes = picture.changes_since(tick)
    assert changes is not None
    assert list(changes.gone) == [1]
    picture.review(NOW_NS + int(EXPIRE_RESTING_S) * S + 1)
    assert picture.targets() == []
    assert picture.counters["expired_targets"] == 2


def test_what_is_expired_when_it_arrives_is_not_taken() -> None:
    picture = LivePicture()
    assert not see(picture, position(), NOW_NS - int(EXPIRE_MOVING_S) * S - 1)
    assert not see_wind(picture, 1.0, NOW_NS - int(EXPIRE_SENSOR_S) * S - 1)
    assert not see(picture, position(), -(2**80))
    assert picture.targets() == []
    assert picture.counters["expired_on_arrival"] == 3


def test_at_the_cap_the_longest_unheard_goes_and_is_counted() -> None:
    picture = LivePicture(max_targets=2)
    for mmsi in (1, 2, 3):
        see(picture, position(mmsi))
    assert [target.mmsi for target in picture.targets()] == [2, 3]
    assert picture.counters["evicted_targets"] == 1


def test_staleness_of_a_sensor_and_silence_of_a_gateway_are_changes() -> None:
    picture = LivePicture()
    see_wind(picture, 5.0)
    picture.hear(status(), NOW_NS, None)
    tick = picture.advance(0)
    picture.review(NOW_NS + 9 * S)
    assert not picture.has_changes
    picture.review(NOW_NS + 16 * S)
    assert picture.has_changes
    picture.advance(1)
    changes = picture.changes_since(tick)
    assert changes is not None
    assert [sensor.is_stale(NOW_NS + 16 * S) for sensor in changes.sensors] == [True]
    assert [gateway.is_online(NOW_NS + 16 * S) for gateway in changes.gateways] == [False]


def test_a_reader_a_minute_behind_or_of_another_time_gets_no_delta() -> None:
    picture = LivePicture()
    see(picture, position())
    first = picture.advance(0)
    second = picture.advance(REPLAY_NS // 2)
    assert picture.changes_since(first) is not None
    assert picture.changes_since(second + 1) is None
    picture.advance(REPLAY_NS + 1)
    assert picture.changes_since(first) is None
    assert picture.changes_since(second) is not None


def test_a_gateway_that_is_dropped_makes_readers_take_a_snapshot() -> None:
    picture = LivePicture()
    picture.hear(status(), NOW_NS, 0.0)
    tick = picture.advance(0)
    picture.review(NOW_NS + 8 * 24 * 3600 * S)
    after = picture.advance(1)
    assert picture.gateways() == []
    assert picture.changes_since(tick) is None
    assert picture.changes_since(after) is not None


def test_messages_that_are_neither_position_nor_static_are_left_alone() -> None:
    picture = LivePicture()
    assert not see(picture, position(msg_type=8))
    assert picture.targets() == []


def test_a_balance_that_calls_for_somebody_is_told_at_once_and_growing_sums_with_the_next_report() -> None:
    picture = LivePicture()
    picture.tell_standing(standing())
    assert picture.gateways() == []
    picture.hear(status(), NOW_NS, 0.0)
    picture.tell_standing(standing())
    tick = picture.advance(0)
    picture.tell_standing(standing(received=91))
    assert not picture.has_changes
    picture.hear(status(), NOW_NS, 0.0)
    changes = picture.changes_since(tick)
    assert changes is not None
    assert [one.standing.received for one in changes.gateways if one.standing] == [91]
    tick = picture.advance(0)
    picture.tell_standing(standing(verdict=Verdict.MISSING))
    changes = picture.changes_since(tick)
    assert changes is not None
    assert [one.standing.missing for one in changes.gateways if one.standing] == [12]
