"""Route of the accounting."""

from typing import Protocol

from aiohttp import web

from cloud_api.accounting.models import GatewayStanding
from cloud_api.accounting.views import Accounting, AccountingQuery, describe_account
from cloud_api.timestamps import format_utc
from cloud_api.web.parameters import read_query
from cloud_api.web.routing import Route, json_response


class Standings(Protocol):
    """What is shown (the accounting service)."""

    @property
    def standings(self) -> list[GatewayStanding]:
        """Standing of every gateway at the last look, by id."""
        ...

    @property
    def looked_ns(self) -> int | None:
        """UTC ns of the last look; None before the first."""
        ...


STANDINGS: web.AppKey[Standings] = web.AppKey("standings", Standings)


async def _list(request: web.Request) -> web.Response:
    query = read_query(request, AccountingQuery)
    board = request.app[STANDINGS]
    found = [
        one
        for one in board.standings
        if (query.after is None or one.id > query.after)
        and (query.gateway is None or one.id == query.gateway)
        and (query.alarms == "false" or one.verdict.is_alarm)
    ]
    page = found[: query.limit]
    answer = Accounting(
        items=[describe_account(one) for one in page],
        next=page[-1].id if len(found) > len(page) else None,
        looked_at=None if board.looked_ns is None else format_utc(board.looked_ns),
    )
    return json_response(answer)


ROUTES = (
    Route(
        "/api/v1/accounting", _list, "where every produced record is", "accounting",
        query=AccountingQuery, response=Accounting, problems=(400,),
    ),
)  # fmt: skip
