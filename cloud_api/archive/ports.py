"""What the reading API asks of a history."""

from typing import Protocol

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


class HistoryArchive(Protocol):
    """Answers from what is stored, each method from one consistent state. What is not known has no points.

    Every method raises ``LinkError`` where the store cannot be read now or does not answer in time, and those that
    read a span ``TooMuchError`` where it holds more than the store reads for one answer.
    """

    async def track_page(self, mmsi: int, span: Span, after: Position | None, limit: int) -> Page[TrackPoint]:
        """Return positions of a vessel as all its receivers heard them, at most ``limit`` (≥ 1), after ``after``."""
        ...

    async def thinned_track(self, mmsi: int, span: Span, max_points: int) -> ThinnedTrack:
        """Return the track of a vessel in at most ``max_points`` (≥ 7) positions."""
        ...

    async def list_series(self, after: SeriesId | None, limit: int) -> list[SeriesSummary]:
        """Return fixed sensors that have points, by id, at most ``limit`` (≥ 1), after ``after``.

        Vessels, logs, health and clocks are none.
        """
        ...

    async def series_page(self, series: SeriesId, span: Span, after: Position | None, limit: int) -> Page[SeriesPoint]:
        """Return observations of a sensor, at most ``limit`` (≥ 1), after ``after``."""
        ...

    async def thinned_series(
        self, series: SeriesId, span: Span, max_points: int, channels: frozenset[str] | None = None
    ) -> ThinnedSeries:
        """Return a sensor's numeric channels in at most ``max_points`` (≥ 2) buckets each.

        With ``channels`` only those. Minutes that retention has summed up and taken away count as if they were still
        there, at the minute's begin.
        """
        ...
