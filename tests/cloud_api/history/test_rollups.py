"""What is left of sensors when retention has taken their records away: minutes, exactly once, within limits."""

import pytest
from msgspec.structs import replace

from cloud_api.history import sqlite_rollups
from cloud_api.history.models import ReceivedBatch
from cloud_api.history.reading import Bucket, SeriesId, Span
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_rollups import MINUTE_NS, Rollups, rollup_bytes
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.payloads import BerthSample, Wind
from tests.support.batches import START_NS, STREAM, batch, record

TELEMETRY = STREAM.replace("track", "telemetry")
BEGIN_NS = START_NS // MINUTE_NS * MINUTE_NS
WIND = SeriesId("puerto-demo", "gw-1.ais", "wind")
SPIKE_MPS = 41.0
SPIKE_AT = 301
SAMPLES = 600
PLENTY = 2**40
HOURS = Span(BEGIN_NS, BEGIN_NS + 3_600 * 10**9)


async def fill(writer: SqliteHistoryWriter) -> None:
    """Ten minutes of wind, a sample a second in batches of a hundred, with a gust that one sample has."""
    for first in range(1, SAMPLES + 1, 100):
        winds = [
            record(seq, Wind(speed_mps=SPIKE_MPS if seq == SPIKE_AT else 6.0, direction_deg=350.0 + seq % 2 * 20.0),
                   BEGIN_NS + (seq - 1) * 10**9)
            for seq in range(first, first + 100)
        ]  # fmt: skip
        item = batch(first, first + 99, TELEMETRY, winds)
        await writer.commit([ReceivedBatch(item, BEGIN_NS + first)])


async def gusts(reader: SqliteHistoryReader) -> list[Bucket]:
    return (await reader.thinned_series(WIND, HOURS, 62)).channels.get("speed_mps", [])


async def test_a_spike_survives_its_records(writer: SqliteHistoryWriter, reader: SqliteHistoryReader) -> None:
    await fill(writer)
    before = await reader.thinned_series(WIND, HOURS, 62)
    done = await writer.expire(BEGIN_NS + SAMPLES, PLENTY)
    assert done.records == SAMPLES
    assert (await reader.series_page(WIND, HOURS, None, 10)).items == []
    after = await reader.thinned_series(WIND, HOURS, 62)
    assert max(bucket.maximum or 0.0 for bucket in after.channels["speed_mps"]) == SPIKE_MPS
    for name in ("speed_mps", "direction_deg"):
        assert [(one.at_ns, one.count) for one in after.channels[name]] == [
            (one.at_ns, one.count) for one in before.channels[name]
        ]
        for one, other in zip(after.channels[name], before.channels[name], strict=True):
            assert one.mean == pytest.approx(other.mean)
    (summary,) = await reader.list_series(None, 10)
    assert (summary.id, summary.first_ns, summary.last_ns) == (WIND, BEGIN_NS, BEGIN_NS + 9 * MINUTE_NS)


async def test_without_roll_ups_the_spike_would_go_with_its_records(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    monkeypatch.setattr(Rollups, "write", lambda _: None)
    await fill(writer)
    await writer.expire(BEGIN_NS + SAMPLES, PLENTY)
    assert await gusts(reader) == []


async def test_half_expired_is_counted_once(writer: SqliteHistoryWriter, reader: SqliteHistoryReader) -> None:
    """Batches end within a minute, so that one minute is half sums and half points, and is summed up in two steps."""
    await fill(writer)
    for before in (150, 250, 450, SAMPLES):
        await writer.expire(BEGIN_NS + before, PLENTY)
        buckets = await gusts(reader)
        assert [bucket.count for bucket in buckets] == [60] * 10
        assert max(bucket.maximum or 0.0 for bucket in buckets) == SPIKE_MPS


async def test_a_step_that_fails_leaves_the_points(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(writer)

    def fail(*_: object) -> int:
        raise OSError("disk gone")

    with monkeypatch.context() as broken:
        broken.setattr("cloud_api.history.sqlite_retention.expire_rollups", fail)
        with pytest.raises(OSError, match="disk gone"):
            await writer.expire(BEGIN_NS + SAMPLES, PLENTY)
    assert sum(bucket.count for bucket in await gusts(reader)) == SAMPLES
    assert len((await reader.series_page(WIND, HOURS, None, 1_000)).items) == SAMPLES


async def test_minutes_go_by_age_and_by_their_share_of_the_disk(
    writer: SqliteHistoryWriter, reader: SqliteHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(writer)
    await writer.expire(BEGIN_NS + SAMPLES, PLENTY)
    assert rollup_bytes(writer._connection) > 10 * 50
    assert (await writer.expire(0, PLENTY, BEGIN_NS + 3 * MINUTE_NS)).minutes == 3
    assert (await gusts(reader))[0].at_ns == BEGIN_NS + 3 * MINUTE_NS
    monkeypatch.setattr(sqlite_rollups, "MAX_ROLLUPS", 2)
    half = rollup_bytes(writer._connection) // 2
    while (await writer.expire(0, half * 4)).minutes:
        pass
    assert 0 < rollup_bytes(writer._connection) <= half
    assert len(await gusts(reader)) == 3
    # what the count of bytes says is what is there
    (counted,) = writer._connection.execute("SELECT sum(length(channels) + 30) FROM rollups").fetchone()
    assert rollup_bytes(writer._connection) == counted


async def test_a_minute_of_more_sensors_than_a_step_takes_goes_too(
    writer: SqliteHistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five sensors in each of two minutes, steps of two: the oldest minute alone is more than a step."""
    records = [
        replace(record(minute * 5 + number, Wind(speed_mps=6.0), BEGIN_NS + minute * MINUTE_NS), source=f"w-{number}")
        for minute in range(2)
        for number in range(1, 6)
    ]
    await writer.commit([ReceivedBatch(batch(1, 10, TELEMETRY, records), BEGIN_NS)])
    await writer.expire(BEGIN_NS + 1, PLENTY)
    monkeypatch.setattr(sqlite_rollups, "MAX_ROLLUPS", 2)
    half = rollup_bytes(writer._connection) // 2
    while (await writer.expire(0, half * 4)).minutes:
        pass
    assert 0 < rollup_bytes(writer._connection) <= half
    (oldest,) = writer._connection.execute("SELECT min(minute) FROM rollups").fetchone()
    assert oldest * MINUTE_NS == BEGIN_NS + MINUTE_NS


async def test_none_are_kept_where_none_are_wanted(writer: SqliteHistoryWriter, reader: SqliteHistoryReader) -> None:
    await fill(writer)
    await writer.expire(BEGIN_NS + SAMPLES, PLENTY, BEGIN_NS + 3_600 * 10**9)
    assert await gusts(reader) == []
    assert rollup_bytes(writer._connection) == 0


async def test_only_fixed_sensors_are_summed_up(writer: SqliteHistoryWriter) -> None:
    hooks = [record(101, BerthSample(hook_tension_kn=[1.0, 250.0]), BEGIN_NS)]
    await writer.commit([ReceivedBatch(batch(1, 50), BEGIN_NS)])
    await writer.commit([ReceivedBatch(batch(101, 101, TELEMETRY, hooks), BEGIN_NS)])
    await writer.expire(BEGIN_NS + 1, PLENTY)
    rows = writer._connection.execute("SELECT kind, channels FROM rollups JOIN series USING (series_ref)").fetchall()
    assert rows == [("berth_sample", '{"hook_tension_kn.1":[1,1.0,1.0,1.0],"hook_tension_kn.2":[1,250.0,250.0,250.0]}')]
