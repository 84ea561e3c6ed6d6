"""A sensor as the API and the live wire show it."""

from pydantic import BaseModel, ConfigDict, Field

SensorValue = float | bool | str | None | list[float | None]


class ClockQuality(BaseModel):
    """How far the gateway's clock can be believed."""

    model_config = ConfigDict(frozen=True)

    state: str = Field(description="unsynced, rtc, ntp or gnss")
    error_ms: float | None = Field(description="bound of the clock's error, ms; null is unknown")


class Sensor(BaseModel):
    """Latest value of one fixed sensor."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="{site}/{place or gateway.source}/{kind}, of a transducer {kind}.{name}")
    kind: str = Field(description="the payload's type: wind, depth, weather, gnss_fix, transducer, crane_sample, …")
    site: str
    gateway: str
    source: str
    place: str | None = Field(description="asset of the site that it observes, null if none")
    observed_at: str = Field(description="UTC, by the gateway's clock")
    age_s: float = Field(description="age at the time of the answer, s")
    is_stale: bool = Field(description="too old to be believed")
    clock: ClockQuality
    values: dict[str, SensorValue] = Field(description="fields of the payload; null is not available")


class SensorList(BaseModel):
    """All sensors."""

    items: list[Sensor]
    at: str = Field(description="UTC time of the answer")
