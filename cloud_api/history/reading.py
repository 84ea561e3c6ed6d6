"""What is read from the history: tracks and series, page by page or thinned. No database type appears here.

Times are UTC ns. A **page** holds every stored point of a span in ascending order of (time, tie), from one ``Position``
on; points that arrive meanwhile neither move it nor make it skip. A **thinned** answer holds the whole span in so many
points that its peaks survive (``cloud_api.history.thinning_policy``).
"""

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from cloud_api.history.models import TrackPoint
from contracts.errors import PeerError

Scalar = int | float | bool | str
"""Value of one channel; what is not available has none."""


class Span(NamedTuple):
    """Times ``from_ns`` to ``to_ns``, both included, 0 to 2**63 - 1."""

    from_ns: int
    to_ns: int


class Position(NamedTuple):
    """Place in an ascending answer: the last point that was returned. ``tie`` tells points of one time apart.

    What a tie is, the store decides; it is 0 to 2**63 - 1, and the same whenever the same point is read.
    """

    at_ns: int
    tie: int


@dataclass(frozen=True, order=True)
class SeriesId:
    """A fixed sensor, as the live picture names it.

    Attributes:
        site: site id.
        observer: the place that it observes; without one ``{gateway}.{source}``.
        sensor: the payload's type, of a transducer ``transducer.{name}`` (``cloud_api.sensor_names``).
    """

    site: str
    observer: str
    sensor: str

    def __str__(self) -> str:
        """Return ``{site}/{observer}/{sensor}``."""
        return f"{self.site}/{self.observer}/{self.sensor}"


@dataclass(frozen=True)
class SeriesSummary:
    """A series that has points, and the times of its first and last (its summed-up minutes included)."""

    id: SeriesId
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class SeriesPoint:
    """One stored observation of a fixed sensor: its channels that are available (``cloud_api.history.channels``)."""

    at_ns: int
    values: dict[str, Scalar]


Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some points; ``next`` is where the following page begins, None at the end of the span."""

    items: list[Item]
    next: Position | None


@dataclass(frozen=True)
class ThinnedTrack:
    """A whole track in few points, ascending.

    Attributes:
        points: all positions, or of each bucket its first and those of its lowest and highest speed.
        stored: how many positions the span holds.
        width_ns: width of a bucket; 0 where nothing was left out.
    """

    points: list[TrackPoint]
    stored: int
    width_ns: int


@dataclass(frozen=True)
class Bucket:
    """One channel over one bucket of time.

    Attributes:
        at_ns: where the bucket begins.
        count: observations in it.
        minimum: lowest; None for a direction, which has none.
        mean: arithmetic mean; of a direction that of the unit vectors, None where they cancel each other out.
        maximum: highest, as ``minimum``.
    """

    at_ns: int
    count: int
    minimum: float | None
    mean: float | None
    maximum: float | None


@dataclass(frozen=True)
class ThinnedSeries:
    """A whole series in few buckets: by numeric channel, ascending; empty buckets are left out.

    Attributes:
        channels: buckets of each channel.
        width_ns: width of a bucket.
    """

    channels: dict[str, list[Bucket]] = field(default_factory=dict)
    width_ns: int = 0


class TooMuchError(PeerError):
    """A question whose answer would take more rows than the store reads for one. Ask for a shorter span."""
