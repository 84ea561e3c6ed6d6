"""Parameters: one spelling, nothing guessed, and a refusal that says what would be allowed."""

from contextlib import suppress
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from cloud_api.vessels.models import Box, TrackQuery, VesselPath, VesselQuery
from cloud_api.web.parameters import Parameters, read_path, read_query
from cloud_api.web.problems import ProblemError


def read(model: type[Parameters], query: str) -> Any:
    return read_query(make_mocked_request("GET", f"/?{query}"), model)


def refusal(model: type[Parameters], query: str) -> ProblemError:
    with pytest.raises(ProblemError) as info:
        read(model, query)
    return info.value


def test_what_is_allowed_is_read() -> None:
    query = read(VesselQuery, "moving=true&bbox=-0.4,39.3,-0.2,39.5&limit=10")
    assert (query.moving, query.limit, query.box()) == ("true", 10, Box(-0.4, 39.3, -0.2, 39.5))
    track = read(TrackQuery, "from=2026-11-24T02:00:00Z&to=2026-11-24T04:00:00.5%2B01:00&max_points=7")
    assert track.from_ < track.to


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("moving=yes", "moving", "true or false"),
        ("limit=0", "limit", "1 to 20000"),
        ("limit=20001", "limit", "1 to 20000"),
        ("limit=1.0", "limit", "1 to 20000"),
        ("limit=+1", "limit", "1 to 20000"),
        ("bbox=1,2,3", "bbox", "west,south,east,north"),
        ("bbox=181,0,182,1", "bbox", "west,south,east,north"),
        ("bbox=0,2,1,1", "bbox", "west,south,east,north"),
        ("bbox=0,0,1,1%0A", "bbox", "west,south,east,north"),
        ("colour=red", "colour", "moving, bbox, limit"),
        ("limit=1&limit=2", "limit", "once"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_would_be(query: str, parameter: str, allowed: str) -> None:
    error = refusal(VesselQuery, query)
    assert error.status == 400
    assert error.problem.errors is not None
    (fault,) = error.problem.errors
    assert fault.parameter == parameter
    assert allowed in fault.allowed


@pytest.mark.parametrize(
    "query",
    [
        "from=1764000000",
        "from=2026-11-24T02:00:00",
        "from=2026-11-24",
        "from=2026-11-24T03:00:00Z&to=2026-11-24T02:00:00Z",
        "from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00.001Z",
        "from=1969-12-31T23:59:59Z",
        "to=2300-01-01T00:00:00Z",
        "to=0001-01-01T00:00:00%2B23:59",
        "to=2026-13-01T00:00:00Z",
        "max_points=5001",
    ],
)
def test_times_have_one_spelling_and_a_span_of_a_day(query: str) -> None:
    assert refusal(TrackQuery, query).status == 400


def test_a_rule_between_parameters_names_them() -> None:
    error = refusal(TrackQuery, "from=2026-11-24T03:00:00Z&to=2026-11-24T02:00:00Z")
    assert error.problem.errors is not None
    assert error.problem.errors[0].parameter == "from, to"


def test_a_plus_that_became_a_space_is_explained() -> None:
    assert "%2B" in refusal(TrackQuery, "from=2026-11-24T02:00:00+01:00").problem.detail


@given(st.dictionaries(st.sampled_from(["moving", "bbox", "limit", "from", "to", "x"]), st.text(max_size=30)))
def test_any_query_is_read_or_refused_with_a_problem(values: dict[str, str]) -> None:
    request = make_mocked_request("GET", str(URL("/").with_query(values)))
    for model in (VesselQuery, TrackQuery):
        with suppress(ProblemError):
            read_query(request, model)


@pytest.mark.parametrize("mmsi", ["abc", "-1", "1000000000", "1e3", "٣"])
def test_an_mmsi_is_at_most_nine_digits(mmsi: str) -> None:
    request = make_mocked_request("GET", "/", match_info={"mmsi": mmsi})
    with pytest.raises(ProblemError, match="mmsi"):
        read_path(request, VesselPath)


def test_a_box_may_cross_the_antimeridian() -> None:
    box = Box(170.0, -10.0, -170.0, 10.0)
    assert box.holds(175.0, 0.0)
    assert box.holds(-175.0, 0.0)
    assert not box.holds(0.0, 0.0)
    assert not box.holds(175.0, 11.0)
