"""The OpenAPI 3.1 description, made from the declarations of the routes. Nothing of it is written by hand.

*Source:* OpenAPI Specification 3.1.0; JSON Schema 2020-12, as pydantic writes it.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cloud_api.web.problems import CONTENT_TYPE, Problem
from cloud_api.web.routing import Route

REFERENCE = "#/components/schemas/{model}"
INFO = {
    "title": "PortTrack",
    "version": "1",
    "description": "Times are RFC 3339 UTC with milliseconds, unknown values are null. "
    "The live picture travels over the WebSocket /ws/live in the binary frames of docs/live_wire.md.",
}

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags of answers that the client has: if the answer is one of them, it is a 304 without a body",
    "schema": {"type": "string"},
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the description of the routes that are meant to be described."""
    described = [route for route in routes if route.is_described]
    answers = [model for route in described for model in (route.response, *route.also.values())]
    models: list[type[BaseModel]] = [Problem, *(model for model in answers if model is not None)]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)], ref_template=REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "paths": {_path(route.path): {"get": _operation(route)} for route in described},
        "components": {"schemas": schemas["$defs"]},
    }


def _path(path: str) -> str:
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    contents = {route.content_type: route.response, **route.also}
    answer: dict[str, Any] = {"description": "OK", "content": {name: _schema(one) for name, one in contents.items()}}
    headers = _answer_headers(route)
    if headers:
        answer["headers"] = headers
    responses: dict[str, Any] = {"200": answer}
    for status in route.problems:
        responses[str(status)] = _problem(status, route)
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    return {
        "operationId": "_".join(["get", *words]),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [
            *_parameters(route.path_parameters, "path"),
            *_parameters(route.query, "query"),
            *([IF_NONE_MATCH] if route.is_revalidated else []),
        ],
        "responses": responses,
    }


def _schema(model: type[BaseModel] | None) -> dict[str, Any]:
    return {} if model is None else {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}


def _answer_headers(route: Route) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if route.is_revalidated:
        headers["ETag"] = {"description": "of this answer, weak (RFC 9110)", "schema": {"type": "string"}}
    if route.is_paged:
        text = 'next page, rel="next" (RFC 8288); absent where there is none'
        headers["Link"] = {"description": text, "schema": {"type": "string"}}
    return headers


def _problem(status: int, route: Route) -> dict[str, Any]:
    if status == 304:  # noqa: PLR2004 - "not modified" is the one of these that carries nothing
        return {"description": "not modified"}
    if route.path == "/readyz":
        schema = {"$ref": REFERENCE.format(model=route.response.__name__)} if route.response else {}
        return {"description": "not ready", "content": {route.content_type: {"schema": schema}}}
    schema = {"$ref": REFERENCE.format(model=Problem.__name__)}
    return {"description": "problem", "content": {CONTENT_TYPE: {"schema": schema}}}


def _parameters(model: type[BaseModel] | None, place: str) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    required = schema.get("required", [])
    parameters = []
    for name, raw in schema["properties"].items():
        options = [option for option in raw.get("anyOf", [raw]) if option.get("type") != "null"]
        value = {**{key: raw[key] for key in ("default",) if raw.get(key) is not None}, **options[0]}
        value.pop("title", None)
        parameters.append({
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "description": raw.get("description", ""),
            "schema": {key: item for key, item in value.items() if key != "description"},
        })  # fmt: skip
    return parameters
