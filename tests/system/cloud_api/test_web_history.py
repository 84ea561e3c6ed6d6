"""The history over a real server: formats, pages by link, what is not sent twice, and how it says no."""

import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cloud_api.archive.models import SeriesAnswer, SeriesList, TrackAnswer, TrackFeature
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import SeriesId, SeriesPoint
from contracts.errors import LinkError
from tests.support.web_server import RunningServer, running_server

pytestmark = pytest.mark.system

TRACK = "/api/v1/history/vessels/224000001/track"
SERIES = "/api/v1/history/series"
WIND = f"{SERIES}/demo/mast-1/wind"
COUNT = 2_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        now_ns = time.time_ns()
        running.history.points[224_000_001] = [
            TrackPoint(now_ns - age * 10**9, -0.3, 39.4, 40.0 if age == 77 else 5.0, None, 91)
            for age in range(COUNT, 0, -1)
        ]
        running.history.points[5] = [TrackPoint(now_ns - 5, 1.5, 2.5, None, None, None)]
        running.history.series[SeriesId("demo", "mast-1", "wind")] = [
            SeriesPoint(now_ns - age * 10**9, {"speed_mps": 31.0 if age == 77 else 6.0, "note": "=1+1"})
            for age in range(COUNT, 0, -1)
        ]
        yield running


async def get(server: RunningServer, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with server.session.get(path, headers=named) as response:
        return response, await response.text()


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


async def test_a_track_in_three_formats_says_the_same(server: RunningServer) -> None:
    _, text = await get(server, f"{TRACK}?max_points=100")
    answer = TrackAnswer.model_validate_json(text)
    assert answer.stored == COUNT
    assert answer.bucket_s
    assert len(answer.items) <= 100
    assert max(item.sog_kn or 0 for item in answer.items) == 40.0
    span = f"max_points=100&from={answer.from_}&to={answer.to}"
    response, text = await get(server, f"{TRACK}?{span}", Accept="application/geo+json")
    assert response.content_type == "application/geo+json"
    feature = TrackFeature.model_validate_json(text)
    assert feature.geometry is not None
    assert len(feature.geometry.coordinates) == len(feature.properties.times) == len(answer.items)
    assert feature.properties.times == [item.at for item in answer.items]
    response, text = await get(server, f"{TRACK}?{span}&format=csv")
    assert (response.content_type, response.charset) == ("text/csv", "utf-8")
    head, *rows = table(text)
    assert head == ["at", "lon_deg", "lat_deg", "sog_kn", "cog_deg", "heading_deg"]
    assert rows == [[item.at, "-0.3", "39.4", str(item.sog_kn), "", "91"] for item in answer.items]


async def test_one_position_is_a_point_and_none_is_nothing(server: RunningServer) -> None:
    for mmsi, kind in ((5, "Point"), (6, None)):
        _, text = await get(server, f"/api/v1/history/vessels/{mmsi}/track?format=geojson")
        geometry = TrackFeature.model_validate_json(text).geometry
        assert (geometry.type if geometry else None) == kind


@pytest.mark.parametrize("path", [f"{TRACK}?limit=300&format=csv", f"{WIND}?limit=300&format=csv"])
async def test_links_lead_through_every_point_once(server: RunningServer, path: str) -> None:
    seen, pages = [], 0
    while path:
        response, text = await get(server, path)
        assert response.status == 200
        seen += [row[0] for row in table(text)[1:]]
        pages += 1
        path = str(response.links["next"]["url"]) if "next" in response.links else ""
    assert pages == 7
    assert len(seen) == COUNT
    assert seen == sorted(set(seen))


async def test_series_as_observations_and_as_buckets(server: RunningServer) -> None:
    _, text = await get(server, SERIES)
    (entry,) = SeriesList.model_validate_json(text).items
    assert entry.id == "demo/mast-1/wind"
    _, text = await get(server, f"{SERIES}/{entry.id}?limit=1")
    page = SeriesAnswer.model_validate_json(text)
    assert page.items
    assert page.items[0].values == {"speed_mps": 6.0, "note": "=1+1"}
    assert page.items[0].at == entry.first_at
    _, text = await get(server, f"{WIND}?max_points=50")
    thinned = SeriesAnswer.model_validate_json(text)
    assert thinned.channels
    wind = thinned.channels["speed_mps"]
    assert (sum(wind.count), max(one or 0 for one in wind.max), len(wind.at) <= 50) == (COUNT, 31.0, True)
    _, text = await get(server, f"{WIND}?max_points=50&format=csv")
    assert table(text)[1] == [wind.at[0], "speed_mps", str(wind.count[0]), "6.0", "6.0", "6.0"]


async def test_a_text_is_no_formula_in_a_spreadsheet(server: RunningServer) -> None:
    _, text = await get(server, f"{WIND}?limit=1&format=csv&channels=note,speed_mps,absent")
    head, row = table(text)
    assert head[1:] == ["note", "speed_mps", "absent"]
    assert row[1:] == ["'=1+1", "6.0", ""]


async def test_what_is_known_is_not_sent_again(server: RunningServer) -> None:
    _, text = await get(server, f"{TRACK}?max_points=10")
    span = TrackAnswer.model_validate_json(text)
    path = f"{TRACK}?max_points=10&from={span.from_}&to={span.to}"
    response, _ = await get(server, path)
    etag = response.headers["ETag"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "Accept, Accept-Encoding"
    again, text = await get(server, path, If_None_Match=etag)
    assert (again.status, text, again.headers["ETag"]) == (304, "", etag)
    server.history.points[224_000_001].append(TrackPoint(time.time_ns() - 10**9, 0.0, 0.0, 50.0, None, None))
    changed, _ = await get(server, path, If_None_Match=etag)
    other_format, _ = await get(server, f"{path}&format=csv", If_None_Match=etag)
    assert other_format.status == 200
    assert changed.status in (200, 304)


@pytest.mark.parametrize("kind", ["json", "csv", "geojson"])
async def test_answers_are_compressed(server: RunningServer, kind: str) -> None:
    response, text = await get(server, f"{TRACK}?limit=1000&format={kind}", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert int(response.headers["Content-Length"]) < len(text) / 3


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv;q=0.5, application/geo+json", "application/geo+json"),
        ("application/json;q=0, text/*", "text/csv"),
        ("application/*", "application/json"),
        ("image/png", "application/problem+json"),
        (";;;,,q=9", "application/problem+json"),
    ],
)
async def test_accept_chooses(server: RunningServer, accept: str, content_type: str) -> None:
    response, _ = await get(server, f"{TRACK}?limit=1", Accept=accept)
    assert response.content_type == content_type
    assert response.status == (406 if "problem" in content_type else 200)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"{TRACK}?from=yesterday", "from"),
        (f"{TRACK}?from=1790000000", "from"),
        (f"{TRACK}?to=2262-12-31T00:00:00Z", "to"),
        (f"{TRACK}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from, to"),
        (f"{TRACK}?max_points=5001", "max_points"),
        (f"{TRACK}?max_points=10&limit=5", "max_points, limit, cursor"),
        (f"{TRACK}?limit=0", "limit"),
        (f"{TRACK}?cursor=AAAA", "cursor"),
        (f"{TRACK}?format=xml", "format"),
        (f"{TRACK}?max_point=5", "max_point"),
        ("/api/v1/history/vessels/x/track", "mmsi"),
        (f"{WIND}?format=geojson", "format"),
        (f"{WIND}?channels=a,,b", "channels"),
        (f"{SERIES}?cursor=%C3%B1", "cursor"),
        (f"{SERIES}/{'s' * 101}/o/wind", "site"),
    ],
)
async def test_a_problem_names_the_parameter(server: RunningServer, path: str, parameter: str) -> None:
    async with server.session.get(path) as response:
        problem: dict[str, Any] = await response.json(content_type="application/problem+json")
    assert response.status == 400
    fault = problem["errors"][0]
    assert set(fault["parameter"].split(", ")) == set(parameter.split(", "))
    assert fault["detail"]
    assert fault["allowed"]


async def test_a_store_that_does_not_answer_is_a_503(server: RunningServer) -> None:
    server.history.failure = LinkError("read history", "/var/lib/history", "locked")
    for path in (TRACK, f"{TRACK}?max_points=10", SERIES, WIND):
        response, text = await get(server, path)
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert "/var" not in text
