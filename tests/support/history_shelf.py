"""A history in memory for readers: what the vessel slice and the reading API ask of one."""

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
)
from cloud_api.history.thinning_policy import SeriesThinner, TrackThinner


class HistoryShelf:
    """Points by MMSI and by series, kept in memory as a store keeps them on disk; ties are their places in the lists.

    Attributes:
        points: positions of each vessel.
        series: observations of each sensor.
        failure: raised by every question, if set.
    """

    def __init__(self) -> None:
        self.points: dict[int, list[TrackPoint]] = {}
        self.series: dict[SeriesId, list[SeriesPoint]] = {}
        self.failure: Exception | None = None

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
        return [point for _, point in self._positions(mmsi, Span(from_ns, to_ns))][-max_points:]

    async def track_page(self, mmsi: int, span: Span, after: Position | None, limit: int) -> Page[TrackPoint]:
        found = [one for one in self._positions(mmsi, span) if after is None or one[0] > after]
        more = found[limit - 1][0] if len(found) > limit else None
        return Page([point for _, point in found[:limit]], more)

    async def thinned_track(self, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
        thinner: TrackThinner[TrackPoint] = TrackThinner(span, max_points)
        for at, point in self._positions(mmsi, span):
            thinner.feed(at.at_ns, point.sog_kn, point)
        rows = thinner.rows()
        return ThinnedTrack(rows, thinner.stored, 0 if thinner.is_whole() else thinner.width_ns)

    async def list_series(self, after: SeriesId | None, limit: int) -> list[SeriesSummary]:
        self._check()
        times = {series: [point.at_ns for point in points] for series, points in self.series.items() if points}
        found = [SeriesSummary(series, min(at), max(at)) for series, at in times.items() if not after or series > after]
        return sorted(found, key=lambda one: one.id)[:limit]

    async def series_page(self, series: SeriesId, span: Span, after: Position | None, limit: int) -> Page[SeriesPoint]:
        found = [one for one in self._observations(series, span) if after is None or one[0] > after]
        more = found[limit - 1][0] if len(found) > limit else None
        return Page([point for _, point in found[:limit]], more)

    async def thinned_series(
        self, series: SeriesId, span: Span, max_points: int, channels: frozenset[str] | None = None
    ) -> ThinnedSeries:
        thinner = SeriesThinner(span, max_points, channels)
        for _, point in self._observations(series, span):
            thinner.feed(point.at_ns, point.values)
        return thinner.result()

    def _positions(self, mmsi: int, span: Span) -> list[tuple[Position, TrackPoint]]:
        self._check()
        placed = [(Position(one.observed_at_ns, tie), one) for tie, one in enumerate(self.points.get(mmsi, []))]
        return sorted((one for one in placed if span.from_ns <= one[0].at_ns <= span.to_ns), key=lambda one: one[0])

    def _observations(self, series: SeriesId, span: Span) -> list[tuple[Position, SeriesPoint]]:
        self._check()
        placed = [(Position(one.at_ns, tie), one) for tie, one in enumerate(self.series.get(series, []))]
        return sorted((one for one in placed if span.from_ns <= one[0].at_ns <= span.to_ns), key=lambda one: one[0])

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure
