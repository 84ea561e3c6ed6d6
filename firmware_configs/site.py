"""Site profiles: a port as its authority describes it. Geometry is GeoJSON beside it, told apart by ``kind``."""

from typing import Literal

from pydantic import Field

from firmware_configs.base import Id, Profile, Text


class Bounds(Profile):
    """A box in degrees WGS 84."""

    west_deg: float = Field(ge=-180, le=180)
    south_deg: float = Field(ge=-90, le=90)
    east_deg: float = Field(ge=-180, le=180)
    north_deg: float = Field(ge=-90, le=90)


class Quay(Profile):
    """A quay wall. ``length_m`` along the fender line; chainage 0 is the first point of its line in the geometry."""

    quay: Id
    name: Text
    length_m: float = Field(gt=0, le=20_000)


class Berth(Profile):
    """A berth along a quay.

    Attributes:
        quay: quay it lies on.
        from_m: chainage of its beginning, m.
        to_m: chainage of its end, m.
        depth_m: depth alongside below chart datum, m.
        bollards: numbers of the first and last bollard.
        max_loa_m: longest ship, m.
        max_beam_m: widest ship, m.
        max_draught_m: deepest ship, m.
    """

    berth: Id
    quay: Id
    name: Text
    from_m: float = Field(ge=0)
    to_m: float = Field(gt=0)
    depth_m: float = Field(gt=0, le=40)
    bollards: tuple[int, int]
    max_loa_m: float = Field(gt=0, le=500)
    max_beam_m: float = Field(gt=0, le=80)
    max_draught_m: float = Field(gt=0, le=30)


class Crane(Profile):
    """A ship-to-shore crane: quay, parking chainage m, safe working load t, outreach m, wind limits m/s (3 s gust)."""

    crane: Id
    quay: Id
    name: Text
    parked_at_m: float = Field(ge=0)
    safe_working_load_t: float = Field(gt=0, le=200)
    outreach_m: float = Field(gt=0, le=100)
    wind_warning_mps: float = Field(gt=0, le=60)
    wind_stop_mps: float = Field(gt=0, le=60)


class Instrument(Profile):
    """A fixed instrument of the site (weather mast, tide gauge, AIS receiver, radar, antenna of a GNSS receiver)."""

    instrument: Id
    kind: Literal["weather_mast", "tide_gauge", "ais_receiver", "berth_sensor", "radar", "gnss_antenna"]
    name: Text
    lon_deg: float = Field(ge=-180, le=180)
    lat_deg: float = Field(ge=-90, le=90)


class SiteProfile(Profile):
    """A port."""

    schema_version: Literal[1] = Field(alias="schema")
    site: Id
    name: Text
    un_locode: str = Field(pattern=r"^[A-Z]{2}[A-Z2-9]{3}$")
    time_zone: str
    bounds: Bounds
    geometry: str
    quays: list[Quay]
    berths: list[Berth]
    cranes: list[Crane]
    instruments: list[Instrument]
