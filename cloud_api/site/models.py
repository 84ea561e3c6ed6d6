"""The chart as the API describes it; docs/chart.md says what each kind of feature carries."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ChartFeature(BaseModel):
    """One feature of a chart."""

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any]


class Chart(BaseModel):
    """A chart as a GeoJSON FeatureCollection (RFC 7946). Not for navigation."""

    model_config = ConfigDict(extra="allow")

    type: Literal["FeatureCollection"]
    site: str
    name_es: str
    name_en: str
    bounds: list[float] = Field(description="west, south, east, north in degrees WGS 84")
    time_zone: str
    features: list[ChartFeature]
