"""Errors as ``application/problem+json`` (RFC 9457). What a client is told holds no path, trace or address."""

from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, Field

CONTENT_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:porttrack:problem:"


class ParameterFault(BaseModel):
    """One parameter that cannot be used."""

    parameter: str
    detail: str
    allowed: str = Field(description="what would be allowed there")


class Problem(BaseModel):
    """An error, as RFC 9457 writes it."""

    type: str = Field(description="urn:porttrack:problem:{word}, or about:blank where the status says it all")
    title: str
    status: int
    detail: str
    hint: str | None = Field(default=None, description="what the reader can do about it")
    errors: list[ParameterFault] | None = None


class ProblemError(Exception):
    """Raised by a handler to answer with a problem.

    Args:
        status: HTTP status, 400 to 599.
        word: short word of the kind of problem, ``a-z-``; empty where the status says it all.
        detail: what happened, for the person who asked.
        hint: what to do about it.
        errors: the parameters at fault.
        headers: further response headers (``Retry-After``, ``Allow``).
    """

    def __init__(
        self,
        status: int,
        word: str,
        detail: str,
        *,
        hint: str | None = None,
        errors: list[ParameterFault] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.problem = Problem(
            type=f"{_TYPE_PREFIX}{word}" if word else "about:blank",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            hint=hint,
            errors=errors,
        )


def problem_response(error: ProblemError) -> web.Response:
    """Return the response that tells of a problem."""
    return web.Response(
        status=error.status,
        body=error.problem.model_dump_json(exclude_none=True).encode(),
        content_type=CONTENT_TYPE,
        headers=error.headers,
    )
