"""Answers questions to the history: which span, which page, and what is too much."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cloud_api.archive.cursors import (
    ListCursor,
    PageCursor,
    question_mark,
    read_list_cursor,
    read_page_cursor,
    write_cursor,
)
from cloud_api.archive.models import (
    DEFAULT_POINTS,
    MAX_SPAN_DAYS,
    MAX_SPAN_NS,
    SeriesListQuery,
    SeriesQuery,
    TrackQuery,
)
from cloud_api.archive.ports import HistoryArchive
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import (
    Page,
    Position,
    SeriesId,
    SeriesPoint,
    SeriesSummary,
    Span,
    ThinnedSeries,
    ThinnedTrack,
    TooMuchError,
)
from cloud_api.web.parameters import parameter_problem
from cloud_api.web.problems import ProblemError

DEFAULT_SPAN_NS = 24 * 3600 * 10**9

Found = TypeVar("Found")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Answer(Generic[Found]):
    """What was found over a span, and the cursor of the next page."""

    span: Span
    found: Found
    next: str | None = None


class ArchiveService:
    """See the module.

    Args:
        archive: the history.
        utc_ns: this server's clock.
    """

    def __init__(self, archive: HistoryArchive, utc_ns: Callable[[], int]) -> None:
        self._archive = archive
        self._utc_ns = utc_ns

    async def track(self, mmsi: int, query: TrackQuery) -> Answer[ThinnedTrack] | Answer[list[TrackPoint]]:
        """Return the track of a vessel, in few points or page by page.

        Raises:
            ProblemError: 400, the span or the cursor cannot be used, or the span holds too much.
            LinkError: the history cannot be read now.
        """
        if query.max_points is not None:
            span = self._span(query)
            return Answer(span, await _asked(self._archive.thinned_track(mmsi, span, query.max_points)))
        return await self._page(
            query, f"track/{mmsi}", lambda span, after, limit: self._archive.track_page(mmsi, span, after, limit)
        )

    async def series(self, series: SeriesId, query: SeriesQuery) -> Answer[ThinnedSeries] | Answer[list[SeriesPoint]]:
        """Return a series, in few buckets or page by page; see ``track``."""
        wanted = query.wanted()
        if query.max_points is not None:
            span = self._span(query)
            return Answer(span, await _asked(self._archive.thinned_series(series, span, query.max_points, wanted)))
        answer = await self._page(
            query, f"series/{series}", lambda span, after, limit: self._archive.series_page(series, span, after, limit)
        )
        if wanted is None:
            return answer
        shown = [
            SeriesPoint(one.at_ns, {name: value for name, value in one.values.items() if name in wanted})
            for one in answer.found
        ]
        return Answer(answer.span, shown, answer.next)

    async def list_series(self, query: SeriesListQuery) -> tuple[list[SeriesSummary], str | None]:
        """Return series by id, and the cursor of the next page.

        Raises:
            ProblemError: 400, the cursor cannot be used.
            LinkError: the history cannot be read now.
        """
        after = None if query.cursor is None else read_list_cursor(query.cursor).series()
        # one more than is shown tells whether there is more
        found = await self._archive.list_series(after, query.limit + 1)
        shown = found[: query.limit]
        if len(found) == len(shown):
            return shown, None
        last = shown[-1].id
        return shown, write_cursor(ListCursor(last.site, last.observer, last.sensor))

    async def _page(
        self,
        query: TrackQuery | SeriesQuery,
        subject: str,
        read: Callable[[Span, Position | None, int], Awaitable[Page[Item]]],
    ) -> Answer[list[Item]]:
        if query.cursor is None:
            span, after = self._span(query), None
        else:
            cursor = read_page_cursor(query.cursor, subject)
            span, after = cursor.span, cursor.position
            if query.from_ not in (None, span.from_ns) or query.to not in (None, span.to_ns):
                raise parameter_problem("cursor", "goes with other times", "the from and to of its first page, or none")
        page = await _asked(read(span, after, query.limit or DEFAULT_POINTS))
        following = None
        if page.next is not None:
            following = write_cursor(PageCursor(question_mark(subject), *span, *page.next))
        return Answer(span, page.items, following)

    def _span(self, query: TrackQuery | SeriesQuery) -> Span:
        to_ns = self._utc_ns() if query.to is None else query.to
        from_ns = max(0, to_ns - DEFAULT_SPAN_NS) if query.from_ is None else query.from_
        if not 0 <= to_ns - from_ns <= MAX_SPAN_NS:
            detail = f"lies after now, or more than {MAX_SPAN_DAYS} days before it"
            raise parameter_problem("from", detail, f"the last {MAX_SPAN_DAYS} days, or give to as well")
        return Span(from_ns, to_ns)


async def _asked(answer: Awaitable[Found]) -> Found:
    try:
        return await answer
    except TooMuchError as exc:
        raise _too_much(exc) from exc


def _too_much(error: TooMuchError) -> ProblemError:
    parameter = "channels" if error.reason == "too_many_channels" else "from"
    return parameter_problem(parameter, f"asks for too much: {error.cause}", error.hint or "a shorter span")
