"""What stays when the outbox thins, and that it is told exactly."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.batch import Batch, check_batch
from contracts.codec import decode_batch, encode_batch
from contracts.payloads import Ais, BerthSample, CraneSample, Gap, Log, Payload, Transducer, Wind
from contracts.radar import RadarTarget
from contracts.records import Clock, ClockState, Record, RecordClass, class_of
from gateway.outbox import thinning
from gateway.outbox.gaps import join_gaps
from gateway.outbox.thinning import MINUTE_NS, minute_of, settled, thin

S = 10**9


def record(seq: int, payload: Payload, at_s: float, source: str = "a", boot: str = "b1", wall_s: float = 0.0) -> Record:
    return Record(
        seq=seq,
        observed_at_ns=int((at_s + wall_s) * S),
        clock=Clock(ClockState.NTP),
        mono_ns=int(at_s * S),
        boot_id=boot,
        source=source,
        payload=payload,
    )


def batch(records: list[Record]) -> Batch:
    name = next((class_of(each.payload) for each in records if not isinstance(each.payload, Gap)), RecordClass.TRACK)
    return Batch(
        stream_id=f"site.gw.store0001.{name.value}",
        record_class=name,
        first_seq=records[0].seq,
        last_seq=records[-1].last_seq(),
        records=records,
    )


def cut(records: list[Record], sizes: list[int]) -> list[Batch]:
    batches: list[Batch] = []
    for size in itertools.cycle(sizes):
        if not records:
            return batches
        batches.append(batch(records[:size]))
        records = records[size:]
    return batches


def thinned_in_windows(batches: list[Batch]) -> list[Batch]:
    """Thin a stream as the store does: window after window, each beginning with the first that is not settled."""
    done: list[Batch] = []
    waiting = list(batches)
    size = 1
    while size <= len(waiting):
        window = waiting[:size]
        if not settled(window)[0]:
            size += 1
            continue
        window = [new or old for old, new in zip(window, thin(window), strict=True)]
        count = next((at for at, is_done in enumerate(settled(window)) if not is_done), size)
        done += window[:count]
        waiting = window[count:] + waiting[size:]
        size = 1
    return done + [new or old for old, new in zip(waiting, thin(waiting), strict=True)] if waiting else done


positions = st.builds(
    Ais,
    msg_type=st.sampled_from([1, 3, 18, 5, 24, 8, 14]),
    mmsi=st.integers(200_000_000, 200_000_004),
    lon_deg=st.one_of(st.none(), st.floats(-1, 1)),
    lat_deg=st.floats(-1, 1),
    name=st.one_of(st.none(), st.just("X")),
)
winds = st.one_of(
    st.builds(Wind, speed_mps=st.floats(0, 40), direction_deg=st.one_of(st.none(), st.floats(0, 360))),
    st.builds(CraneSample, hoist_load_t=st.floats(0, 60), is_spreader_locked=st.booleans(), cycle_no=st.integers(0, 9)),
    st.builds(BerthSample, hook_tension_kn=st.lists(st.one_of(st.none(), st.floats(0, 900)), max_size=3)),
    st.builds(Transducer, name=st.sampled_from("ab"), quantity=st.just("force"), value=st.floats(-9, 9)),
)


@st.composite
def windows(draw: st.DrawFn, payloads: st.SearchStrategy[Payload]) -> list[Batch]:
    """Batches of one stream over a few minutes, already holed here and there, the wall clock stepping as it likes."""
    items = draw(st.lists(st.tuples(payloads, st.integers(0, 25), st.sampled_from("ab")), min_size=2, max_size=60))
    seq, at_s, records = draw(st.integers(1, 9)), 0.0, []
    for payload, step_s, source in items:
        at_s += step_s
        if draw(st.integers(0, 9)) == 0:
            gap = Gap(first_seq=seq, last_seq=seq + 2, reason="too_large")
            records.append(record(seq, gap, at_s, source))
            seq += 3
        records.append(record(seq, payload, at_s, source, wall_s=draw(st.sampled_from([0.0, 1e9, -1e6]))))
        seq += 1
    return cut(records, draw(st.lists(st.integers(1, 12), min_size=1, max_size=4)))


def check_window(batches: list[Batch]) -> list[Batch]:
    """Check what holds for every window; returns what is left of it."""
    after = [new or old for old, new in zip(batches, thin(batches), strict=True)]
    before_of = {each.seq: each for old in batches for each in old.records}
    for old, new in zip(batches, after, strict=True):
        assert (new.stream_id, new.first_seq, new.last_seq) == (old.stream_id, old.first_seq, old.last_seq)
        check_batch(new)
        assert decode_batch(encode_batch(new)) == new
        for each in new.records:
            if isinstance(each.payload, Gap):
                gone = range(each.payload.first_seq, each.payload.last_seq + 1)
                was_gap = each.seq in before_of and isinstance(before_of[each.seq].payload, Gap)
                assert each.payload.reason == ("too_large" if was_gap else "thinned")
                assert was_gap or all(seq in before_of for seq in gone)
            elif not each.mean_of:
                assert each == before_of[each.seq]
    assert thin(after) == [None] * len(after)
    return after


@settings(max_examples=60, deadline=None)
@given(windows(positions))
def test_of_tracks_one_position_a_ship_and_minute_and_its_static_data_stay(batches: list[Batch]) -> None:
    after = check_window(batches)
    before = [each for old in batches for each in old.records if not isinstance(each.payload, Gap)]
    left = [each for new in after for each in new.records if not isinstance(each.payload, Gap)]
    open_minute = minute_of(before[-1])

    def groups(records: list[Record], wanted: Callable[[Ais], bool]) -> dict[tuple[object, ...], list[int]]:
        found: dict[tuple[object, ...], list[int]] = {}
        for each in records:
            assert isinstance(each.payload, Ais)
            if wanted(each.payload):
                found.setdefault((minute_of(each), each.payload.mmsi), []).append(each.seq)
        return found

    def is_position(payload: Ais) -> bool:
        return payload.lon_deg is not None and payload.msg_type != 14

    for (minute, mmsi), seqs in groups(before, is_position).items():
        stayed = groups(left, is_position)[minute, mmsi]
        assert stayed == (seqs if minute == open_minute else seqs[:1])
    for kind in (5, 24):
        for key, seqs in groups(before, lambda p, kind=kind: p.msg_type == kind and p.lon_deg is None).items():  # type: ignore[misc]
            stayed = groups(left, lambda p, kind=kind: p.msg_type == kind and p.lon_deg is None)[key]  # type: ignore[misc]
            assert stayed[-1] == seqs[-1]
    assert groups(before, lambda p: p.msg_type == 14) == groups(left, lambda p: p.msg_type == 14)


def values(records: list[Record]) -> dict[tuple[object, ...], list[float]]:
    """Return the values of each quantity by minute and series."""
    found: dict[tuple[object, ...], list[float]] = {}
    for each in records:
        payload = each.payload
        key = (minute_of(each), each.source, type(payload))
        if isinstance(payload, Wind) and payload.speed_mps is not None:
            found.setdefault((*key, "speed"), []).append(payload.speed_mps)
        elif isinstance(payload, CraneSample) and payload.hoist_load_t is not None:
            found.setdefault((*key, "load"), []).append(payload.hoist_load_t)
        elif isinstance(payload, Transducer) and payload.value is not None:
            found.setdefault((*key, payload.name), []).append(payload.value)
        elif isinstance(payload, BerthSample):
            for index, value in enumerate(payload.hook_tension_kn):
                if value is not None:
                    found.setdefault((*key, index), []).append(value)
    return found


@settings(max_examples=60, deadline=None)
@given(windows(winds))
def test_of_telemetry_the_true_minimum_maximum_and_mean_of_each_series_and_minute_stay(batches: list[Batch]) -> None:
    after = check_window(batches)
    before = [each for old in batches for each in old.records if not isinstance(each.payload, Gap)]
    left = [each for new in after for each in new.records if not isinstance(each.payload, Gap)]

    now = values(left)
    for key, was in values(before).items():
        assert (min(now[key]), max(now[key])) == (min(was), max(was))
    for each in left:
        if each.mean_of and isinstance(each.payload, Wind):
            was = values(before)[minute_of(each), each.source, Wind, "speed"]
            assert each.mean_of == len(was)
            assert each.payload.speed_mps == pytest.approx(sum(was) / len(was), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(windows(positions), st.integers(1, 5))
def test_window_by_window_is_the_same_as_all_at_once(batches: list[Batch], size: int) -> None:
    """A minute that spans batches, and batches that span minutes, are judged whole."""
    recut = cut([each for old in batches for each in old.records], [size])
    whole = [new or old for old, new in zip(recut, thin(recut), strict=True)]
    assert thinned_in_windows(recut) == whole


def test_a_minute_of_a_busy_feed_is_thinned_over_all_its_batches() -> None:
    records = [record(1 + n, Ais(msg_type=1, mmsi=n % 50, lon_deg=1.0, lat_deg=1.0), n / 50) for n in range(9_001)]
    window = cut(records, [500])
    after = [new or old for old, new in zip(window, thin(window), strict=True)]
    left = [each for new in after for each in new.records if not isinstance(each.payload, Gap)]
    assert [each.seq for each in left] == [*range(1, 51), *range(3001, 3051), *range(6001, 6051), 9001]
    assert sum(len(each.records) for each in after) < 175


def test_a_step_of_the_wall_clock_joins_no_minutes() -> None:
    """The same wall minute comes twice, because the clock was set back: both keep a position."""
    ship = Ais(msg_type=1, mmsi=1, lon_deg=1.0, lat_deg=1.0)
    records = [
        record(1, ship, 30), record(2, ship, 31), record(3, ship, 90, wall_s=-60), record(4, ship, 91, wall_s=-60),
        record(5, ship, 150),
    ]  # fmt: skip
    (after,) = thin([batch(records)])
    assert after is not None
    assert [each.seq for each in after.records if not isinstance(each.payload, Gap)] == [1, 3, 5]


def test_with_minutes_by_the_wall_clock_a_step_would_cost_a_position(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the one above."""
    monkeypatch.setattr(thinning, "minute_of", lambda each: (each.boot_id, each.observed_at_ns // MINUTE_NS))
    with pytest.raises(AssertionError):
        test_a_step_of_the_wall_clock_joins_no_minutes()


def test_two_boots_are_two_times() -> None:
    ship = Ais(msg_type=1, mmsi=1, lon_deg=1.0, lat_deg=1.0)
    records = [record(1, ship, 1), record(2, ship, 2), record(3, ship, 1, boot="b2"), record(4, ship, 70, boot="b2")]
    (after,) = thin([batch(records)])
    assert after is not None
    assert [each.seq for each in after.records if not isinstance(each.payload, Gap)] == [1, 3, 4]


def test_directions_are_averaged_as_directions() -> None:
    directions = [350.0, 10.0, 350.0, 10.0, 355.0, 5.0]
    records = [record(1 + n, Wind(speed_mps=5.0, direction_deg=value), n) for n, value in enumerate(directions)]
    (after,) = thin([batch([*records, record(7, Wind(speed_mps=1.0), 61)])])
    assert after is not None
    (mean,) = [each for each in after.records if each.mean_of]
    assert isinstance(mean.payload, Wind)
    assert mean.payload.direction_deg is not None
    assert abs((mean.payload.direction_deg + 180) % 360 - 180) < 1e-6
    assert (mean.mean_of, mean.payload.speed_mps) == (6, 5.0)


def test_radar_keeps_one_report_of_a_target_and_status() -> None:
    reports = [
        RadarTarget(target_no=number, status=status)
        for status in ("tracking", "tracking", "lost")
        for number in (1, 2)
    ]  # fmt: skip
    records = [record(1 + n, payload, n) for n, payload in enumerate(reports)]
    (after,) = thin([batch([*records, record(7, reports[0], 61)])])
    assert after is not None
    assert [each.seq for each in after.records if not isinstance(each.payload, Gap)] == [1, 2, 5, 6, 7]


def test_logs_alarms_and_lifts_are_never_thinned() -> None:
    log = Log(level="info", event="x")
    assert thin([batch([record(1, log, 0), record(2, log, 1), record(3, log, 99)])]) == [None]


def test_gaps_of_one_reason_join_others_stay_apart() -> None:
    gaps = [Gap(1, 2, "capacity"), Gap(3, 3, "capacity"), Gap(4, 9, "age")]
    joined = join_gaps([record(each.first_seq, each, 5) for each in gaps])
    assert [each.payload for each in joined] == [Gap(1, 3, "capacity"), Gap(4, 9, "age")]
