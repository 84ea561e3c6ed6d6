"""Vessels and tracks as the API shows them, and what can be asked."""

import re
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cloud_api.web.parameters import Parameters, UtcTime, Whole

MAX_VESSELS = 20_000
"""Most vessels an answer holds: about 9 MB of JSON, 1 MB compressed."""
MAX_TRACK_POINTS = 5_000
"""Most points of a track: 14 hours of a ship under way at a position each 10 s."""
MAX_TRACK_HOURS = 24
MOVING_KN = 0.5
"""From this speed over ground a vessel is under way; below it GNSS noise moves moored ships too."""

_LON = r"-?(180(\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,9})?)"
_LAT = r"-?(90(\.0+)?|[0-8]?[0-9](\.[0-9]{1,9})?)"
BOX_PATTERN = rf"^{_LON},{_LAT},{_LON},{_LAT}$"


class Box(NamedTuple):
    """A box in degrees WGS 84; one whose west is greater than its east crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon_deg: float, lat_deg: float) -> bool:
        """Tell whether a position lies in the box, its edges included."""
        if not self.south <= lat_deg <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= lon_deg <= self.east
        return lon_deg >= self.west or lon_deg <= self.east


def _check_box(value: str) -> str:
    # the pattern's $ lets a trailing line feed pass
    if re.fullmatch(BOX_PATTERN, value) is None:
        msg = "is not four numbers in range"
        raise ValueError(msg)
    box = Box(*(float(number) for number in value.split(",")))
    if box.south > box.north:
        msg = "has its south above its north"
        raise ValueError(msg)
    return value


class VesselQuery(Parameters):
    """Which vessels."""

    moving: Literal["true", "false"] | None = Field(
        default=None, description="true: SOG of 0.5 kn or more; false: less, or not available"
    )
    bbox: Annotated[str, AfterValidator(_check_box)] | None = Field(
        default=None,
        description="west,south,east,north in degrees WGS 84",
        json_schema_extra={"example": "-0.40,39.40,-0.20,39.50"},
    )
    limit: Whole = Field(default=MAX_VESSELS, ge=1, le=MAX_VESSELS, description="most vessels, the newest heard first")

    def box(self) -> Box | None:
        """Return the box asked for, if any."""
        return None if self.bbox is None else Box(*(float(number) for number in self.bbox.split(",")))


class VesselPath(Parameters):
    """Which vessel."""

    mmsi: Whole = Field(ge=0, le=999_999_999, description="MMSI")


class TrackQuery(Parameters):
    """Which part of a track; by default the last hour."""

    from_: UtcTime | None = Field(default=None, alias="from", description="RFC 3339 time; default an hour before to")
    to: UtcTime | None = Field(default=None, description="RFC 3339 time; default now")
    max_points: Whole = Field(
        default=MAX_TRACK_POINTS, ge=1, le=MAX_TRACK_POINTS, description="most points, the newest are kept"
    )

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.from_ is not None and self.to is not None:
            if self.from_ > self.to:
                msg = "from lies after to"
                raise ValueError(msg)
            if self.to - self.from_ > timedelta(hours=MAX_TRACK_HOURS):
                msg = f"from and to are more than {MAX_TRACK_HOURS} hours apart"
                raise ValueError(msg)
        return self


class Vessel(BaseModel):
    """Latest of one vessel."""

    model_config = ConfigDict(frozen=True)

    mmsi: int
    station: str = Field(description="class_a, class_b, sar_aircraft, survival or unknown")
    mmsi_class: str = Field(description="form of the MMSI (ITU-R M.585): ship, handheld, auxiliary_craft, illegal, …")
    name: str | None
    callsign: str | None
    imo: int | None
    ship_type: int | None
    to_bow_m: int | None
    to_stern_m: int | None
    to_port_m: int | None
    to_starboard_m: int | None
    draught_m: float | None
    destination: str | None
    mothership_mmsi: int | None = Field(description="of an auxiliary craft: the ship that it belongs to")
    lon_deg: float | None
    lat_deg: float | None
    sog_kn: float | None
    cog_deg: float | None
    heading_deg: int | None
    nav_status: int | None
    observed_at: str = Field(description="UTC of the position; without one, of the newest message")
    age_s: float = Field(description="age at the time of the answer, s")
    is_stale: bool = Field(description="older than three nominal reporting intervals, and than 60 s")
    site: str
    gateway: str
    source: str


class VesselList(BaseModel):
    """Vessels, the newest heard first."""

    at: str = Field(description="UTC time of the answer")
    items: list[Vessel]


class LineString(BaseModel):
    """Positions, longitude and latitude in degrees WGS 84; as many as there are, which may be none."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]]


class TrackProperties(BaseModel):
    """What lies beside the coordinates, in their order."""

    model_config = ConfigDict(populate_by_name=True)

    mmsi: int
    from_: str = Field(alias="from", description="UTC")
    to: str = Field(description="UTC")
    times: list[str] = Field(description="UTC of each position")
    sog_kn: list[float | None]
    cog_deg: list[float | None]
    is_truncated: bool = Field(description="there were more points than asked for; the newest are here")


class Track(BaseModel):
    """A track as a GeoJSON Feature (RFC 7946)."""

    type: Literal["Feature"] = "Feature"
    id: int
    geometry: LineString
    properties: TrackProperties
