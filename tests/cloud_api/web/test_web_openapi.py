"""The OpenAPI description is made from the declarations and says what the routes do."""

from cloud_api.web import probes
from cloud_api.web.openapi import describe
from cloud_api.web.server import API_ROUTES

DESCRIPTION = describe((*API_ROUTES, *probes.ROUTES))


def test_every_api_route_is_described() -> None:
    assert set(DESCRIPTION["paths"]) == {
        "/api/v1/site",
        "/api/v1/vessels",
        "/api/v1/vessels/{mmsi}",
        "/api/v1/vessels/{mmsi}/track",
        "/api/v1/sensors",
        "/api/v1/gateways",
        "/api/v1/accounting",
        "/api/v1/history/vessels/{mmsi}/track",
        "/api/v1/history/series",
        "/api/v1/history/series/{site}/{observer}/{sensor}",
        "/healthz",
        "/readyz",
    }


def test_parameters_carry_their_limits() -> None:
    parameters = {one["name"]: one for one in DESCRIPTION["paths"]["/api/v1/vessels"]["get"]["parameters"]}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 20_000, "default": 20_000}
    assert parameters["moving"]["schema"]["enum"] == ["true", "false"]
    track = DESCRIPTION["paths"]["/api/v1/vessels/{mmsi}/track"]["get"]["parameters"]
    assert [(one["name"], one["in"], one["required"]) for one in track] == [
        ("mmsi", "path", True),
        ("from", "query", False),
        ("to", "query", False),
        ("max_points", "query", False),
    ]


def test_every_reference_leads_somewhere() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    text = str(DESCRIPTION)
    for part in text.split("'$ref': '#/components/schemas/")[1:]:
        assert part.split("'")[0] in schemas


def test_operations_are_named_once() -> None:
    names = [path["get"]["operationId"] for path in DESCRIPTION["paths"].values()]
    assert len(names) == len(set(names))


def test_formats_revalidation_and_pages_are_described() -> None:
    track = DESCRIPTION["paths"]["/api/v1/history/vessels/{mmsi}/track"]["get"]
    answer = track["responses"]["200"]
    assert set(answer["content"]) == {"application/json", "application/geo+json", "text/csv"}
    assert set(answer["headers"]) == {"ETag", "Link"}
    assert {"304", "400", "406", "503"} < set(track["responses"])
    places = {parameter["name"]: parameter["in"] for parameter in track["parameters"]}
    assert places["If-None-Match"] == "header"
    assert set(places) == {"mmsi", "from", "to", "max_points", "limit", "cursor", "format", "If-None-Match"}
    assert all(parameter["description"] for parameter in track["parameters"])
