"""A sink and a quarantine in memory that keep the promises of their ports, and can be made to fail."""

from collections.abc import Sequence

from cloud_api.history.models import Rejected, StoredRecord
from cloud_api.history.series import SeriesKey, series_key
from contracts.errors import LinkError, PortTrackError

PointKey = tuple[SeriesKey, int, int]
"""Series, UTC ns, and the number that keeps two records of one moment apart."""


class SinkSimulator:
    """``PointSink`` in memory.

    Attributes:
        points: what is written, by series, time and number.
        writes: size of each write that went through.
        failures: errors that the next writes raise, one each, after half of the points was written.
        refused: numbers that are refused for their content.
    """

    def __init__(self) -> None:
        self.points: dict[PointKey, StoredRecord] = {}
        self.writes: list[int] = []
        self.failures: list[PortTrackError] = []
        self.refused: set[int] = set()

    async def write(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        if self.failures:
            self._put(points[: len(points) // 2])
            raise self.failures.pop(0)
        self.writes.append(len(points))
        return self._put(points)

    async def check(self) -> None:
        if self.failures:
            raise self.failures[0]

    async def close(self) -> None:
        self.failures = [LinkError("write points", "simulator", "closed")]

    def numbers(self, stream_id: str) -> list[int]:
        """Numbers of a stream that have a point, with repetition, ascending."""
        return sorted(point.record.seq for point in self.points.values() if point.stream_id == stream_id)

    def _put(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        rejected = []
        for point in points:
            record = point.record
            if record.seq in self.refused:
                rejected.append(Rejected(point, "refused", "told so"))
            else:
                key = series_key(point.site, point.gateway, record)
                self.points[key, record.observed_at_ns, record.seq] = point
        return rejected


class QuarantineSimulator:
    """``PointQuarantine`` in memory.

    Attributes:
        kept: reason by stream and number.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], str] = {}

    async def keep(self, rejected: Sequence[Rejected]) -> int:
        self.kept |= {(one.point.stream_id, one.point.record.seq): one.reason for one in rejected}
        return 0
