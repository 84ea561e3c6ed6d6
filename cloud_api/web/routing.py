"""Declarations of routes: what a slice offers, from which both the router and the OpenAPI description are made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
        also: model of each further content type that it answers in if asked to; None where it is not JSON.
        is_revalidated: its answers carry an ETag, and are not sent again to who has them.
        is_paged: its answers carry a link to the next page.
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
    also: Mapping[str, type[BaseModel] | None] = field(default_factory=dict)
    is_revalidated: bool = False
    is_paged: bool = False
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
