"""One suite for every history: what is stored is read back the same way, whichever server keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cloud_api.history import thinning_policy
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import Page, Position, SeriesId, SeriesPoint, Span, TooMuchError
from cloud_api.history.thinning_policy import SeriesThinner, TrackThinner
from contracts.payloads import (
    Ais,
    AisStation,
    BerthSample,
    ClockSet,
    CraneSample,
    HealthEvent,
    Log,
    Transducer,
    WaterLevel,
)
from contracts.records import Clock, ClockState, Record
from tests.support.history_backends import BACKENDS, Backend
from tests.support.history_records import GATEWAY, HOURS, MMSI, SITE, START_NS, S, batches, fix, points, record, wind

pytestmark = pytest.mark.system


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    async with BACKENDS[request.param](tmp_path) as made:
        yield made


async def all_pages(backend: Backend, span: Span, limit: int, mmsi: int = MMSI) -> list[TrackPoint]:
    found: list[TrackPoint] = []
    after: Position | None = None
    while True:
        page = await backend.reader.track_page(mmsi, span, after, limit)
        assert len(page.items) <= limit
        found += page.items
        after = page.next
        if after is None:
            return found


async def test_pages_bring_every_position_once_in_order(backend: Backend) -> None:
    records = [fix(START_NS + n * S + n) for n in range(257)]
    await backend.store(batches([*records, *(fix(START_NS + n * S, mmsi=5) for n in range(50))]))
    assert await all_pages(backend, HOURS, 100) == points(records)
    assert await all_pages(backend, HOURS, 257) == points(records)
    assert await all_pages(backend, HOURS, 257, 5) != []
    assert await all_pages(backend, HOURS, 10, 404) == []


async def test_pages_stay_true_while_data_arrive(backend: Backend) -> None:
    """Between the first page and the others a late position comes before it, and a new one at the end."""
    records = [fix(START_NS + n * 10 * S) for n in range(1, 10)]
    await backend.store(batches(records))
    first = await backend.reader.track_page(MMSI, HOURS, None, 4)
    await backend.store(batches([fix(START_NS), fix(START_NS + 200 * S)]))
    rest = await backend.reader.track_page(MMSI, HOURS, first.next, 100)
    assert first.items + rest.items == points([*records, fix(START_NS + 200 * S)])


async def test_two_of_one_moment_are_two(backend: Backend) -> None:
    """Two receivers hear one message, and one receiver two messages at one time: no page loses or repeats one."""
    moments = [fix(START_NS + S, float(n), source=source) for n, source in enumerate(("ais-1", "ais-2", "ais-1"))]
    await backend.store(batches([*moments, fix(START_NS + 2 * S)]))
    whole = await all_pages(backend, HOURS, 100)
    assert [one.observed_at_ns - START_NS for one in whole] == [S, S, S, 2 * S]
    assert {one.sog_kn for one in whole[:3]} == {0.0, 1.0, 2.0}
    assert await all_pages(backend, HOURS, 1) == whole
    assert await all_pages(backend, HOURS, 2) == whole


async def test_a_batch_that_comes_again_changes_nothing(backend: Backend) -> None:
    sent = batches([fix(START_NS + n * S) for n in range(40)])
    await backend.store(sent)
    before = await all_pages(backend, HOURS, 100)
    await backend.store(sent)
    assert await all_pages(backend, HOURS, 100) == before
    assert len(before) == 40


async def test_a_span_has_both_its_ends(backend: Backend) -> None:
    await backend.store(batches([fix(START_NS + n * S) for n in range(5)]))
    span = Span(START_NS + S, START_NS + 3 * S)
    assert len(await all_pages(backend, span, 10)) == 3
    assert (await backend.reader.thinned_track(MMSI, span, 10)).stored == 3
    nearly = Span(span.from_ns + 1_000_000, span.to_ns - 1_000_000)
    assert len(await all_pages(backend, nearly, 10)) == 1


async def test_a_thinned_track_keeps_ends_shape_and_speed_peaks(backend: Backend) -> None:
    speeds = [44.4 if n == 1_234 else 0.1 if n == 77 else 8.0 + n % 5 for n in range(1_500)]
    records = [fix(START_NS + n * 4 * S, speed) for n, speed in enumerate(speeds)]
    await backend.store(batches(records))
    thinned = await backend.reader.thinned_track(MMSI, HOURS, 60)
    assert thinned.stored == 1_500
    assert thinned.points[0] == points(records[:1])[0]
    assert thinned.points[-1] == points(records[-1:])[0]
    model: TrackThinner[TrackPoint] = TrackThinner(HOURS, 60)
    for one in points(records):
        model.feed(one.observed_at_ns, one.sog_kn, one)
    assert thinned.points == model.rows()
    assert thinned.width_ns == model.width_ns
    assert {44.4, 0.1} <= {one.sog_kn for one in thinned.points}


async def test_a_short_track_is_whole(backend: Backend) -> None:
    records = [fix(START_NS + n * S, None) for n in range(20)]
    await backend.store(batches(records))
    thinned = await backend.reader.thinned_track(MMSI, HOURS, 20)
    assert (thinned.points, thinned.stored, thinned.width_ns) == (points(records), 20, 0)
    none = await backend.reader.thinned_track(404, HOURS, 20)
    assert (none.points, none.stored, none.width_ns) == ([], 0, 0)


async def test_the_newest_of_a_track(backend: Backend) -> None:
    records = [fix(START_NS + n * S) for n in range(10)]
    await backend.store(batches(records))
    assert await backend.reader.track(MMSI, *HOURS, 3) == points(records[-3:])


async def test_observations_come_back_with_every_channel(backend: Backend) -> None:
    berth = BerthSample(hook_tension_kn=[1.5, None, 250.25], distance_m=0.0, laser_distance_m=[2.5])
    crane = CraneSample(hoist_load_t=30.5, is_spreader_locked=True, is_twin=False, cycle_no=7)
    await backend.store(
        batches([record(berth, START_NS, "hooks", "berth-2"), record(crane, START_NS + 5, "plc", "sts-1")])
    )
    page = await backend.reader.series_page(SeriesId(SITE, "berth-2", "berth_sample"), HOURS, None, 10)
    values = {"hook_tension_kn.1": 1.5, "hook_tension_kn.3": 250.25, "distance_m": 0.0, "laser_distance_m.1": 2.5}
    assert page == Page([SeriesPoint(START_NS, dict(values))], None)
    page = await backend.reader.series_page(SeriesId(SITE, "sts-1", "crane_sample"), HOURS, None, 10)
    (one,) = page.items
    assert one.at_ns == START_NS + 5
    assert one.values == {"hoist_load_t": 30.5, "is_spreader_locked": True, "is_twin": False, "cycle_no": 7}
    assert isinstance(one.values["is_twin"], bool)


async def test_series_have_pages_too(backend: Backend) -> None:
    await backend.store(batches([wind(START_NS + n * S, float(n)) for n in range(25)]))
    series, seen = SeriesId(SITE, "mast-1", "wind"), []
    after: Position | None = None
    while True:
        page = await backend.reader.series_page(series, HOURS, after, 10)
        seen += [one.values["speed_mps"] for one in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [float(n) for n in range(25)]


async def test_a_spike_survives_in_few_buckets(backend: Backend) -> None:
    speeds = [41.0 if n == 3_333 else 5.0 + n % 3 for n in range(7_200)]
    directions = [350.0 if n % 2 else 10.0 for n in range(7_200)]
    records = [wind(START_NS + n * S, *both) for n, both in enumerate(zip(speeds, directions, strict=True))]
    await backend.store(batches(records))
    thinned = await backend.reader.thinned_series(SeriesId(SITE, "mast-1", "wind"), HOURS, 50)
    model = SeriesThinner(HOURS, 50)
    for n in range(7_200):
        model.feed(START_NS + n * S, {"speed_mps": speeds[n], "direction_deg": directions[n]})
    expected = model.result()
    assert thinned.width_ns == expected.width_ns
    assert thinned.channels.keys() == expected.channels.keys()
    for name, buckets in expected.channels.items():
        found = thinned.channels[name]
        assert [(one.at_ns, one.count, one.minimum, one.maximum) for one in found] == [
            (one.at_ns, one.count, one.minimum, one.maximum) for one in buckets
        ]
        for one, other in zip(found, buckets, strict=True):
            assert one.mean is not None
            assert other.mean is not None
            assert (one.mean - other.mean + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert max(one.maximum or 0 for one in thinned.channels["speed_mps"]) == 41.0
    some = await backend.reader.thinned_series(SeriesId(SITE, "mast-1", "wind"), HOURS, 50, frozenset({"speed_mps"}))
    assert list(some.channels) == ["speed_mps"]


async def test_more_channels_than_go_with_the_buckets_are_refused(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning_policy, "MAX_CELLS", 100)
    berth = BerthSample(hook_tension_kn=[1.0] * 9, distance_m=2.0)
    await backend.store(batches([record(berth, START_NS + n * S, "hooks", "berth-2") for n in range(60)]))
    series = SeriesId(SITE, "berth-2", "berth_sample")
    assert len((await backend.reader.thinned_series(series, HOURS, 10)).channels) == 10
    with pytest.raises(TooMuchError) as caught:
        await backend.reader.thinned_series(series, HOURS, 12)
    assert caught.value.reason == "too_many_channels"
    some = await backend.reader.thinned_series(series, HOURS, 50, frozenset({"distance_m", "hook_tension_kn.2"}))
    assert list(some.channels) == ["distance_m", "hook_tension_kn.2"]


async def test_series_are_listed_by_id_with_their_times(backend: Backend) -> None:
    await backend.store(
        batches([
            wind(START_NS, 5.0), wind(START_NS + 60 * S, 6.0),
            record(WaterLevel(level_m=1.5), START_NS + 7, "tide"),
            record(Transducer(name="ENGINE#1", quantity="temperature", value=80.5, unit="°C"), START_NS, "xdr"),
            record(Transducer(name="ENGINE#2", quantity="temperature", value=81.5, unit="°C"), START_NS, "xdr"),
            record(Log(level="info", event="started"), START_NS, "agent"),
            record(HealthEvent(subject="disk", is_healthy=True), START_NS, "agent"),
            fix(START_NS),
        ])
    )  # fmt: skip
    found = await backend.reader.list_series(None, 100)
    assert [(str(one.id), one.first_ns - START_NS, one.last_ns - START_NS) for one in found] == [
        ("puerto-demo/gw-1.tide/water_level", 7, 7),
        ("puerto-demo/gw-1.xdr/transducer.engine-1", 0, 0),
        ("puerto-demo/gw-1.xdr/transducer.engine-2", 0, 0),
        ("puerto-demo/mast-1/wind", 0, 60 * S),
    ]
    assert await backend.reader.list_series(found[1].id, 1) == found[2:3]
    page = await backend.reader.series_page(found[2].id, HOURS, None, 10)
    assert [one.values["value"] for one in page.items] == [81.5]


async def test_one_place_seen_by_two_gateways_is_one_series(backend: Backend) -> None:
    """A gateway was replaced: the sensor is the same."""
    await backend.store([*batches([wind(START_NS, 5.0)]), *batches([wind(START_NS + S, 6.0)], "gw-2")])
    (one,) = await backend.reader.list_series(None, 10)
    page = await backend.reader.series_page(one.id, HOURS, None, 10)
    assert [item.values["speed_mps"] for item in page.items] == [5.0, 6.0]


@pytest.mark.parametrize("name", ["it's", 'a "b"', "x' OR 1=1 --", "back\\slash", "ñ=,☃", "new\nline"])
async def test_a_name_is_a_name_whatever_it_says(backend: Backend, name: str) -> None:
    await backend.store(batches([record(WaterLevel(level_m=1.5), START_NS, "tide", name), wind(START_NS, 5.0)]))
    page = await backend.reader.series_page(SeriesId(SITE, name, "water_level"), HOURS, None, 10)
    assert [one.values for one in page.items] == [{"level_m": 1.5}]
    nothing = SeriesId(SITE, f"{name}x", "water_level")
    assert (await backend.reader.series_page(nothing, HOURS, None, 10)).items == []
    assert (await backend.reader.thinned_series(nothing, HOURS, 10)).channels == {}
    injected = SeriesId("' OR 1=1 --", 'mast-1" OR ""="', "wind")
    assert (await backend.reader.series_page(injected, HOURS, None, 10)).items == []


async def test_vessels_and_logs_are_no_series(backend: Backend) -> None:
    await backend.store(batches([fix(START_NS), record(Log(level="info", event="started"), START_NS, "agent")]))
    for series in (SeriesId(SITE, "gw-1.ais-1", "ais"), SeriesId(SITE, "gw-1.agent", "log")):
        assert (await backend.reader.series_page(series, HOURS, None, 10)).items == []


async def test_the_latest_of_each_series_fills_the_live_picture(backend: Backend) -> None:
    name = record(Ais(msg_type=5, mmsi=MMSI, station=AisStation.CLASS_A, name="ALBA", callsign="EA1"), START_NS)
    sent = [name, fix(START_NS), fix(START_NS + S), wind(START_NS, 1.0), wind(START_NS + 2 * S, 2.0)]
    await backend.store(batches(sent))
    latest = await backend.reader.latest_observations(START_NS)
    assert {(site, gateway) for site, gateway, _ in latest} == {(SITE, GATEWAY)}
    found = [(one.observed_at_ns, one.source, one.place, one.payload) for _, _, one in latest]
    wanted = [(sent[n].observed_at_ns, sent[n].source, sent[n].place, sent[n].payload) for n in (0, 2, 4)]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert len(await backend.reader.latest_observations(START_NS + 2 * S)) == 1


BOOT_NS = 3600 * S
"""From the start of the boot to the moment at which its clock was set."""


def unsynced(one: Record, mono_ns: int, observed_at_ns: int) -> Record:
    clock = Clock(ClockState.UNSYNCED)
    return msgspec.structs.replace(one, clock=clock, mono_ns=mono_ns, observed_at_ns=observed_at_ns)


def clock_set() -> Record:
    told = ClockSet(boot_id="boot-1", mono_ns=BOOT_NS, utc_ns=START_NS + BOOT_NS, error_ms=5.0, source="ntp",
                    drift_ppm=100.0)  # fmt: skip
    return record(told, START_NS + BOOT_NS, "agent")


@pytest.mark.parametrize("wrong_by_s", [START_NS // S, 40 * 86_400, 86_400, -3600, 0.0004], ids=str)
@pytest.mark.parametrize("is_late", [False, True], ids=["before the word", "after it"])
async def test_what_came_before_the_clock_was_set_gets_its_time(
    backend: Backend, wrong_by_s: float, *, is_late: bool
) -> None:
    """A clock of 1970, of before the retention, of yesterday, an hour ahead, and off by less than a point's time."""
    right = [fix(START_NS + n * 60 * S, float(n)) for n in range(20)]
    wrong = [unsynced(one, n * 60 * S, one.observed_at_ns - int(wrong_by_s * S)) for n, one in enumerate(right)]
    gust = unsynced(wind(START_NS, 9.0), 30 * S, START_NS + 30 * S - int(wrong_by_s * S))
    other = fix(START_NS + 5 * S, mmsi=5)
    before, word = batches([*wrong, gust, other]), batches([clock_set()])
    for part in (word, before) if is_late else (before, word):
        await backend.store(part)
    await backend.settle()
    everything = Span(START_NS - 2 * 86_400 * S, START_NS + 86_400 * S)
    assert await all_pages(backend, everything, 100) == points(right)
    assert len(await all_pages(backend, everything, 100, 5)) == 1
    page = await backend.reader.series_page(SeriesId(SITE, "mast-1", "wind"), everything, None, 10)
    assert [(one.at_ns, one.values["speed_mps"]) for one in page.items] == [(START_NS + 30 * S, 9.0)]
    (newest,) = [one for _, _, one in await backend.reader.latest_observations(START_NS) if one.place == "mast-1"]
    assert newest.clock == Clock(ClockState.NTP, round(5.0 + (BOOT_NS - 30 * S) / 1e6 * 1e-4, 3))
    assert newest.original_at_ns == gust.observed_at_ns
    await backend.store(before)
    await backend.settle()
    assert await all_pages(backend, everything, 100) == points(right), "the same batch again"


async def test_it_says_that_it_answers_and_who_it_is(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    await backend.reader.check()
    with capsys.disabled():
        print(f"\nthe history suite is answered by {backend.version}")  # noqa: T201 - a run says what it was a run of
