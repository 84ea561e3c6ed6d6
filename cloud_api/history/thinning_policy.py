"""Thins tracks and series to a number of points so that what mattered survives. Sans-io.

Time is cut into equal buckets on a grid that begins at 1970, so that the same span asked again, or a little later, is
cut in the same places. A bucket of a track keeps its first position and those of its lowest and highest speed, and the
track its last; a bucket of a series keeps lowest, mean and highest of each channel: a spike of one sample is seen
whatever the span.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

from cloud_api.history.reading import Bucket, Scalar, Span, ThinnedSeries, TooMuchError
from cloud_api.history.sums import TimeSums

POINTS_A_BUCKET = 3
"""Of a track: first, slowest, fastest."""
MIN_TRACK_POINTS = 7
"""Two buckets, for a grid may cut the shortest span in two, and the last position."""
MIN_BUCKETS = 2
MAX_CHANNELS = 256
"""Channels of one thinned answer; the largest payload known, a berth of 16 hooks and 4 lasers, has 42."""
MAX_CELLS = 50_000
"""Channels times buckets of one thinned answer: what a server sums up, and this process reads and renders. InfluxDB 1.6
takes 6 s for so many on two busy cores, and over 20 s for seven times as many. A berth of 16 hooks and 4 lasers has 42
channels, so 1,190 buckets of all of them, and 5,000 of 10."""
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

Row = TypeVar("Row")


def width_for(span: Span, buckets: int) -> int:
    """Return the width of the buckets that a span is cut into, ns: whole seconds, below one whole milliseconds.

    Args:
        span: what is shown.
        buckets: at most so many (≥ 2) touch it.
    """
    width_ns = -(-(span.to_ns - span.from_ns + 1) // (buckets - 1))
    unit_ns = NS_PER_S if width_ns >= NS_PER_S else NS_PER_MS
    return -(-width_ns // unit_ns) * unit_ns


def demand_few_cells(channels: int, span: Span, width_ns: int) -> None:
    """Refuse a question whose answer would be too large, whatever part of it has values.

    Args:
        channels: how many it is about.
        span: what is shown.
        width_ns: of a bucket.

    Raises:
        TooMuchError: more than ``MAX_CHANNELS`` or ``MAX_CELLS`` (reason ``too_many_channels``).
    """
    buckets = span.to_ns // width_ns - span.from_ns // width_ns + 1
    if channels > MAX_CHANNELS:
        cause = f"more than {MAX_CHANNELS} channels"
        raise TooMuchError("thin series", "series", cause, "name the channels", "too_many_channels")
    if channels * buckets > MAX_CELLS:
        cause = f"{channels} channels in {buckets} buckets are more than {MAX_CELLS} values"
        hint = f"at most {MAX_CELLS // buckets} channels, or max_points={MAX_CELLS // channels}"
        raise TooMuchError("thin series", "series", cause, hint, "too_many_channels")


class TrackThinner(Generic[Row]):
    """Takes the positions of a track in order of time and keeps those that show it.

    Args:
        span: what is shown.
        max_points: at most so many are kept (≥ ``MIN_TRACK_POINTS``).

    Attributes:
        stored: positions taken so far.
        width_ns: width of a bucket.
    """

    def __init__(self, span: Span, max_points: int) -> None:
        self.width_ns = width_for(span, (max_points - 1) // POINTS_A_BUCKET)
        self.stored = 0
        self._max_points = max_points
        self._all: list[Row] = []
        self._kept: list[Row] = []
        self._bucket = -1
        self._first: tuple[int, Row] | None = None
        self._slowest: tuple[int, Row, float] | None = None
        self._fastest: tuple[int, Row, float] | None = None
        self._last: Row | None = None

    def feed(self, at_ns: int, sog_kn: float | None, row: Row) -> None:
        """Take one position.

        Args:
            at_ns: UTC ns, not before the one taken last.
            sog_kn: speed over ground, kn; None is not available.
            row: what is kept of it.
        """
        bucket = at_ns // self.width_ns
        if bucket != self._bucket:
            self._close()
            self._bucket = bucket
        number = self.stored
        if self._first is None:
            self._first = (number, row)
        if sog_kn is not None:
            if self._slowest is None or sog_kn < self._slowest[2]:
                self._slowest = (number, row, sog_kn)
            if self._fastest is None or sog_kn > self._fastest[2]:
                self._fastest = (number, row, sog_kn)
        self._last = row
        if number < self._max_points:
            self._all.append(row)
        self.stored = number + 1

    def is_whole(self) -> bool:
        """Tell whether nothing had to be left out so far."""
        return self.stored <= self._max_points

    def rows(self) -> list[Row]:
        """Return what is kept, in order; takes no more afterwards."""
        if self.is_whole():
            return self._all
        self._close()
        if self._last is not None and self._kept[-1] is not self._last:
            self._kept.append(self._last)
        return self._kept

    def _close(self) -> None:
        chosen = {item[0]: item[1] for item in (self._first, self._slowest, self._fastest) if item is not None}
        self._kept += [chosen[number] for number in sorted(chosen)]
        self._first = self._slowest = self._fastest = None


class SeriesThinner:
    """Takes observations and sums of a series, in any order, and draws its buckets.

    Args:
        span: what is shown.
        max_points: at most so many buckets a channel (≥ ``MIN_BUCKETS``).
        channels: which channels; None is all numeric ones.
    """

    def __init__(self, span: Span, max_points: int, channels: frozenset[str] | None = None) -> None:
        self.width_ns = width_for(span, max_points)
        self.span = span
        self._wanted = channels
        self._buckets: dict[int, TimeSums] = {}
        self._names: set[str] = set()

    def feed(self, at_ns: int, values: Mapping[str, Scalar]) -> None:
        """Take one observation.

        Args:
            at_ns: UTC ns.
            values: its channels.

        Raises:
            TooMuchError: the series has more channels than go with its buckets, see ``demand_few_cells``.
        """
        if self._wanted is not None:
            values = {name: value for name, value in values.items() if name in self._wanted}
        sums = self._sums(at_ns)
        before = len(sums)
        sums.add(values)
        if len(sums) != before:
            self._note(sums)

    def feed_sums(self, at_ns: int, packed: Mapping[str, list[float]]) -> None:
        """Take what is known of a minute; see ``feed``."""
        sums = self._sums(at_ns)
        sums.merge(packed, [name for name in packed if self._wanted is None or name in self._wanted])
        self._note(sums)

    def result(self) -> ThinnedSeries:
        """Return the buckets of each channel, channels by name."""
        channels: dict[str, list[Bucket]] = {name: [] for name in sorted(self._names)}
        for number in sorted(self._buckets):
            for name, sums in self._buckets[number].items():
                channels[name].append(sums.bucket(number * self.width_ns))
        return ThinnedSeries(channels, self.width_ns)

    def _sums(self, at_ns: int) -> TimeSums:
        number = at_ns // self.width_ns
        sums = self._buckets.get(number)
        if sums is None:
            sums = self._buckets[number] = TimeSums()
        return sums

    def _note(self, sums: TimeSums) -> None:
        before = len(self._names)
        self._names.update(sums)
        if len(self._names) > before:
            demand_few_cells(len(self._names), self.span, self.width_ns)
