"""Every route of a real server: what it answers, and how it says that it cannot."""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from cloud_api.accounting.models import Verdict
from cloud_api.history.models import TrackPoint
from cloud_api.live.models import Target
from cloud_api.vessels.models import Vessel
from cloud_api.vessels.service import describe_vessel
from cloud_api.web.middleware import SECURITY_HEADERS
from contracts.errors import LinkError
from tests.support.cloud_observations import crane, position, static, status, wind
from tests.support.standings import standing
from tests.support.web_server import RunningServer, running_server

pytestmark = pytest.mark.system

NAMES = ("site", "vessels", "vessels/224000001", "vessels/1/track", "sensors", "gateways", "accounting")
ROUTES = ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", *(f"/api/v1/{name}" for name in NAMES)]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        running.feed(position(), static(), wind(), crane())
        running.track.on_status(status(at_ns=time.time_ns()), time.time_ns())
        yield running


async def get(server: RunningServer, path: str, **options: Any) -> tuple[aiohttp.ClientResponse, Any]:
    async with server.session.get(path, **options) as response:
        body = await response.json(content_type=None) if "json" in response.content_type else await response.text()
        return response, body


@pytest.mark.parametrize("path", ROUTES)
async def test_every_route_answers_with_its_headers(server: RunningServer, path: str) -> None:
    response, _ = await get(server, path)
    assert response.status == 200
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value


async def test_vessels_sensors_and_gateways_are_what_was_fed(server: RunningServer) -> None:
    _, vessels = await get(server, "/api/v1/vessels?moving=true")
    assert [(one["mmsi"], one["name"], one["is_stale"]) for one in vessels["items"]] == [
        (224_000_001, "CABO DE PEÑAS", False)
    ]
    _, vessel = await get(server, "/api/v1/vessels/224000001")
    assert vessel.keys() == vessels["items"][0].keys()
    _, sensors = await get(server, "/api/v1/sensors")
    assert [one["kind"] for one in sensors["items"]] == ["crane_sample", "wind"]
    assert sensors["items"][1]["values"]["speed_mps"] == 7.0
    _, gateways = await get(server, "/api/v1/gateways")
    assert gateways["items"][0]["is_online"]
    assert gateways["items"][0]["buffered_records"] == 3


async def test_many_vessels_are_one_valid_list(server: RunningServer) -> None:
    server.feed(*(position(300_000_000 + n) for n in range(1_203)))
    _, vessels = await get(server, "/api/v1/vessels")
    assert len({one["mmsi"] for one in vessels["items"]}) == 1_204
    _, none = await get(server, "/api/v1/vessels?bbox=0,0,1,1")
    assert none["items"] == []


async def test_a_track_is_geojson(server: RunningServer) -> None:
    now_ns = time.time_ns()
    server.history.points[1] = [TrackPoint(now_ns - n * 10**9, -0.3, 39.4, 5.0, 90.0, 91) for n in (3, 2, 1)]
    response, track = await get(server, "/api/v1/vessels/1/track?max_points=2")
    assert response.content_type == "application/geo+json"
    assert track["geometry"] == {"type": "LineString", "coordinates": [[-0.3, 39.4], [-0.3, 39.4]]}
    assert track["properties"]["is_truncated"]
    assert track["properties"]["from"] < track["properties"]["times"][0] < track["properties"]["to"]


async def test_the_chart_is_not_sent_again_to_who_has_it(server: RunningServer) -> None:
    response, chart = await get(server, "/api/v1/site")
    assert chart["features"][0]["properties"]["kind"] == "buoy"
    again, _ = await get(server, "/api/v1/site", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304
    other, _ = await get(server, "/api/v1/site", headers={"If-None-Match": '"other"'})
    assert other.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status_code"),
    [
        ("GET", "/api/v1/vessels?limit=no", 400),
        ("GET", "/api/v1/sensors?x=1", 400),
        ("GET", "/api/v1/vessels/abc", 400),
        ("GET", "/api/v1/vessels/1", 404),
        ("GET", "/api/v1/vessels/1/track?from=yesterday", 400),
        ("GET", "/nowhere", 404),
        ("GET", "/ws/live", 426),
        ("POST", "/api/v1/vessels", 405),
        ("GET", "/", 503),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    server: RunningServer, method: str, path: str, status_code: int
) -> None:
    async with server.session.request(method, path) as response:
        problem = await response.json(content_type="application/problem+json")
    assert response.status == problem["status"] == status_code
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if status_code == 405:
        assert "GET" in response.headers["Allow"]


async def test_the_missing_control_room_says_how_to_build_it(server: RunningServer) -> None:
    _, problem = await get(server, "/")
    assert "make run" in problem["hint"]


@pytest.mark.parametrize(
    ("failure", "status_code"),
    [
        (LinkError("read history", "/var/lib/secret.sqlite", "locked"), 503),
        (RuntimeError("password=secret in /var/lib"), 500),
    ],
)
async def test_an_error_tells_its_number_and_nothing_else(
    server: RunningServer, failure: Exception, status_code: int
) -> None:
    server.history.failure = failure
    with capture_logs() as logs:
        response, problem = await get(server, "/api/v1/vessels/1/track")
    assert response.status == status_code
    assert "secret" not in str(problem)
    assert "/var" not in str(problem)
    (entry,) = logs
    assert entry["incident"] in problem["detail"]
    assert "secret" in entry["error"]
    healthy, _ = await get(server, "/healthz")
    assert healthy.status == 200


async def test_ready_says_which_part_does_not_answer(tmp_path: Path) -> None:
    async def well() -> None:
        pass

    async def locked() -> None:
        raise LinkError("read history", "/var/lib/history.sqlite", "locked", reason="busy")

    async with running_server(tmp_path, checks={"bus": well, "history": locked}) as server:
        response, answer = await get(server, "/readyz")
    assert response.status == 503
    assert answer == {"is_ready": False, "checks": {"bus": "ok", "history": "busy"}, "picture": None}


async def test_large_answers_are_compressed_for_who_asks(server: RunningServer) -> None:
    server.feed(*(position(300_000_000 + n) for n in range(50)))
    async with aiohttp.ClientSession(server.url, auto_decompress=False) as plain:
        async with plain.get("/api/v1/vessels", headers={"Accept-Encoding": "gzip"}) as response:
            packed = await response.read()
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Vary"] == "Accept-Encoding"
        async with plain.get("/api/v1/vessels", headers={"Accept-Encoding": "identity"}) as response:
            whole = await response.read()
        assert "Content-Encoding" not in response.headers
    assert len(json.loads(gzip.decompress(packed))["items"]) == len(json.loads(whole)["items"]) == 51
    assert len(whole) > 5 * len(packed)


async def test_a_body_over_the_cap_is_not_read(server: RunningServer) -> None:
    async with server.session.post("/api/v1/vessels", data=b"x" * 200_000) as response:
        assert response.status in (405, 413)


async def test_figures_name_route_templates_and_never_a_ship(server: RunningServer) -> None:
    await get(server, "/api/v1/vessels/224000001")
    await get(server, "/nowhere/224000001")
    _, text = await get(server, "/metrics")
    assert 'http_requests_total{code="200",method="GET",route="/api/v1/vessels/{mmsi}"} 1.0' in text
    assert 'port_targets{class="class_a"} 1.0' in text
    assert "live_picture_dropped_total" in text
    assert "224000001" not in text


async def test_the_control_room_is_served_and_nothing_beside_it(tmp_path: Path) -> None:
    build = tmp_path / "dist"
    (build / "assets").mkdir(parents=True)
    (build / "index.html").write_text("<!doctype html><title>Puerto</title>", encoding="utf-8")
    (build / "assets" / "main-DxT3kq1Z.js").write_text("export {}", encoding="utf-8")
    (build / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (build / "secret.pem").write_text("key", encoding="utf-8")
    (tmp_path / "outside.js").write_text("outside", encoding="utf-8")
    (build / "assets" / "link-DxT3kq1Z.js").symlink_to(tmp_path / "outside.js")
    async with running_server(tmp_path, control_room_dir=build) as server:
        page, text = await get(server, "/")
        assert (page.content_type, page.headers["Cache-Control"]) == ("text/html", "no-cache")
        assert "Puerto" in text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        script, _ = await get(server, "/assets/main-DxT3kq1Z.js")
        assert script.content_type == "text/javascript"
        assert "immutable" in script.headers["Cache-Control"]
        icon, _ = await get(server, "/favicon.svg")
        assert icon.status == 200
        for path in ("/assets/link-DxT3kq1Z.js", "/secret.pem", "/assets/..%2f..%2foutside.js", "/assets/%00.js"):
            async with server.session.get(f"{server.url}{path}") as refused:
                assert refused.status == 404, path
        again, _ = await get(server, "/", headers={"If-None-Match": page.headers["ETag"]})
        assert again.status == 304


async def test_a_long_list_lets_others_have_their_turn(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.feed(*(position(300_000_000 + n) for n in range(5_000)))
    turn = 0
    described: Counter[int] = Counter()

    def counted(target: Target, now_ns: int) -> Vessel:
        described[turn] += 1
        return describe_vessel(target, now_ns)

    async def other() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr("cloud_api.vessels.routes.describe_vessel", counted)
    waiting = asyncio.create_task(other())
    _, vessels = await get(server, "/api/v1/vessels", headers={"Accept-Encoding": "identity"})
    waiting.cancel()
    assert len(vessels["items"]) == described.total() == 5_001
    # described in one go, all 5,001 would stand in one turn of the other task: 50 ms here, 0.4 s at the cap of vessels
    assert max(described.values()) <= 200


async def test_the_balance_of_gateways_is_shown_a_page_at_a_time(server: RunningServer) -> None:
    server.accounting.standings = [
        standing("demo/gw-1"), standing("demo/gw-2", Verdict.MISSING), standing("demo/gw-3", Verdict.BUFFERED),
    ]  # fmt: skip
    server.accounting.looked_ns = time.time_ns()
    _, page = await get(server, "/api/v1/accounting?limit=2")
    assert [one["id"] for one in page["items"]] == ["demo/gw-1", "demo/gw-2"]
    missing = page["items"][1]
    assert (missing["verdict"], missing["missing"], missing["declared"]) == ("missing", 12, {"thinned": 10})
    assert missing["streams"][0]["ranges"] == [{"first_seq": 51, "last_seq": 62}]
    assert missing["since"] is not None
    _, rest = await get(server, f"/api/v1/accounting?after={page['next']}")
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (["demo/gw-3"], None)
    _, alarms = await get(server, "/api/v1/accounting?alarms=true")
    assert [one["id"] for one in alarms["items"]] == ["demo/gw-2"]
    _, one = await get(server, "/api/v1/accounting?gateway=demo/gw-3")
    assert [item["verdict"] for item in one["items"]] == ["buffered"]
    server.picture.tell_standing(standing("demo/gw-1", Verdict.MISSING))
    _, gateways = await get(server, "/api/v1/gateways")
    assert gateways["items"][0]["balance"]["missing"] == 12
