"""Tracks of vessels out of an InfluxDB.

A page is cut after whole milliseconds: points of one millisecond stand on the server in the order of their numbers, and
here in that of their exact times. A thinned track is chosen by the server: it reads the span, and sends what is kept.
Pages are put together in a thread: one of the widest sensor takes the better part of a second.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from zlib import crc32

from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.influx.questions import WHOSE, fix_extremes, fixes
from cloud_api.history.influx.schema import MILLISECOND_NS, PLACED
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import Page, Position, Span, ThinnedTrack, TooMuchError
from cloud_api.history.thinning_policy import POINTS_A_BUCKET, width_for

MAX_ROWS = 200_000
"""Rows asked for in one page at most, whatever lies in one millisecond; the page gives up rather than ask for more."""
SPARE_ROWS = 64
"""Read beyond a page, so that a millisecond that the page's end falls into is nearly always whole at the first try."""
TIE_BITS = 20
"""Of a tie: which stream; the number of the record is above them."""
NUMBERS = 1 << 63 - TIE_BITS
"""Numbers that a tie tells apart, 2^43: a tie has 63 bits, and a gateway may begin to count where it likes."""

Item = TypeVar("Item")


async def track(queries: QueryEndpoint, mmsi: int, span: Span, max_points: int) -> list[TrackPoint]:
    """Return the newest positions of a vessel, see ``HistoryReader.track``."""
    found: list[Row] = []
    async for line in queries.ask(fixes(mmsi, span, max_points + SPARE_ROWS, is_newest_first=True), PLACED):
        found += [row for _, row in rows_of(line)]
    placed = sorted(_exact(found, span), key=lambda item: item[0])
    return [_track_point(row.values) for _, row in placed[-max_points:]]


async def track_page(
    queries: QueryEndpoint, mmsi: int, span: Span, after: Position | None, limit: int
) -> Page[TrackPoint]:
    """Return positions of a vessel, see ``HistoryArchive.track_page``."""
    return await page_of(queries, lambda rest, rows: fixes(mmsi, rest, rows), span, after, limit,
                         lambda row: _track_point(row.values))  # fmt: skip


async def thinned_track(queries: QueryEndpoint, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
    """Return a vessel's track in few points, see ``HistoryArchive.thinned_track``."""
    width_ns = width_for(span, (max_points - 1) // POINTS_A_BUCKET)
    stored, chosen = 0, []
    async for line in queries.ask(fix_extremes(mmsi, span, width_ns), PLACED):
        for statement, row in rows_of(line):
            if statement == 0:
                stored = int(row.values["stored"])
            else:
                chosen.append(row)
    if stored <= max_points:
        page = await track_page(queries, mmsi, span, None, max_points)
        return ThinnedTrack(page.items, len(page.items), 0)
    placed = dict(_exact(chosen, span))
    points = [_track_point(placed[at].values) for at in sorted(placed)]
    return ThinnedTrack(points, stored, width_ns)


async def page_of(
    queries: QueryEndpoint,
    question: Callable[[Span, int], str],
    span: Span,
    after: Position | None,
    limit: int,
    read: Callable[[Row], Item],
) -> Page[Item]:
    """Return one page of points.

    Args:
        queries: the server.
        question: makes the question for the points of a span, at most so many, in order of time.
        span: UTC ns.
        after: the point before the first.
        limit: at most so many points.
        read: makes an item of a row.

    Raises:
        LinkError: the server does not answer.
        TooMuchError: more than ``MAX_ROWS`` points lie in one millisecond.
    """
    rest = span if after is None else Span(max(span.from_ns, after.at_ns), span.to_ns)
    rows = limit + SPARE_ROWS
    while True:
        # all of it before the thread: the time of an answer must not end while this task waits for anything else
        lines = [line async for line in queries.ask(question(rest, rows), PLACED)]
        page = await asyncio.to_thread(_page_in, lines, rows, rest, after, limit, read)
        if page is not None:
            return page
        rows *= 4
        if rows > MAX_ROWS:
            cause = f"more than {MAX_ROWS} points at one time"
            raise TooMuchError("read history", "span", cause, "ask for a shorter span", "too_many_rows")


def _page_in(
    lines: list[bytes], asked: int, span: Span, after: Position | None, limit: int, read: Callable[[Row], Item]
) -> Page[Item] | None:
    """Return the page that an answer holds; None where it ends before the page does."""
    found = [row for line in lines for _, row in rows_of(line)]
    placed = sorted(_exact(found, span), key=lambda item: item[0])
    is_all = len(found) < asked
    if not is_all:
        cut_ns = int(found[-1].values["time"]) // MILLISECOND_NS * MILLISECOND_NS
        placed = [item for item in placed if item[0].at_ns < cut_ns]
    fresh = [item for item in placed if after is None or item[0] > after]
    if not is_all and len(fresh) <= limit:
        return None
    following = fresh[limit - 1][0] if len(fresh) > limit else None
    return Page([read(row) for _, row in fresh[:limit]], following)


def position_of(row: Row) -> Position:
    """Return the place of a point in an answer: its exact time, and its number with its stream."""
    values = row.values
    stream = ".".join(str(values[tag]) for tag in WHOSE)
    tie = int(values["seq"]) % NUMBERS << TIE_BITS | crc32(stream.encode()) % (1 << TIE_BITS)
    return Position(int(values["at_ns"]), tie)


def _exact(rows: Iterable[Row], span: Span) -> list[tuple[Position, Row]]:
    return [(at, row) for row in rows if span.from_ns <= (at := position_of(row)).at_ns <= span.to_ns]


def _track_point(values: dict[str, Any]) -> TrackPoint:
    speed, course, heading = values["sog_kn"], values["cog_deg"], values["heading_deg"]
    return TrackPoint(
        int(values["at_ns"]), float(values["lon_deg"]), float(values["lat_deg"]),
        None if speed is None else float(speed), None if course is None else float(course),
        None if heading is None else int(heading),
    )  # fmt: skip
