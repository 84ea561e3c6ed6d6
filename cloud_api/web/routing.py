"""Declarations of routes: what a slice offers, from which both the router and the OpenAPI description are made."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Route:
    """One GET route.

    Attributes:
        path: as aiohttp writes it, with ``{parameter}``.
        handler: answers it.
        summary: one line for the description.
        tag: slice it belongs to.
        query: model of its query parameters.
        path_parameters: model of the parameters in its path.
        response: model of its answer; None where it is not JSON.
        content_type: of its answer.
        problems: statuses that it may answer with beside 200.
        is_described: appears in the OpenAPI description.
    """

    path: str
    handler: Handler
    summary: str
    tag: str
    query: type[BaseModel] | None = None
    path_parameters: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    content_type: str = "application/json"
    problems: tuple[int, ...] = ()
    is_described: bool = True


def add_routes(application: web.Application, routes: Sequence[Route]) -> None:
    """Add declared routes to the router; HEAD is answered wherever GET is."""
    for route in routes:
        application.router.add_get(route.path, route.handler)


def json_response(model: BaseModel, status: int = 200) -> web.Response:
    """Return a model as JSON that no cache keeps."""
    body = model.model_dump_json(by_alias=True).encode()
    return web.Response(
        status=status, body=body, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
