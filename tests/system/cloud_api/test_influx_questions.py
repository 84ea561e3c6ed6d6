"""Questions to an InfluxDB: vessels that share a slot, answers that are late, too long or none, hostile names."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from cloud_api.history.influx import http_v1, latest, sensor_series, tracks
from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.http_v1 import CHUNK_ROWS, MAX_LINE_BYTES, InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.reader import MAX_AT_ONCE, MAX_WAITING, InfluxHistoryReader
from cloud_api.history.influx.schema import SLOTS
from cloud_api.history.reading import SeriesId, Span, TooMuchError
from contracts.errors import LinkError
from contracts.payloads import Ais, BerthSample, Payload, Wind
from contracts.radar import RadarTarget
from contracts.records import Record
from tests.support.batches import batch, record
from tests.support.history_backends import NoLedger
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, influx_sink, stored
from tests.support.processes import free_port

pytestmark = pytest.mark.system

S = 10**9
NOW_NS = time.time_ns() // S * S
KEEP_NS = KEEP_DAYS * DAY_NS
SHIP = 224_000_001
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with running_influx(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture
async def reader(server: InfluxServer) -> AsyncIterator[InfluxHistoryReader]:
    server.query(f'DROP DATABASE "{DATABASE}"')
    queries = InfluxQueries(Server(server.url, DATABASE))
    await provision(queries, DATABASE, Retention(KEEP_NS, 0))
    made = InfluxHistoryReader(queries, NoLedger(), KEEP_NS, has_minutes=False)
    yield made
    await made.close()


async def write(server: InfluxServer, *records: Record) -> None:
    sink = influx_sink(server.url)
    assert await sink.write(stored(batch(1, len(records), records=list(records)))) == []
    await sink.close()


def fix(seq: int, mmsi: int, at_ns: int, lon_deg: float = 1.0) -> Record:
    return record(seq, Ais(msg_type=1, mmsi=mmsi, lon_deg=lon_deg, lat_deg=43.0, sog_kn=7.0), at_ns)


def sharing() -> list[Record]:
    """Two vessels of one slot, the one that reports often last; and one that has it alone."""
    return [
        fix(1, SHIP, NOW_NS - 60 * S, 5.0),
        *(fix(n, SHIP + SLOTS, NOW_NS - (20 - n) * S) for n in range(2, 10)),
        fix(10, SHIP + 1, NOW_NS - 9 * S),
    ]


async def test_vessels_that_share_a_slot_have_tracks_and_newest_points_of_their_own(
    server: InfluxServer, reader: InfluxHistoryReader
) -> None:
    await write(server, *sharing())
    (only,) = await reader.track(SHIP, NOW_NS - 100 * S, NOW_NS, 100)
    assert only.lon_deg == 5.0
    assert len(await reader.track(SHIP + SLOTS, NOW_NS - 100 * S, NOW_NS, 100)) == 8
    assert await newest(reader) == {SHIP: 1, SHIP + SLOTS: 9, SHIP + 1: 10}


async def test_without_asking_for_those_that_share_one_would_be_missing(
    server: InfluxServer, reader: InfluxHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(latest, "MAX_SHARING", 0)
    await write(server, *sharing())
    assert SHIP not in await newest(reader)


async def newest(reader: InfluxHistoryReader) -> dict[int, int]:
    found = {}
    for _, _, one in await reader.latest_observations(NOW_NS - 3600 * S):
        assert isinstance(one.payload, Ais)
        found[one.payload.mmsi] = one.seq
    return found


@pytest.mark.parametrize(
    "payload", [RadarTarget(target_no=3, status=None), Wind(speed_mps=7.0, direction_deg=0.0), Wind()]
)
async def test_the_newest_record_comes_back_whole(
    server: InfluxServer, reader: InfluxHistoryReader, payload: Payload
) -> None:
    sent = record(1, payload, NOW_NS - 123_456_789)
    await write(server, sent)
    assert await reader.latest_observations(NOW_NS - 123_456_789) == [("puerto-demo", "gw-1", sent)]


async def test_a_chunk_of_the_widest_sensor_is_far_below_the_cap_of_a_line(
    server: InfluxServer, reader: InfluxHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A berth of 30 hooks and 4 lasers, in buckets and on a page: bytes a row, times rows a chunk."""
    tensions = [10.123456789 + hook for hook in range(30)]
    berth = BerthSample(
        hook_tension_kn=list(tensions), distance_m=12.345678, approach_speed_mps=0.123456,
        hook_load_pct=list(tensions), laser_distance_m=[12.345678] * 4, laser_approach_mps=[0.123456] * 4,
    )  # fmt: skip
    number, lines, ask = 100, list[bytes](), InfluxQueries.ask
    begin_ns = NOW_NS - number * S
    await write(server, *(record(n, berth, begin_ns + n * S) for n in range(1, number + 1)))

    async def noted(queries: InfluxQueries, statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
        async for line in ask(queries, statements, policy):
            lines.append(line)
            yield line

    monkeypatch.setattr(InfluxQueries, "ask", noted)
    series, span = SeriesId("puerto-demo", "gw-1.ais", "berth_sample"), Span(begin_ns + S, NOW_NS - 1)
    thinned = await reader.thinned_series(series, span, number)
    assert {len(buckets) for buckets in thinned.channels.values()} == {number - 1}
    assert len(thinned.channels) == 30 * 2 + 4 * 2 + 2
    assert len((await reader.series_page(series, span, None, number)).items) == number - 1
    assert len(lines) == 3, "its newest point, its sums, its page"
    assert max(map(len, lines)) / number * CHUNK_ROWS < MAX_LINE_BYTES / 2


async def test_the_server_is_not_put_to_work_at_what_is_refused(
    server: InfluxServer, reader: InfluxHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    berth, asked, ask = BerthSample(hook_tension_kn=[10.5] * 30), list[str](), InfluxQueries.ask
    await write(server, record(1, berth, NOW_NS - S))

    def noted(queries: InfluxQueries, statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
        asked.append(statements)
        return ask(queries, statements, policy)

    monkeypatch.setattr(InfluxQueries, "ask", noted)
    series, span = SeriesId("puerto-demo", "gw-1.ais", "berth_sample"), Span(NOW_NS - 3600 * S, NOW_NS)
    with pytest.raises(TooMuchError):
        await reader.thinned_series(series, span, 5_000)
    (question,) = asked
    assert question.endswith("LIMIT 1")
    assert len((await reader.thinned_series(series, span, 1_500)).channels) == 30


async def test_wide_answers_are_read_beside_the_loop(
    server: InfluxServer, reader: InfluxHistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds the loop holds the live wire and every other answer of this process."""
    threads: list[threading.Thread] = []

    def noted(line: bytes) -> list[tuple[int, Row]]:
        threads.append(threading.current_thread())
        return rows_of(line)

    monkeypatch.setattr(sensor_series, "rows_of", noted)
    monkeypatch.setattr(tracks, "rows_of", noted)
    await write(server, record(1, Wind(speed_mps=6.0), NOW_NS - S))
    series, span = SeriesId("puerto-demo", "gw-1.ais", "wind"), Span(NOW_NS - 60 * S, NOW_NS)
    assert (await reader.thinned_series(series, span, 2)).channels
    assert (await reader.series_page(series, span, None, 10)).items
    assert len(threads) > 1
    assert threading.main_thread() not in threads


async def test_no_name_reaches_another_series_or_changes_the_server(
    server: InfluxServer, reader: InfluxHistoryReader
) -> None:
    await write(server, record(1, Wind(speed_mps=7.0), NOW_NS))
    span = Span(NOW_NS - S, NOW_NS)
    for hostile in (
        "x' OR 'a'='a", "x'; DROP DATABASE porttrack; --", "\\' OR 1=1 --", 'x" OR ""="', "x\n; DROP MEASUREMENT wind",
        "$x", "/.*/", "\x00", "\ud800", "y" * 5000,
    ):  # fmt: skip
        for series in (
            SeriesId(hostile, "gw-1.ais", "wind"),
            SeriesId("puerto-demo", hostile, "wind"),
            SeriesId("puerto-demo", f"gw-1.{hostile}", "wind"),
            SeriesId("puerto-demo", "gw-1.ais", hostile),
            SeriesId("puerto-demo", "gw-1.ais", f"wind.{hostile}"),
        ):
            assert (await reader.series_page(series, span, None, 10)).items == []
            assert (await reader.thinned_series(series, span, 10, frozenset({hostile}))).channels == {}
    whole = await reader.series_page(SeriesId("puerto-demo", "gw-1.ais", "wind"), span, None, 10)
    assert [one.values for one in whole.items] == [{"speed_mps": 7.0}]


@asynccontextmanager
async def played(handler: Handler) -> AsyncIterator[InfluxQueries]:
    application = web.Application()
    application.router.add_post("/query", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    queries = InfluxQueries(Server(f"http://127.0.0.1:{port}", DATABASE), timeout_s=0.5)
    try:
        yield queries
    finally:
        await queries.close()
        await runner.cleanup()


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b'{"results":[]}\n' * 10_000)


async def refuse(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": "authorization failed"}, status=401)


async def fail(_request: web.Request) -> web.StreamResponse:
    return web.Response(text='{"results":[{"statement_id":0,"error":"query-timeout limit exceeded"}]}\n')


async def page_of_a_proxy(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>maintenance</html>")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [(hang, "timeout"), (endless, "too_much"), (refuse, "unauthorised"), (fail, "query_failed"),
     (page_of_a_proxy, "not_an_answer")],
)  # fmt: skip
async def test_whatever_the_server_does_an_answer_ends_in_time_with_a_reason(
    handler: Handler, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_v1, "MAX_ANSWER_BYTES", 1_000_000)
    async with played(handler) as queries:
        reader = InfluxHistoryReader(queries, NoLedger(), KEEP_NS)
        with pytest.raises(LinkError) as caught:
            await reader.track(SHIP, 0, NOW_NS, 10)
        assert caught.value.reason == reason


async def test_more_questions_than_may_wait_are_refused() -> None:
    async with played(hang) as queries:
        reader = InfluxHistoryReader(queries, NoLedger(), KEEP_NS)
        asked = [asyncio.create_task(reader.track(SHIP, 0, NOW_NS, 10)) for _ in range(MAX_WAITING + 5)]
        await asyncio.sleep(0.1)
        refused = [task for task in asked if task.done()]
        assert len(refused) == 5
        for task in asked:
            task.cancel()
        results = await asyncio.gather(*asked, return_exceptions=True)
        reasons = [result.reason for result in results if isinstance(result, LinkError)]
        assert reasons == ["busy"] * 5
        assert MAX_AT_ONCE < MAX_WAITING
