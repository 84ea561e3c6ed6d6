"""The v2 write API: a real VictoriaMetrics, and answers of 2.x and 3.x as their references print them.

No server of 2.x or 3.x is on this machine: what they answer is played by a server of the test, over real sockets, so
that the client library and our reading of its errors are what is tested.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cloud_api.history.influx.client_v2 import InfluxV2Writer, ServerV2, basic_authorization, token_authorization
from cloud_api.history.influx.schema import BEYOND, PLACED
from cloud_api.history.influx.sink import PROBE, InfluxSink
from cloud_api.history.models import StoredRecord
from contracts.errors import LinkError
from contracts.payloads import BerthSample, Wind
from tests.support.batches import STREAM, batch, record
from tests.support.influx_server import running_victoria
from tests.support.influx_sink import sink_on, stored, victoria_sink
from tests.support.processes import free_port, wait_until

pytestmark = pytest.mark.system

TELEMETRY = STREAM.replace("track", "telemetry")
NOW_NS = time.time_ns() // 10**9 * 10**9
Answer = Callable[[list[str], int], web.Response]


def winds(first: int, last: int) -> list[StoredRecord]:
    records = [record(seq, Wind(speed_mps=float(seq)), NOW_NS - seq * 10**9) for seq in range(first, last + 1)]
    return stored(batch(first, last, TELEMETRY, records))


class PlayedServer:
    """Answers ``/api/v2/write`` by a rule over (lines, number of the request)."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[tuple[dict[str, str], dict[str, str]]] = []
        self.taken: list[str] = []
        self.url = ""

    async def write(self, request: web.Request) -> web.Response:
        # aiohttp has opened the compression already, if the header was right
        body = await request.read()
        lines = body.decode().split("\n")
        self.requests.append((dict(request.query), dict(request.headers)))
        answer = self.answer(lines, len(self.requests))
        if answer.status == 204:
            self.taken += [line for line in lines if PROBE not in line]
        return answer


@asynccontextmanager
async def played(answer: Answer, **server: Any) -> AsyncIterator[tuple[PlayedServer, InfluxSink]]:
    server_end = PlayedServer(answer)
    application = web.Application()
    application.router.add_post("/api/v2/write", server_end.write)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    buckets = {PLACED: "porttrack", BEYOND: "porttrack_beyond"}
    sink = sink_on(InfluxV2Writer(ServerV2(f"http://127.0.0.1:{port}", "port", buckets, **server)))
    try:
        yield server_end, sink
    finally:
        await sink.close()
        await runner.cleanup()


def refuse(text: str, status: int, bad: str) -> Answer:
    def answer(lines: list[str], _number: int) -> web.Response:
        if any(bad in line for line in lines):
            return web.Response(status=status, text=text, content_type="application/json")
        return web.Response(status=204)

    return answer


async def test_points_reach_a_real_victoriametrics_and_a_resend_adds_none(tmp_path: Path) -> None:
    with running_victoria(tmp_path) as server:
        print(f"\nhistory: {server.version()} answers")  # noqa: T201 - which server it was run against
        sink = victoria_sink(server.url)
        hooks = record(501, BerthSample([12.5, None, 7.0], distance_m=1.0), NOW_NS)
        points = [*winds(1, 500), *stored(batch(501, 501, TELEMETRY, [hooks]))]
        for _ in range(2):
            assert await sink.write(points) == []
        await sink.check()
        await sink.close()
        wait_until(lambda: server.export('{__name__="wind_speed_mps"}'), 20, "what was written can be read")
        (speed,) = server.export('{__name__="wind_speed_mps"}')
        assert sorted(speed["values"]) == [float(seq) for seq in range(1, 501)]
        assert speed["metric"]["gateway"] == "gw-1"
        (hook,) = server.export('{__name__="berth_sample_hook_tension_kn.1"}')
        assert hook["values"] == [12.5]
        assert not server.export('{__name__=~".*_raw"}')


async def test_what_a_victoriametrics_would_silently_drop_is_refused_with_a_reason(tmp_path: Path) -> None:
    with running_victoria(tmp_path) as server:
        sink = victoria_sink(server.url)
        wrong = [record(1, Wind(speed_mps=1.0), 5 * 10**9), record(2, Wind(speed_mps=1.0), 4_102_444_800 * 10**9)]
        rejected = await sink.write(stored(batch(1, 2, TELEMETRY, wrong)))
        await sink.close()
    assert [item.reason for item in rejected] == ["time_out_of_range"] * 2


async def test_a_request_names_organisation_bucket_precision_and_token() -> None:
    token = token_authorization("secret")
    async with played(lambda _lines, _number: web.Response(status=204), authorization=token) as (server, sink):
        old = record(4, Wind(speed_mps=1.0), 5 * 10**9)
        assert await sink.write([*winds(1, 3), *stored(batch(4, 4, TELEMETRY, [old]))]) == []
        queries = sorted(query["bucket"] for query, _ in server.requests)
        assert queries == ["porttrack", "porttrack_beyond"]
        query, headers = server.requests[0]
        assert (query["org"], query["precision"]) == ("port", "ns")
        assert headers["Authorization"] == "Token secret"
        assert headers["Content-Encoding"] == "gzip"
    assert len(server.taken) == 4


CONFLICT_2 = (
    '{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict:'
    ' input field \\"speed_mps\\" on measurement \\"wind\\" is type float, already exists as type integer dropped=1"}'
)
NO_LINE_2 = '{"code":"invalid","message":"unable to parse \'wind speed_mps=7.0\': missing fields"}'
CONFLICT_3 = (
    '{"error":"partial write of line protocol occurred","data":[{"error_message":"invalid column type for column'
    " 'speed_mps', expected iox::column_type::field::integer, got iox::column_type::field::float\","
    '"line_number":7,"original_line":"wind"}]}'
)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [(422, CONFLICT_2, "type_conflict"), (400, NO_LINE_2, "unparsable"), (400, CONFLICT_3, "type_conflict")],
)
async def test_refusals_of_2_and_3_are_singled_out(status: int, text: str, reason: str) -> None:
    async with played(refuse(text, status, "speed_mps=7.0,")) as (server, sink):
        rejected = await sink.write(winds(1, 40))
        assert [(item.point.record.seq, item.reason) for item in rejected] == [(7, reason)]
        assert len({line for line in server.taken if "wind" in line}) == 39


async def test_retry_after_of_a_full_server_is_waited_for() -> None:
    def answer(_lines: list[str], number: int) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "1"}) if number == 1 else web.Response(status=204)

    async with played(answer) as (server, sink):
        began = time.monotonic()
        assert await sink.write(winds(1, 5)) == []
        assert time.monotonic() - began >= 1.0
        assert len(server.requests) == 2


@pytest.mark.parametrize(("status", "reason"), [(401, "unauthorised"), (404, "no_database"), (500, "server_error")])
async def test_what_is_not_the_points_fault_is_told_and_costs_none(status: int, reason: str) -> None:
    token = token_authorization("secret")
    async with played(lambda _lines, _number: web.Response(status=status), authorization=token) as (_, sink):
        with pytest.raises(LinkError) as caught:
            await sink.write(winds(1, 5))
        assert caught.value.reason == reason
        assert "secret" not in str(caught.value)


async def test_a_redirect_does_not_carry_the_token_elsewhere() -> None:
    elsewhere = {"Location": "http://127.0.0.1:9/api/v2/write"}
    async with played(lambda _lines, _number: web.Response(status=302, headers=elsewhere)) as (_, sink):
        with pytest.raises(LinkError) as caught:
            await sink.write(winds(1, 5))
        assert caught.value.reason == "server_error"


async def test_nobody_there_is_a_link_error() -> None:
    sink = sink_on(InfluxV2Writer(ServerV2(f"http://127.0.0.1:{free_port()}", "port", {PLACED: "b", BEYOND: "c"})))
    with pytest.raises(LinkError) as caught:
        await sink.write(winds(1, 2))
    await sink.close()
    assert caught.value.reason == "unreachable"


def test_a_user_and_a_token_are_told_apart() -> None:
    assert basic_authorization("u", "p") == "Basic dTpw"
    assert token_authorization("") == ""
