"""What can be asked of the history, and what it answers."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cloud_api.history.thinning_policy import MIN_BUCKETS, MIN_TRACK_POINTS
from cloud_api.web.parameters import Parameters, TimeNs, Whole

MAX_POINTS = 5_000
"""Points of one answer: one for each pixel of the widest screens, 0.7 MB of JSON."""
DEFAULT_POINTS = 1_000
MAX_SPAN_DAYS = 400
"""A year, and the same month of the last one."""
MAX_SPAN_NS = MAX_SPAN_DAYS * 86_400 * 10**9
MAX_SERIES = 1_000
MAX_CHANNELS = 64
MAX_CURSOR = 200
"""Letters of a cursor: twice the longest."""
MAX_LIST_CURSOR = 500
"""Letters of a list's cursor: an id of three parts."""

FROM_TEXT = "RFC 3339 time, up to nine digits of a second, or nanoseconds since 1970; default 24 hours before to"
TO_TEXT = "as from; default now"
LIMIT_TEXT = "points a page, where max_points is not given"
CURSOR_TEXT = "next of the page before: goes on after it. from and to are those of the first page"


def _check_channels(value: str) -> str:
    names = value.split(",")
    if len(names) > MAX_CHANNELS or not all(names):
        msg = f"is not 1 to {MAX_CHANNELS} names with commas between"
        raise ValueError(msg)
    return value


class _SpanQuery(Parameters):
    """Which times, and how much of them."""

    from_: TimeNs | None = Field(default=None, alias="from", description=FROM_TEXT)
    to: TimeNs | None = Field(default=None, description=TO_TEXT)
    max_points: Whole | None = None
    limit: Whole | None = Field(default=None, ge=1, le=MAX_POINTS, description=LIMIT_TEXT)
    cursor: str | None = Field(default=None, min_length=1, max_length=MAX_CURSOR, description=CURSOR_TEXT)

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        if self.max_points is not None and (self.limit is not None or self.cursor is not None):
            msg = "max_points shows the whole span: neither limit nor cursor go with it"
            raise ValueError(msg)
        if self.from_ is not None and self.to is not None:
            if self.from_ > self.to:
                msg = "from lies after to"
                raise ValueError(msg)
            if self.to - self.from_ > MAX_SPAN_NS:
                msg = f"from and to are more than {MAX_SPAN_DAYS} days apart"
                raise ValueError(msg)
        return self


class TrackPath(Parameters):
    """Which vessel."""

    mmsi: Whole = Field(ge=0, le=999_999_999, description="MMSI")


class TrackQuery(_SpanQuery):
    """Which part of a track, and in how many points."""

    max_points: Whole | None = Field(
        default=None, ge=MIN_TRACK_POINTS, le=MAX_POINTS,
        description="the whole span in at most so many points: of each stretch of time its first position, its slowest "
        "and its fastest. Without it every stored position comes, page by page",
    )  # fmt: skip
    format: Literal["json", "csv", "geojson"] | None = Field(default=None, description="default as Accept says, json")


class SeriesPath(Parameters):
    """Which sensor: the three parts of its id."""

    site: str = Field(min_length=1, max_length=100, description="site id")
    observer: str = Field(min_length=1, max_length=100, description="the place that it observes, or {gateway}.{source}")
    sensor: str = Field(min_length=1, max_length=100, description="wind, depth, …, transducer.{name}")


class SeriesQuery(_SpanQuery):
    """Which part of a series, and in how many points."""

    max_points: Whole | None = Field(
        default=None, ge=MIN_BUCKETS, le=MAX_POINTS,
        description="the whole span in at most so many buckets of time, each with lowest, mean and highest of every "
        "numeric channel. Without it every stored observation comes, page by page",
    )  # fmt: skip
    channels: Annotated[str, AfterValidator(_check_channels)] | None = Field(
        default=None, max_length=1_000, description="names of channels with commas between; default all"
    )
    format: Literal["json", "csv"] | None = Field(default=None, description="default as Accept says, json")

    def wanted(self) -> frozenset[str] | None:
        """Return the channels asked for; None is all."""
        return None if self.channels is None else frozenset(self.channels.split(","))


class SeriesListQuery(Parameters):
    """Which series."""

    limit: Whole = Field(default=200, ge=1, le=MAX_SERIES, description="series a page")
    cursor: str | None = Field(
        default=None, min_length=1, max_length=MAX_LIST_CURSOR, description="next of the page before"
    )


class TrackItem(BaseModel):
    """One position of a vessel."""

    model_config = ConfigDict(frozen=True)

    at: str = Field(description="UTC, to the nanosecond")
    lon_deg: float
    lat_deg: float
    sog_kn: float | None
    cog_deg: float | None
    heading_deg: int | None


class _Answer(BaseModel):
    """What every answer tells of itself."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from", description="UTC")
    to: str = Field(description="UTC")
    bucket_s: float | None = Field(description="width of a bucket, s; null where nothing was left out")
    next: str | None = Field(description="cursor of the next page; null where there is none")


class TrackAnswer(_Answer):
    """A track, ascending."""

    mmsi: int
    stored: int | None = Field(description="positions that the span holds; null on a page, which does not count them")
    items: list[TrackItem]


class Place(BaseModel):
    """Geometry of a track: a line, of one position a point (RFC 7946)."""

    type: Literal["LineString", "Point"]
    coordinates: list[tuple[float, float]] | tuple[float, float]


class TrackFeatureProperties(_Answer):
    """What lies beside the coordinates, in their order."""

    mmsi: int
    stored: int | None
    times: list[str] = Field(description="UTC of each position")
    sog_kn: list[float | None]
    cog_deg: list[float | None]
    heading_deg: list[int | None]


class TrackFeature(BaseModel):
    """A track as a GeoJSON Feature (RFC 7946); without a position its geometry is null."""

    type: Literal["Feature"] = "Feature"
    id: int
    geometry: Place | None
    properties: TrackFeatureProperties


class SeriesItem(BaseModel):
    """One observation of a sensor."""

    at: str = Field(description="UTC, to the nanosecond")
    values: dict[str, int | float | bool | str] = Field(description="by channel; what was not available is not there")


class ChannelBuckets(BaseModel):
    """One numeric channel in buckets, ascending; stretches of time without an observation are left out."""

    at: list[str] = Field(description="UTC at which each bucket begins")
    count: list[int] = Field(description="observations in it")
    min: list[float | None] = Field(description="lowest; null of a direction")
    mean: list[float | None] = Field(description="mean; of a direction the mean direction")
    max: list[float | None] = Field(description="highest; null of a direction")


class SeriesAnswer(_Answer):
    """A series: its observations, or with max_points its channels in buckets."""

    id: str
    items: list[SeriesItem] | None = Field(description="null where max_points was given")
    channels: dict[str, ChannelBuckets] | None = Field(description="null where it was not")


class SeriesEntry(BaseModel):
    """A series that has observations."""

    id: str = Field(description="{site}/{observer}/{sensor}, as the id of a sensor")
    site: str
    observer: str
    sensor: str
    first_at: str = Field(description="UTC of its first observation that is kept")
    last_at: str = Field(description="UTC of its last")


class SeriesList(BaseModel):
    """Series by id, one page."""

    items: list[SeriesEntry]
    next: str | None = Field(description="cursor of the next page; null where there is none")
