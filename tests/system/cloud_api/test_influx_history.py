"""The history on a real InfluxDB 1.6: what is durable, what is one point, what is refused, and what a flood costs."""

import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloud_api.history.influx import line_protocol
from cloud_api.history.influx.client_v2 import basic_authorization
from cloud_api.history.influx.http_v1 import InfluxQueries, InfluxV1Writer, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision, roll_up, rolled_up_measurements
from cloud_api.history.influx.reader import InfluxHistoryReader
from cloud_api.history.influx.schema import SLOTS, TIES
from cloud_api.history.influx.sink import InfluxSink
from cloud_api.history.models import StoredRecord
from cloud_api.history.reading import SeriesId, Span
from contracts.errors import LinkError
from contracts.payloads import Ais, BerthSample, Payload, Wind
from tests.support.batches import STREAM, batch, record
from tests.support.history_backends import NoLedger
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, influx_sink, sink_on, stored

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
FLOOD = 100_000 if IS_WHOLE else 20_000
TELEMETRY = STREAM.replace("track", "telemetry")
S = 10**9
NOW_NS = time.time_ns() // S * S
KEEP = Retention(KEEP_DAYS * DAY_NS, 730 * DAY_NS)
CALM = Wind(speed_mps=3.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with running_influx(tmp_path_factory.mktemp("influx")) as running:
        print(f"\nhistory: {running.version()} answers")  # noqa: T201 - which server it was run against
        yield running


@pytest.fixture
async def queries(server: InfluxServer) -> AsyncIterator[InfluxQueries]:
    server.query(f'DROP DATABASE "{DATABASE}"')
    made = InfluxQueries(Server(server.url, DATABASE))
    await provision(made, DATABASE, KEEP)
    yield made
    await made.close()


@pytest.fixture
async def sink(server: InfluxServer, queries: InfluxQueries) -> AsyncIterator[InfluxSink]:
    assert queries
    made = influx_sink(server.url)
    yield made
    await made.close()


def winds(seqs: range, at_ns: int = NOW_NS, step_ns: int = S, payload: Payload = CALM) -> list[StoredRecord]:
    records = [record(seq, payload, at_ns - (seqs[-1] - seq) * step_ns) for seq in seqs]
    return stored(batch(seqs[0], seqs[-1], TELEMETRY, records))


def count(server: InfluxServer, measurement: str = "wind", policy: str = "raw") -> int:
    rows = server.query(f'SELECT count(seq) FROM "{policy}"."{measurement}"', DATABASE)  # noqa: S608 - ours
    return int(rows[0]["values"][0][1]) if rows else 0


async def test_what_was_written_outlives_a_killed_server(server: InfluxServer, sink: InfluxSink) -> None:
    assert await sink.write(winds(range(1, 501))) == []
    server.kill()
    server.start()
    assert count(server) == 500


async def test_records_of_one_nanosecond_are_as_many_points_and_a_resend_adds_none(
    server: InfluxServer, sink: InfluxSink
) -> None:
    """2,500 records of one series and one moment, and one further on whose number has the same last three digits."""
    points = winds(range(1, 2501), step_ns=0)
    for _ in range(2):
        assert await sink.write(points) == []
    assert count(server) == 2500


async def test_with_a_time_of_its_own_alone_they_would_overwrite_each_other(
    server: InfluxServer, sink: InfluxSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: the number below the millisecond taken away."""
    monkeypatch.setattr("cloud_api.history.influx.placing_policy.point_time_ns", lambda at_ns, _seq: at_ns)
    assert await sink.write(winds(range(1, 101), step_ns=0)) == []
    assert count(server) == 1
    assert TIES > 500


async def test_a_point_of_another_type_is_refused_alone(server: InfluxServer, sink: InfluxSink) -> None:
    """Somebody else wrote a text into our field, in the days that one gateway's records are of."""
    server.write("raw", f'wind,site=other gust_3s_mps="strong" {NOW_NS}')
    bad = winds(range(41, 42), payload=Wind(speed_mps=1.0, gust_3s_mps=2.0))
    rejected = await sink.write([*winds(range(1, 41)), *bad, *winds(range(42, 81))])
    assert [(item.point.record.seq, item.reason) for item in rejected] == [(41, "type_conflict")]
    assert "field type conflict" in rejected[0].cause
    assert count(server) == 79


async def test_a_server_that_keeps_less_than_the_settings_say_refuses_point_by_point(
    server: InfluxServer, sink: InfluxSink
) -> None:
    server.query(f'ALTER RETENTION POLICY "raw" ON "{DATABASE}" DURATION 1d')
    old = winds(range(1, 3), NOW_NS - 3 * DAY_NS)
    rejected = await sink.write([*old, *winds(range(3, 60))])
    assert {(item.point.record.seq, item.reason) for item in rejected} == {
        (1, "beyond_retention"),
        (2, "beyond_retention"),
    }
    assert count(server) == 57


async def test_times_of_1970_and_2100_make_one_shard_and_lose_nothing(server: InfluxServer, sink: InfluxSink) -> None:
    wrong = [
        record(seq, CALM, at_ns)
        for seq, at_ns in enumerate((5 * S, 4_102_444_800 * S, NOW_NS - 60 * DAY_NS, 2**62, 0), 1)
    ]
    assert await sink.write(stored(batch(1, 5, TELEMETRY, wrong))) == []
    rows = server.query('SELECT at_ns FROM "beyond"."wind"', DATABASE)
    assert [row[1] for row in rows[0]["values"]] == [one.observed_at_ns for one in wrong]
    shards = [row for row in server.query("SHOW SHARDS") if row["name"] == DATABASE]
    assert len([one for row in shards for one in row["values"] if one[2] == "beyond"]) == 1


async def test_without_a_database_nothing_is_given_up_and_the_error_says_what_to_do(
    server: InfluxServer, sink: InfluxSink, queries: InfluxQueries
) -> None:
    server.query(f'DROP DATABASE "{DATABASE}"')
    with pytest.raises(LinkError, match=r"history_servers\.md") as caught:
        await sink.write(winds(range(1, 10)))
    assert caught.value.reason == "no_database"
    await provision(queries, DATABASE, KEEP)
    assert await sink.write(winds(range(1, 10))) == []
    assert count(server) == 9


async def test_a_server_that_hangs_is_told_in_time_and_a_second_attempt_makes_no_second_points(
    server: InfluxServer, sink: InfluxSink
) -> None:
    await sink.check()
    hasty = sink_on(InfluxV1Writer(Server(server.url, DATABASE), timeout_s=0.3))
    server.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(LinkError) as caught:
            await hasty.write(winds(range(1, 200)))
        assert caught.value.reason == "timeout"
        assert time.monotonic() - began < 5
    finally:
        server.signal(signal.SIGCONT)
    assert await hasty.write(winds(range(1, 200))) == []
    await hasty.close()
    assert count(server) == 199


def flood(first: int, number: int) -> list[StoredRecord]:
    rng = random.Random(first)
    records = [
        record(seq, Ais(msg_type=1, mmsi=rng.randrange(1 << 30), lon_deg=1.0, lat_deg=2.0), NOW_NS - seq * 10**6)
        for seq in range(first, first + number)
    ]
    return stored(batch(first, first + number - 1, records=records))


async def test_a_flood_of_random_mmsis_makes_no_more_series_than_there_are_slots(
    server: InfluxServer, sink: InfluxSink, queries: InfluxQueries
) -> None:
    began = time.monotonic()
    for first in range(1, FLOOD, 1000):
        assert await sink.write(flood(first, 1000)) == []
    took_s = time.monotonic() - began
    series = server.series_cardinality(DATABASE)
    print(f"flood: {FLOOD} random MMSIs made {series} series in {took_s:.1f} s")  # noqa: T201 - the figure of the test
    assert count(server, "ais") == FLOOD
    assert series <= SLOTS + 10
    reader = InfluxHistoryReader(queries, NoLedger(), KEEP.placed_ns)
    ship = 224_000_001
    await sink.write(
        stored(batch(1, 1, records=[record(1, Ais(msg_type=1, mmsi=ship, lon_deg=3.0, lat_deg=4.0), NOW_NS)]))
    )
    (one,) = await reader.track(ship, NOW_NS - S, NOW_NS, 10)
    assert (one.lon_deg, one.lat_deg) == (3.0, 4.0)


async def test_with_the_mmsi_as_the_tag_a_flood_would_make_a_series_each(
    server: InfluxServer, sink: InfluxSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: the slot is the MMSI itself."""
    monkeypatch.setattr(line_protocol, "slot_of", str)
    monkeypatch.setattr(line_protocol, "SLOTS", 2**30)
    for first in range(1, 6001, 1000):
        await sink.write(flood(first, 1000))
    assert server.series_cardinality(DATABASE) > 5_900 > SLOTS


async def test_a_gateway_that_makes_up_sources_is_stopped_and_told(server: InfluxServer, sink: InfluxSink) -> None:
    records = [replace(record(seq, CALM, NOW_NS), source=f"made-up-{seq}") for seq in range(1, 2001)]
    rejected = await sink.write(stored(batch(1, 2000, TELEMETRY, records)))
    assert {item.reason for item in rejected} == {"too_many_series"}
    assert len(rejected) == 2000 - 1024
    assert server.series_cardinality(DATABASE) <= 1024 + 10


async def test_minutes_of_a_roll_up_stand_in_for_what_has_expired(
    server: InfluxServer, sink: InfluxSink, queries: InfluxQueries
) -> None:
    """Two hours of wind and hooks, rolled up; then read as if the points were gone: spike, count and mean are there."""
    begin_ns = NOW_NS // (3600 * S) * 3600 * S - 3 * 3600 * S
    seqs = range(1, 1441)
    records = [
        record(seq, Wind(speed_mps=41.0 if seq == 777 else float(seq % 7), direction_deg=350.0 if seq % 2 else 10.0),
               begin_ns + seq * 5 * S)
        for seq in seqs
    ] + [record(seq + 2000, BerthSample([float(seq), None, 99.5 if seq == 9 else 1.0]), begin_ns + seq * 5 * S)
         for seq in seqs]  # fmt: skip
    await sink.write([StoredRecord(TELEMETRY, "puerto-demo", "gw-1", one) for one in records])
    for measurement in rolled_up_measurements():
        server.query(roll_up(DATABASE, measurement), DATABASE)
    span = Span(begin_ns, begin_ns + 7300 * S)
    fresh = InfluxHistoryReader(queries, NoLedger(), KEEP.placed_ns)
    later_ns = NOW_NS + KEEP.placed_ns
    stale = InfluxHistoryReader(queries, NoLedger(), KEEP.placed_ns, now_ns=lambda: later_ns)
    for sensor in ("wind", "berth_sample"):
        series = SeriesId("puerto-demo", "gw-1.ais", sensor)
        from_points = await fresh.thinned_series(series, span, 100)
        from_minutes = await stale.thinned_series(series, span, 100)
        assert from_points.channels.keys() == from_minutes.channels.keys()
        for name, buckets in from_minutes.channels.items():
            assert sum(one.count for one in buckets) == sum(one.count for one in from_points.channels[name])
    assert max(one.maximum or 0 for one in (await stale.thinned_series(
        SeriesId("puerto-demo", "gw-1.ais", "wind"), span, 10)).channels["speed_mps"]) == 41.0  # fmt: skip
    hooks = (await stale.thinned_series(SeriesId("puerto-demo", "gw-1.ais", "berth_sample"), span, 10)).channels
    assert max(one.maximum or 0 for one in hooks["hook_tension_kn.3"]) == 99.5


async def test_provisioning_again_changes_durations_and_doubles_nothing(
    server: InfluxServer, queries: InfluxQueries
) -> None:
    before = _continuous_queries(server)
    await provision(queries, DATABASE, Retention(7 * DAY_NS, 365 * DAY_NS))
    policies = {row[0]: row[1] for row in server.query(f'SHOW RETENTION POLICIES ON "{DATABASE}"')[0]["values"]}
    assert policies == {"raw": "168h0m0s", "beyond": "0s", "rollup_1m": "8760h0m0s"}
    assert _continuous_queries(server) == before
    await provision(queries, DATABASE, Retention(7 * DAY_NS, 0))
    assert _continuous_queries(server) == []


def _continuous_queries(server: InfluxServer) -> list[str]:
    rows = server.query("SHOW CONTINUOUS QUERIES")
    return sorted(one[0] for row in rows if row["name"] == DATABASE for one in row.get("values", []))


async def test_a_wrong_password_is_told_and_the_right_one_lets_in(tmp_path: Path) -> None:
    with running_influx(tmp_path / "auth", {"http": ["auth-enabled = true"]}) as guarded:
        guarded.query("CREATE USER keeper WITH PASSWORD 'long enough' WITH ALL PRIVILEGES")
        for password, reason in (("wrong", "unauthorised"), ("long enough", "")):
            access = Server(guarded.url, DATABASE, {"Authorization": basic_authorization("keeper", password)})
            queries, sink = InfluxQueries(access), sink_on(InfluxV1Writer(access))
            if reason:
                with pytest.raises(LinkError) as caught:
                    await sink.write(winds(range(1, 3)))
                assert caught.value.reason == reason
                assert password not in str(caught.value)
                with pytest.raises(LinkError):
                    await provision(queries, DATABASE, KEEP)
            else:
                await provision(queries, DATABASE, KEEP)
                assert await sink.write(winds(range(1, 3))) == []
            await queries.close()
            await sink.close()
