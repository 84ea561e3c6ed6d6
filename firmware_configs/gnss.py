"""A GNSS receiver at a fixed antenna, as a hardware profile describes it."""

from typing import Self

from pydantic import Field, model_validator

from firmware_configs.base import Profile


class Antenna(Profile):
    """Where an antenna stands and how far it may seem to be from there before that is an alarm.

    Attributes:
        lon_deg: degrees WGS 84; without a position it is where its first fixes after a start say.
        lat_deg: likewise.
        limit_m: m; five times the receiver's own error where that is more.
    """

    lon_deg: float | None = Field(default=None, ge=-180, le=180)
    lat_deg: float | None = Field(default=None, ge=-90, le=90)
    limit_m: float = Field(default=25.0, ge=1, le=10_000)

    @model_validator(mode="after")
    def _position_is_whole(self) -> Self:
        if (self.lon_deg is None) != (self.lat_deg is None):
            msg = "antenna: lon_deg and lat_deg are given together or not at all"
            raise ValueError(msg)
        return self
