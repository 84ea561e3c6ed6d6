"""Few points for many: what mattered survives, and the number asked for is kept to."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.history import thinning_policy
from cloud_api.history.channels import channels_of
from cloud_api.history.reading import Span, TooMuchError
from cloud_api.history.sums import DIGITS, TimeSums
from cloud_api.history.thinning_policy import MIN_TRACK_POINTS, SeriesThinner, TrackThinner, width_for

S = 10**9
DAY = Span(1_790_035_200 * S, (1_790_035_200 + 86_400) * S)
MAX_NS = 2**63 - 1


def test_a_day_of_a_ship_keeps_its_one_burst_of_speed() -> None:
    thinner: TrackThinner[int] = TrackThinner(DAY, 500)
    for step in range(8_640):
        thinner.feed(DAY.from_ns + step * 10 * S, 44.4 if step == 5_000 else 8.0 + step % 7, step)
    kept = thinner.rows()
    assert 300 < len(kept) <= 500
    assert thinner.stored == 8_640
    assert {0, 5_000, 8_639} <= set(kept)
    assert kept == sorted(set(kept))


def test_every_nth_point_would_lose_it() -> None:
    """Mutation proof: the same day by plain sampling."""
    assert 5_000 not in range(0, 8_640, math.ceil(8_640 / 500))


@given(
    st.integers(0, MAX_NS), st.integers(0, 10**17), st.integers(MIN_TRACK_POINTS, 60),
    st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(0, 100)), max_size=200),
)  # fmt: skip
def test_a_track_is_never_longer_than_asked_for(
    from_ns: int, length_ns: int, max_points: int, points: list[tuple[float, float | None]]
) -> None:
    span = Span(from_ns, min(MAX_NS, from_ns + length_ns))
    times = sorted(span.from_ns + int(share * (span.to_ns - span.from_ns)) for share, _ in points)
    thinner: TrackThinner[int] = TrackThinner(span, max_points)
    for number, (at_ns, (_, sog_kn)) in enumerate(zip(times, points, strict=True)):
        thinner.feed(min(at_ns, span.to_ns), sog_kn, number)
    kept = thinner.rows()
    assert len(kept) <= max_points
    assert kept == sorted(set(kept))
    speeds = [sog_kn for _, sog_kn in points if sog_kn is not None]
    shown = [points[number][1] for number in kept if points[number][1] is not None]
    if points:
        assert {0, len(points) - 1} <= set(kept)
    if speeds:
        assert (min(shown, default=None), max(shown, default=None)) == (min(speeds), max(speeds))  # type: ignore[type-var]


@given(st.integers(0, MAX_NS), st.integers(0, MAX_NS), st.integers(2, 5_000))
def test_no_more_buckets_than_asked_for_touch_a_span(one: int, other: int, buckets: int) -> None:
    span = Span(min(one, other), max(one, other))
    width_ns = width_for(span, buckets)
    assert span.to_ns // width_ns - span.from_ns // width_ns + 1 <= buckets


def test_the_same_span_a_little_later_is_cut_in_the_same_places() -> None:
    later = Span(DAY.from_ns + 7 * S, DAY.to_ns + 7 * S)
    assert width_for(later, 500) == width_for(DAY, 500)


def test_a_spike_of_one_sample_survives_a_month() -> None:
    month = Span(DAY.from_ns, DAY.from_ns + 30 * 86_400 * S)
    thinner = SeriesThinner(month, 100)
    for minute in range(30 * 1_440):
        thinner.feed(month.from_ns + minute * 60 * S, {"speed_mps": 31.5 if minute == 20_000 else 6.0})
    buckets = thinner.result().channels["speed_mps"]
    assert len(buckets) <= 100
    assert max(bucket.maximum or 0.0 for bucket in buckets) == 31.5
    assert max(bucket.mean or 0.0 for bucket in buckets) < 7.0
    assert sum(bucket.count for bucket in buckets) == 30 * 1_440


def test_the_mean_of_350_and_10_degrees_is_north() -> None:
    thinner = SeriesThinner(DAY, 2)
    for value in (350.0, 10.0):
        thinner.feed(DAY.from_ns, {"direction_deg": value, "lon_deg": value})
    channels = thinner.result().channels
    (direction,), (line,) = channels["direction_deg"], channels["lon_deg"]
    assert (direction.minimum, direction.mean, direction.maximum) == (None, 0.0, None)
    assert (line.minimum, line.mean, line.maximum) == (10.0, 180.0, 350.0)
    opposed = SeriesThinner(DAY, 2)
    for value in (90.0, 270.0):
        opposed.feed(DAY.from_ns, {"direction_deg": value})
    assert opposed.result().channels["direction_deg"][0].mean is None


def test_what_is_no_number_is_in_no_bucket() -> None:
    thinner = SeriesThinner(DAY, 10)
    thinner.feed(
        DAY.from_ns, {"is_locked": True, "kind": "bin", "locked_at_ns": 5, "x": math.nan, "y": 1, "z": 10**400}
    )
    assert list(thinner.result().channels) == ["y"]


def test_channels_of_lists_are_numbered_and_absent_ones_absent() -> None:
    payload = {"type": "berth_sample", "hook_tension_kn": [1.5, None, 2.5], "distance_m": None, "other": {"a": 1}}
    assert channels_of(payload) == {"hook_tension_kn.1": 1.5, "hook_tension_kn.3": 2.5}


def test_only_the_channels_asked_for() -> None:
    thinner = SeriesThinner(DAY, 10, frozenset({"a"}))
    thinner.feed(DAY.from_ns, {"a": 1.0, "b": 2.0})
    thinner.feed_sums(DAY.from_ns, {"a": [1, 5.0, 5.0, 5.0], "b": [1, 5.0, 5.0, 5.0]})
    (bucket,) = thinner.result().channels["a"]
    assert (bucket.count, bucket.minimum, bucket.maximum) == (2, 1.0, 5.0)
    assert "b" not in thinner.result().channels


def test_a_series_without_end_of_channels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning_policy, "MAX_CHANNELS", 3)
    thinner = SeriesThinner(DAY, 10)
    thinner.feed(DAY.from_ns, {f"c{number}": 1.0 for number in range(3)})
    with pytest.raises(TooMuchError) as caught:
        thinner.feed(DAY.from_ns, {"c9": 1.0})
    assert caught.value.reason == "too_many_channels"


def test_channels_times_buckets_are_bounded_and_the_error_says_what_to_ask() -> None:
    values = {f"c{number}": 1.0 for number in range(42)}
    SeriesThinner(DAY, 1_190).feed(DAY.from_ns, values)
    with pytest.raises(TooMuchError) as caught:
        SeriesThinner(DAY, 5_000).feed(DAY.from_ns, values)
    assert caught.value.reason == "too_many_channels"
    channels, max_points = (int(number) for number in re.findall(r"\d+", caught.value.hint))
    SeriesThinner(DAY, max_points).feed(DAY.from_ns, values)
    SeriesThinner(DAY, 5_000).feed(DAY.from_ns, dict(list(values.items())[:channels]))
    SeriesThinner(DAY, 5_000, frozenset({"c1"})).feed(DAY.from_ns, values)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_sums_of_two_times_are_the_sums_of_both(one: list[float], other: list[float]) -> None:
    def of(values: list[float]) -> TimeSums:
        made = TimeSums()
        for value in values:
            made.add({"depth_m": value, "cog_deg": value})
        return made

    apart, packed = of(one), of(other).packed()
    apart.merge(packed, packed)
    together = of([*one, *other])
    for name in ("depth_m", "cog_deg"):
        expected, found = together[name].packed(), apart[name].packed()
        assert found == pytest.approx(expected, rel=1e-9, abs=len(one + other) * 10.0**-DIGITS)
